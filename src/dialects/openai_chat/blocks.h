// The blocks of one choice of a stream. This dialect has no blocks: they are guessed from which member of a delta
// speaks, and calls may interleave. So blocks queue: the first one is open and streams, later ones are held back until
// it is complete. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "dialects/openai_chat/message.h"
#include "model/event.h"

namespace sluice::openai_chat {

// Follows the brackets of a JSON text that comes in pieces.
class Balance {
 public:
  void feed(std::string_view text);
  // The outermost bracket is closed: nothing but white space can follow.
  [[nodiscard]] bool complete() const { return any_ && depth_ == 0 && !in_string_; }

 private:
  int depth_ = 0;
  bool any_ = false, in_string_ = false, escaped_ = false;
};

class Blocks {
 public:
  explicit Blocks(std::int64_t choice) : choice_(choice) {}

  void text(std::string_view piece, std::vector<Event>& out, std::optional<RawJson> logprobs = {});
  void refusal(std::string_view piece, std::vector<Event>& out, std::optional<RawJson> logprobs = {});
  // Reasoning as a plain string.
  void reasoning(std::string_view piece, std::vector<Event>& out);
  // One entry of reasoning_details. `alone`: no plain string stood beside it, so it may repeat what was said.
  void detail(json::Value entry, bool alone, std::vector<Event>& out);
  void call(json::Value delta, std::vector<Event>& out);
  void legacy_call(json::Value delta, std::vector<Event>& out);
  void audio(json::Value delta, std::vector<Event>& out);
  void image(json::Value part, std::vector<Event>& out);
  // One that comes when its text is over is told at the end. False: there is no text that it could belong to.
  [[nodiscard]] bool citation(json::Value annotation, std::vector<Event>& out);
  // Opens and closes whatever is left.
  void finish(std::vector<Event>& out);

  [[nodiscard]] bool calls_seen() const { return calls_seen_; }
  [[nodiscard]] bool refused() const { return refused_; }

 private:
  struct Block {
    Part part;
    std::string held;   // text that came before the block was opened
    std::string plain;  // reasoning: what came without an entry since the last one, to know its repetition
    std::optional<Seal> seal;
    std::optional<std::int64_t> index;  // of a call, or of a detail
    std::optional<RawJson> logprobs;
    Balance balance;
    bool open = false;
    bool whole = false;     // nothing more will come
    bool repeated = false;  // an entry has said it again: what comes next is another thought
  };

  template <class T>
  Block* last();
  Block& push(Part part, std::vector<Event>& out);
  void grow(Block& block, std::string_view piece, std::vector<Event>& out, std::optional<RawJson> logprobs = {},
            Extras extras = {});
  void open(Block& block, std::vector<Event>& out);
  void close_front(std::vector<Event>& out);
  void pump(bool force, std::vector<Event>& out);
  Block* find_call(std::optional<std::int64_t> index, std::string_view id, std::string_view name);
  void grow_call(Block& block, json::Value body, std::string_view member, std::vector<Event>& out);

  std::int64_t choice_;
  std::int64_t next_ = 0;
  std::deque<Block> queue_;
  std::vector<std::int64_t> closed_calls_;            // indexes of calls that are over
  std::vector<std::pair<std::string, Seal>> proofs_;  // for calls that come later, by id
  std::optional<std::int64_t> last_text_;             // the block
  std::vector<Citation> late_;
  bool calls_seen_ = false, refused_ = false;
};

}  // namespace sluice::openai_chat
