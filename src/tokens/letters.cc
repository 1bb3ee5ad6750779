// SPDX-License-Identifier: MIT
#include "tokens/letters.h"

namespace sluice {

Sign sign_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(at);
  if (first < 0x80) return {.letter = letters.of(first)};
  const std::uint8_t size = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
  if (size == 1 || size > text.size() - at) return {};
  std::uint32_t code = first & (0xffU >> (size + 1U));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xc0U) != 0x80) return {};
    code = code << 6U | (byte(at + i) & 0x3fU);
  }
  const bool longer = size == 3 ? code < 0x800 : size == 4 && code < 0x10000;
  if (longer || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {.letter = letters.of(code), .size = size};
}

}  // namespace sluice
