// Blocks as items of an answer: the items themselves, and the ladder of events that brings them one by one (added, part
// added, deltas, done …). A whole answer is made by the same steps with nobody listening, so that both say the same.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialects/openai_responses/emitter.h"
#include "dialects/openai_responses/items.h"
#include "dialects/openai_responses/stop.h"
#include "dialects/seal_envelope.h"
#include "model/event.h"

namespace sluice::openai_responses {

class Ladder {
 public:
  explicit Ladder(std::string_view exchange_id) : exchange_(exchange_id) {}

  // Whose answer it is: own items keep their names and members, others are opened when there is something to say.
  void origin(DialectId from) { from_ = from; }

  // One block: `part` as in BlockStart, then grow and cite, then stop.
  void start(const Part& part, Emitter& to);
  void grow(std::string_view text, const std::optional<RawJson>& logprobs, Emitter& to);
  void cite(const Citation& citation, Emitter& to);
  void stop(const std::optional<Seal>& seal, const Extras& late, Emitter& to);
  // No more blocks. `status` is for the last item where it does not say its own: "completed", "incomplete".
  void finish(std::string_view status, Emitter& to);
  // The answer broke off: what is open ends as it is.
  void cut(Emitter& to);

  // The items that are done, joined by commas.
  [[nodiscard]] const std::string& items() const { return items_; }
  [[nodiscard]] const Holds& holds() const { return holds_; }

 private:
  enum class Kind : std::uint8_t { none, message, reasoning, call, whole };

  [[nodiscard]] bool own() const { return from_ == self; }
  void keep(const Extras& extras);  // what its own upstream said of the part and of its item
  void open_item(Kind kind, Emitter& to);
  void start_whole(Emitter& to);
  void say(Emitter& to);  // opens what was put off
  void close_item(std::string_view status, Emitter& to);
  void close_part(Emitter& to);
  void close_call(const std::optional<Seal>& seal, Emitter& to);
  void close_whole(const Extras& late, Emitter& to);
  void proof(const Seal& seal, Belongs belongs, Emitter& to);
  [[nodiscard]] std::string item(bool done, std::string_view status) const;
  [[nodiscard]] std::string part_text(bool done) const;
  [[nodiscard]] std::string at_item() const;
  [[nodiscard]] std::string at_part() const;
  [[nodiscard]] std::string made_id(std::string_view prefix) const;
  [[nodiscard]] std::string_view grown_name() const;

  std::string exchange_;
  DialectId from_ = DialectId::openai_chat;
  std::string items_;
  std::int64_t count_ = 0;  // items that are done
  std::int64_t calls_ = 0;
  Holds holds_;

  Kind kind_ = Kind::none;  // of the open item
  std::string id_, place_;  // its name; its place at the upstream
  std::string members_;     // what only its own upstream knows: ,"name":value …
  std::string status_;      // JSON; empty: not said
  std::string contents_, summaries_;
  std::int64_t content_count_ = 0, summary_count_ = 0;
  std::optional<Seal> seal_;
  ToolCall call_;
  std::string whole_;

  Part part_;           // that is open, without its text
  bool opened_ = true;  // its events have begun
  bool held_ = false;   // a call that is told when it is whole
  std::string_view part_type_;
  std::string text_, annotations_, logprobs_, part_members_;
  std::int64_t annotation_count_ = 0;
};

// A whole part by the steps of a block. The first text takes the logprobs.
void feed(Ladder& ladder, const Part& part, std::optional<RawJson>& logprobs, Emitter& to);

}  // namespace sluice::openai_responses
