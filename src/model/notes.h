// What a translation could not say. A Note is never silence: it goes to the Record, a metric and `x-sluice-notes`.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class NoteKind : std::uint8_t {
  lost,      // the target cannot say it; it was left out
  restated,  // said in other words (a clamped number, a wrapped tool, text instead of a role)
  added,     // the target demands it and the source did not have it
};

struct Note {
  NoteKind kind = NoteKind::lost;
  std::string pointer;  // where in the source message: RFC 6901 pointer, e.g. "/messages/2/content/0/image_url/detail"
  std::string reason;   // short, stable words: "anthropic has no seed"
  bool operator==(const Note&) const = default;
};

// Collects notes during one translation.
class Notes {
 public:
  void lost(std::string pointer, std::string_view reason) { add(NoteKind::lost, std::move(pointer), reason); }
  void restated(std::string pointer, std::string_view reason) { add(NoteKind::restated, std::move(pointer), reason); }
  void added(std::string pointer, std::string_view reason) { add(NoteKind::added, std::move(pointer), reason); }
  [[nodiscard]] const std::vector<Note>& all() const { return notes_; }
  [[nodiscard]] bool empty() const { return notes_.empty(); }

 private:
  void add(NoteKind kind, std::string pointer, std::string_view reason) {
    notes_.push_back({kind, std::move(pointer), std::string(reason)});
  }
  std::vector<Note> notes_;
};

// The value of the header `x-sluice-notes`: "lost /seed; restated /messages/0", visible ASCII, at most 2048 bytes,
// then "; +N more". Empty when there are none.
[[nodiscard]] std::string header_value(const std::vector<Note>& notes);

}  // namespace sluice
