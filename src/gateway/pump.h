// One stream on its way from the upstream's bytes to the client's: frames forwarded as they came when both speak the
// same dialect, else read into events and written anew. Pure: bytes in, bytes out. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/dialect.h"
#include "dialects/kept_turn.h"
#include "dialects/tool_return.h"
#include "gateway/exchange.h"
#include "gateway/joint.h"
#include "gateway/outline.h"

namespace sluice {

class Pump {
 public:
  struct Sides {
    const Dialect* upstream = nullptr;
    const Dialect* client = nullptr;
    bool verbatim = false;           // forward the frames themselves
    bool usage_asked = true;         // else a frame with nothing but usage is kept back
    std::string_view content_type;   // the upstream's
    Question question;               // only its exchange id must outlive the pump
    std::optional<ToolReturn> undo;  // what writing the request changed in tools
    std::string_view backend;        // whose proofs pass; outlives the pump
    std::string_view id;             // the answer's name, where it is not to be the upstream's
    bool keeps_last = false;         // the last event is to be told, also of a forwarded stream
    bool joins = false;              // another stream may go on with the answer: nothing is forwarded as it came
    bool sifts = false;              // a filter's stop before the first word is no content: likewise
  };
  // `record` gets usage, the served model and the stop reason as they pass; it must outlive the pump.
  Pump(Record& record, const Sides& sides);
  // Writes into another record from here on.
  void record_into(Record& record) { record_ = &record; }

  // Takes the next bytes of the upstream's body and appends what the client gets.
  void feed(std::string_view bytes, std::string& out);
  // The upstream's body is over. Without its dialect's proper end the stream has failed.
  void end(std::string& out);
  // A whole reply instead of a stream (the upstream answered JSON though a stream was asked).
  void whole(const Reply& reply, std::string& out);
  // For an answer that joins: the upstream's stream broke, and another goes on from said(). `estimate`: what the first
  // used as far as it did not tell. Of `sides` only what tells of the upstream counts.
  [[nodiscard]] bool may_go_on() const { return joint_ && joint_->open(); }
  [[nodiscard]] const Joint& joint() const { return *joint_; }
  void go_on(const Sides& sides, const Usage& estimate);
  // All of the rest at once.
  void rest(const Reply& reply, std::string& out);
  // Events that are the whole stream (made here, not read).
  void tell(const std::vector<Event>& events, std::string& out);

  // True once something meaningful has passed: until then the call may still go to another target.
  [[nodiscard]] bool content() const { return content_; }
  // Sifting, and the answer was stopped by a filter or refused before its first word: the vendor's word for it.
  [[nodiscard]] const std::optional<std::string>& stopped() const { return stopped_; }
  // True once nothing more can follow.
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] const Error* failed() const { return failed_ ? &**failed_ : nullptr; }
  // Tokens of output that have passed so far, as far as they can be guessed without reading them: of this upstream,
  // since the beginning or the last go_on(). -1: nothing passed.
  [[nodiscard]] std::int64_t heard() const;
  // True once the last that tells anything of the answer has passed. Where a dialect has no last word, only with
  // over().
  [[nodiscard]] bool ended() const { return ended_ || over_; }

  // Appends an error in the client's in-stream form, unless the upstream's own words have gone out already.
  void speak(const Error& error, std::string& out);
  // Appends a keep-alive.
  void comment(std::string& out) { writer().keep_alive(out); }
  [[nodiscard]] std::string_view content_type();
  // The last event as the client gets it, where it is kept or the answer has a name of ours.
  [[nodiscard]] const std::string& last_event() const { return last_event_; }
  // What passed of the answer's turns, when they were read; else null.
  [[nodiscard]] const TurnRecorder* turns() const { return turns_ ? &*turns_ : nullptr; }

 private:
  void forward(const Frame& frame, std::string& out);
  void translate(const Frame& frame, std::string& out);
  void read_done(std::string& out);
  void add_notes(const Notes& notes);
  void write(const Event& event, std::string& out);
  void note_losses();
  void sift(const Event& event);
  void fail_with(const Error& error);
  StreamWriter& writer();
  Outline& outline();
  Record* record_;
  Sides sides_;
  std::unique_ptr<Framer> framer_;
  std::unique_ptr<StreamReader> reader_;
  std::unique_ptr<StreamWriter> writer_;
  std::vector<Event> events_;
  std::optional<TurnRecorder> turns_;
  std::unique_ptr<Joint> joint_;      // null where nothing is to be joined
  std::unique_ptr<Outline> outline_;  // of an answer that is written anew; apart, for most streams are forwarded
  std::string upstream_type_;
  std::string model_;  // the question's
  std::string id_;     // Sides::id
  std::string last_event_;
  std::optional<Failure> failed_;
  std::optional<std::string> stopped_;
  std::int64_t heard_frames_ = 0;  // with content
  std::int64_t heard_bytes_ = 0;   // of them; of text, where they are read
  std::int64_t least_frame_ = 0;
  bool ended_ = false;
  bool trails_ = false;         // the upstream's dialect tells usage behind its proper end
  std::size_t translated_ = 0;  // bytes of frames that were read into events
  bool spoken_ = false;
  bool content_ = false;
  bool over_ = false;
};

}  // namespace sluice
