// What a vendor must see again of an assistant's turn, kept while a client may drop it: reasoning, proofs, and where
// they stood between the texts and tool calls that the client does send back. Who keeps it how long: policy/.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/chat.h"
#include "model/event.h"

namespace sluice {

// A text, by what can be compared cheaply: its size and both ends. Texts that differ only in the middle, at the same
// size, are taken for the same: a vendor that binds its proofs to the text checks that itself.
class TextPrint {
 public:
  void add(std::string_view piece);
  [[nodiscard]] std::size_t size() const { return size_; }
  // The name under which a turn without tool calls is found again; empty for a text that many turns may have.
  [[nodiscard]] std::string key() const;
  bool operator==(const TextPrint&) const = default;

 private:
  static constexpr std::size_t end_size = 64, least = 24;
  std::size_t size_ = 0;
  std::string head_, tail_;
};

// One turn, without its texts and arguments.
struct KeptTurn {
  struct Piece {
    Part part;                     // Reasoning: whole, with its proof. ToolCall: id and proof. Text: proof only.
    std::size_t size = 0;          // of a text: bytes
    std::vector<std::string> ids;  // of a call: every id under which a client may know it
  };
  std::vector<Piece> pieces;
  TextPrint text;          // all texts of the turn
  bool too_large = false;  // its thoughts are not whole here
  [[nodiscard]] bool worth_keeping() const;
  // Under what it is kept: each tool call's id, or its text when it calls nothing.
  [[nodiscard]] std::vector<std::string> keys() const;
  // Rough memory, in bytes.
  [[nodiscard]] std::size_t weight() const;
};

// `exchange_id`, `choice`: what writers of answers make ids from where the upstream gave none.
[[nodiscard]] KeptTurn kept_turn(const std::vector<Part>& parts, std::string_view exchange_id, std::int64_t choice);

// The same from a stream's events: one per choice, by its index.
class TurnRecorder {
 public:
  explicit TurnRecorder(std::string_view exchange_id) : exchange_id_(exchange_id) {}  // outlives it
  void add(const Event& event);
  [[nodiscard]] const std::vector<KeptTurn>& turns() const { return turns_; }

 private:
  static constexpr std::size_t most_thought = 1024 * 1024;
  KeptTurn& turn(std::int64_t choice);
  std::string_view exchange_id_;
  std::vector<KeptTurn> turns_;
};

// The key under which a turn that came back may be found; empty when it needs nothing or says nothing. `turn` needs
// something when it is the assistant's and holds neither reasoning nor a proof.
[[nodiscard]] std::string recall_key(const Turn& turn);
// Puts back what the client dropped. False, and nothing changed, when `kept` is another turn after all.
bool restore(Turn& turn, const KeptTurn& kept);

}  // namespace sluice
