// What Unicode says that a character is, as far as texts are cut by it. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice {

// The numbers are those of web/tokens.mjs.
enum class Letter : std::uint8_t {
  none = 0,    // punctuation, symbols, controls, what is no UTF-8, what is not assigned
  upper = 1,   // Lu, Lt
  lower = 2,   // Ll
  other = 3,   // Lm, Lo
  mark = 4,    // M
  number = 5,  // N
  space = 6,   // White_Space
};

struct Letters {
  std::span<const std::uint8_t> index;  // by code point / 256: which page
  std::span<const std::uint8_t> pages;  // of 256
  [[nodiscard]] Letter of(std::uint32_t code) const {
    return static_cast<Letter>(pages[std::size_t(index[code >> 8U]) << 8U | (code & 0xffU)]);
  }
};

extern const Letters letters;

// The character that begins at `at`, which is inside the text. A byte that begins none is one of its own.
struct Sign {
  Letter letter = Letter::none;
  std::uint8_t size = 1;
};
[[nodiscard]] Sign sign_at(std::string_view text, std::size_t at);

}  // namespace sluice
