// A JSON value that a JSON Schema accepts, made up on the spot for the demo backend. Not a validator, and not complete:
// `pattern`, `if` and `not` are not looked at. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Same arguments, same value. `word` is what free strings say; `choice` picks among enum values. Empty or broken
// schemas give {}. References inside the schema are followed, recursion ends where it is optional.
[[nodiscard]] std::string example_json(std::string_view schema, std::string_view word, std::uint64_t choice);

}  // namespace sluice
