// One answer that several exchanges get, each on its own worker: what was said so far, and whoever waits for more. One
// exchange makes the call and says what comes; it may lose its client and go on for the others. The last who leaves
// ends the call. Safe from any thread. Not here: who shares with whom (coalesce.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/snapshot.h"
#include "model/notes.h"
#include "net/loop.h"

namespace sluice {

class SharedAnswer {
 public:
  static constexpr std::size_t most_kept = 1024 * 1024;        // for those who come late
  static constexpr std::size_t most_behind = 2 * 1024 * 1024;  // of the slowest, before it is waited for

  struct Head {
    bool stream = false;
    int status = 200;
    std::string content_type;
    std::string fields;  // field lines
    std::string served;
    std::vector<Note> notes;
  };

  // `snapshot` lives as long as it does: what it is found by names parts of it.
  explicit SharedAnswer(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  // --- whoever makes the call
  // Sleeps with this one, on its own loop. Null: it is over.
  void called_by(net::Sleeper* sleeper);
  // The first counts.
  void begin(Head head);
  void append(std::string_view bytes);
  void end();
  // The first counts, and none after the end.
  void fail(const Error& error);
  // Whether anybody else reads.
  [[nodiscard]] bool read();
  // How far the slowest has come when it is too far behind: the caller's sleeper wakes when it takes more.
  [[nodiscard]] std::optional<std::uint64_t> crowded();
  // Who is too far behind is not waited for any more, and hears that.
  void drop_slow();
  // Its client left. True: others read on, so it must not stop.
  [[nodiscard]] bool left();

  // --- the others
  class Reader {
   public:
    // On the sleeper's thread, where it stays.
    Reader(std::shared_ptr<SharedAnswer> answer, net::Sleeper& sleeper);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    // Null: nobody joins it any more.
    [[nodiscard]] static std::unique_ptr<Reader> join(const std::shared_ptr<SharedAnswer>& answer,
                                                      net::Sleeper& sleeper);
    enum class Got : std::uint8_t { piece, wait, end };
    // Appends what is there. After `wait` the sleeper wakes when there is more. Errors: the call's, once all that came
    // before it was taken; overloaded when this one is too slow.
    [[nodiscard]] Result<Got> take(std::string& bytes);
    // Once a piece or the end was taken.
    [[nodiscard]] const Head& head() const { return *head_; }

   private:
    friend class SharedAnswer;
    struct Seat {
      net::Loop* loop;
      net::Sleeper* sleeper;  // its own thread's; null when it is gone
      std::uint64_t at = 0;   // of the whole text
      bool called = false;    // it is woken already
      bool late = false;      // what comes next for it was dropped
    };
    std::shared_ptr<SharedAnswer> answer_;
    std::shared_ptr<Seat> seat_;
    std::optional<Head> head_;
  };

 private:
  struct Caller {
    net::Loop* loop;
    net::Sleeper* sleeper;  // its own thread's; null when it is over
  };
  void wake();
  void wake_caller();
  void drop_read();
  [[nodiscard]] std::uint64_t slowest() const;

  std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<Caller> caller_;
  std::vector<std::shared_ptr<Reader::Seat>> seats_;
  std::optional<Head> head_;
  std::string bytes_;
  std::uint64_t from_ = 0;  // of the whole text, where bytes_ begins
  std::optional<Error> error_;
  bool ended_ = false;
  bool waits_ = false;   // the caller, for the slowest
  bool left_ = false;    // the caller's client
  bool closed_ = false;  // nobody joins any more
};

}  // namespace sluice
