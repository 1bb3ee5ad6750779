// SPDX-License-Identifier: MIT
#include "model/notes.h"

namespace sluice {
namespace {

constexpr std::string_view word(NoteKind kind) {
  switch (kind) {
    case NoteKind::lost: return "lost";
    case NoteKind::restated: return "restated";
    case NoteKind::added: return "added";
  }
  return "";
}

}  // namespace

std::string header_value(const std::vector<Note>& notes) {
  constexpr std::size_t limit = 2048 - 16;  // room for "; +N more"
  std::string out;
  for (std::size_t i = 0; i < notes.size(); ++i) {
    std::string one = std::string(word(notes[i].kind)) + ' ' + notes[i].pointer;
    for (char& c : one) {
      if (c < 0x20 || c > 0x7e || c == ';') c = '?';
    }
    if (out.size() + one.size() + 2 > limit) return out + "; +" + std::to_string(notes.size() - i) + " more";
    if (!out.empty()) out += "; ";
    out += one;
  }
  return out;
}

}  // namespace sluice
