// SPDX-License-Identifier: MIT
#include "dialects/alike.h"

#include "base/json_quotes.h"

namespace sluice {
namespace {

// Offset of the quote that closes the string whose inside begins at `begin`; npos when there is none.
std::size_t closing(std::string_view chunk, std::size_t begin) {
  const char* const end = chunk.data() + chunk.size();
  const char* const inside = chunk.data() + begin;
  const char* const at = json::Quotes(chunk.substr(begin)).closing(inside);
  return at == end ? std::string_view::npos : static_cast<std::size_t>(at - chunk.data());
}

}  // namespace

void Alike::learn(std::string_view chunk, std::span<const std::size_t> holes) {
  holes_ = 0;
  fixed_.clear();
  if (holes.empty() || holes.size() > max_holes) return;
  std::size_t at = 0;
  for (std::size_t i = 0; i < holes.size(); ++i) {
    const std::size_t hole = holes[i];
    if (hole <= at || hole > chunk.size() || chunk[hole - 1] != '"') return;
    fixed_ += chunk.substr(at, hole - at);
    pieces_[i] = hole - at;
    at = closing(chunk, hole);
    if (at == std::string_view::npos) return;
  }
  fixed_ += chunk.substr(at);
  holes_ = holes.size();
}

std::optional<std::string_view> Alike::match(std::string_view chunk) const {
  if (holes_ == 0 || chunk.size() < fixed_.size()) return std::nullopt;
  std::string_view fixed = fixed_, first;
  std::size_t at = 0;
  for (std::size_t i = 0; i < holes_; ++i) {
    if (chunk.substr(at, pieces_[i]) != fixed.substr(0, pieces_[i])) return std::nullopt;
    fixed.remove_prefix(pieces_[i]);
    const std::size_t begin = at + pieces_[i];
    if (begin > chunk.size()) return std::nullopt;
    at = closing(chunk, begin);
    if (at == std::string_view::npos) return std::nullopt;
    if (i == 0) first = chunk.substr(begin, at - begin);
  }
  if (chunk.substr(at) != fixed) return std::nullopt;
  return first;
}

}  // namespace sluice
