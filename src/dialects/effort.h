// Reasoning effort in words and in tokens, convertible both ways without drift (protocols/mapping.md, section 9).
// Clamping to what a model takes is the business of its dialect. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

// none, minimal, low, medium, high, xhigh, max; anything else is taken for medium.
[[nodiscard]] std::int64_t budget_of_effort(std::string_view effort);
// Budget -1 means "as the model likes": medium.
[[nodiscard]] std::string_view effort_of_budget(std::int64_t budget);

}  // namespace sluice
