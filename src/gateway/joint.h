// One answer from several streams: where one breaks off, the next is told as if it had never been another. Knows what
// was said, and whether that can be gone on with; gives the later stream's blocks the places that follow. Pure: events
// in, events out. Not here: who is asked for the rest (resume.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "model/notes.h"

namespace sluice {

class Joint {
 public:
  static constexpr std::size_t most_said = 1024 * 1024;

  // The stream that runs: its events become those of the one answer, in place.
  void pass(std::vector<Event>& events, Notes& notes);
  // Whether another stream can go on from here: so far there was only text, and thoughts that are over.
  [[nodiscard]] bool open() const { return !closed_ && inside_ != Inside::thought; }
  // All the text so far.
  [[nodiscard]] const std::string& said() const { return said_; }
  // Of which the stream that runs has said this.
  [[nodiscard]] std::string_view said_here() const { return std::string_view(said_).substr(said_before_); }
  // What the stream before used, by its own words or by the estimate.
  [[nodiscard]] const Usage& last() const { return last_; }
  // That stream is over, in the middle; what follows comes from another. `estimate`: its usage, where it told none.
  void go_on(const Usage& estimate, Notes& notes);

 private:
  enum class Inside : std::uint8_t { nothing, text, thought, other };
  // Where a block of a later stream stands in the answer.
  struct Place {
    std::int64_t block = 0;
    std::int64_t from = 0;  // code points that stand in it before
    bool joined = false;    // its block was open
    bool left_out = false;
  };
  void later(Event& event, Notes& notes);
  void start(BlockStart& e, Notes& notes);
  void grow(Delta& e);
  void tell(Event event);
  void tell_usage();
  void keep(const Event& event);
  void close();

  // Of the answer:
  bool begun_ = false;
  bool closed_ = false;  // it cannot be gone on with any more
  bool thought_ = false;
  Inside inside_ = Inside::nothing;
  std::int64_t next_ = 0;    // block
  std::int64_t points_ = 0;  // code points in the block
  std::string said_;
  Usage before_;  // of the streams that are over
  Usage here_;    // of the one that runs
  Usage last_;    // of the one before
  std::size_t said_before_ = 0;

  // Of a later stream:
  bool second_ = false;
  bool usage_told_ = false;
  std::vector<Place> places_;  // of its blocks
  std::string blanks_;         // at the end of what was said, as far as it may repeat them
  std::vector<Event> out_;
};

}  // namespace sluice
