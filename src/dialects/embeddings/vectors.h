// Vectors as JSON has them: found in a reply without an index of their numbers, and turned from numbers into base64 and
// back without loss. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice {

// The elements of a JSON array whose brackets and strings are known to close; nullopt when it is no array. What stands
// inside them is not looked at.
[[nodiscard]] std::optional<std::vector<std::string_view>> array_elements(std::string_view raw);

// True for a JSON array of numbers, or a string.
[[nodiscard]] bool is_vector(std::string_view raw);

// A JSON array of numbers as a JSON string: the nearest float32 of each, little-endian, in base64. Error:
// upstream_broken for a number beyond float32.
[[nodiscard]] Result<std::string> pack_vector(std::string_view numbers);
// The reverse: each number with as few digits as tell it from its neighbours. Error: upstream_broken for what is no
// such string, or holds what is no number.
[[nodiscard]] Result<std::string> unpack_vector(std::string_view text);

}  // namespace sluice
