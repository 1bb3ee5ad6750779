// Finds where a nested value ends, 64 bytes at a time: strings and the depth of brackets, nothing else. Not a check:
// what stands inside may be any text whose strings and brackets close. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::json {

struct Skipped {
  std::size_t at = 0;           // behind the closing bracket; with a fault, where it was seen
  const char* fault = nullptr;  // what is wrong
};

// `at` is an opening bracket in `text`, which stands in `depth` others. Brackets are counted without regard to their
// kind. Faults: the text ends first, more than max_depth brackets are open, or a control character stands in a string.
[[nodiscard]] Skipped skip_nested(std::string_view text, std::size_t at, int depth);

}  // namespace sluice::json
