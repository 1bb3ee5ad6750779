// SPDX-License-Identifier: MIT
#include "model/notes.h"

#include <algorithm>

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
  out.reserve(notes.empty() ? 0 : 128);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const std::string_view kind = word(notes[i].kind);
    const std::string& pointer = notes[i].pointer;
    if (out.size() + kind.size() + 1 + pointer.size() + 2 > limit) {
      return out + "; +" + std::to_string(notes.size() - i) + " more";
    }
    if (!out.empty()) out += "; ";
    out += kind;
    out += ' ';
    const auto added = static_cast<std::ptrdiff_t>(out.size());
    out += pointer;
    std::replace_if(out.begin() + added, out.end(), [](char c) { return c < 0x20 || c > 0x7e || c == ';'; }, '?');
  }
  return out;
}

}  // namespace sluice
