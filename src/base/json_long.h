// The inside of long strings, 64 bytes at a time where the CPU has that (per_cpu.h). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace sluice::json {

// True for the second character of an escape of two: \n, not \u.
[[nodiscard]] constexpr bool is_short_escape(char c) {
  constexpr auto table = [] {
    std::array<bool, 256> out{};
    for (const char one : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'}) out[static_cast<unsigned char>(one)] = true;
    return out;
  }();
  return table[static_cast<unsigned char>(c)];
}
// True for what may stand in a string as an escape only.
[[nodiscard]] constexpr bool is_escaped(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

// From p, which stands inside a string: over what is plain and over escapes of two characters. It ends at a quote, at
// what must be looked at with care (\u, a control character, an unknown escape), or within 65 bytes of `end`. `escaped`
// becomes true when an escape was passed.
[[nodiscard]] const char* over_text(const char* p, const char* end, bool& escaped);

// How many bytes of the text must be escaped: quotes, backslashes, control characters.
[[nodiscard]] std::size_t count_escapes(std::string_view text);

}  // namespace sluice::json
