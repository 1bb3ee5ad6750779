// The inside of long strings, 64 bytes at a time where the CPU has that (per_cpu.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::json {

// From p, which stands inside a string: over what is plain and over escapes of two characters. It ends at a quote, at
// what must be looked at with care (\u, a control character, an unknown escape), or within 65 bytes of `end`. `escaped`
// becomes true when an escape was passed.
[[nodiscard]] const char* over_text(const char* p, const char* end, bool& escaped);

// How many bytes of the text must be escaped: quotes, backslashes, control characters.
[[nodiscard]] std::size_t count_escapes(std::string_view text);

}  // namespace sluice::json
