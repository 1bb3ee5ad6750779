// How OpenAI's models cut texts into tokens: the same tokens as tiktoken's (PyPI), special ones taken for plain text.
// Whose model counts by which encoding is not here (dialects/token_weights.h). Pure, on tables of the binary.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice {

enum class Encoding : std::uint8_t {
  o200k,   // gpt-4o and later
  cl100k,  // gpt-4, gpt-3.5
};

// Time grows with the text, whatever it holds. A run without a cut that is longer than this is cut there, which may
// cost a token or two more than tiktoken counts.
inline constexpr std::size_t longest_piece = 64 * 1024;

// What is no UTF-8 counts byte by byte.
[[nodiscard]] std::int64_t count_tokens(std::string_view text, Encoding encoding);
// The tokens themselves.
[[nodiscard]] std::vector<std::uint32_t> encode(std::string_view text, Encoding encoding);

}  // namespace sluice
