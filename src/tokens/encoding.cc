// SPDX-License-Identifier: MIT
#include "tokens/encoding.h"

#include <algorithm>

#include "tokens/merge.h"
#include "tokens/pieces.h"

namespace sluice {
namespace {

template <class Take>
void each_piece(std::string_view text, Encoding encoding, Take take) {
  Merge merge(vocabularies[static_cast<std::size_t>(encoding)]);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = piece_end(text, at, encoding);
    while (at < end) {
      const std::size_t size = std::min(end - at, longest_piece);
      take(merge.tokens(text.substr(at, size)));
      at += size;
    }
  }
}

}  // namespace

std::int64_t count_tokens(std::string_view text, Encoding encoding) {
  std::int64_t count = 0;
  each_piece(text, encoding, [&](const std::vector<Token>& tokens) { count += std::ssize(tokens); });
  return count;
}

std::vector<std::uint32_t> encode(std::string_view text, Encoding encoding) {
  std::vector<std::uint32_t> out;
  each_piece(text, encoding,
             [&](const std::vector<Token>& tokens) { out.insert(out.end(), tokens.begin(), tokens.end()); });
  return out;
}

}  // namespace sluice
