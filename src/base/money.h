// Money in whole nano-dollars, and decimal numbers that never become binary fractions on their way.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// A number as JSON has it ("2.5e-06") times 10^shift, rounded to the nearest, halves up. nullopt: no such number,
// negative, or more than 63 bits.
[[nodiscard]] std::optional<std::int64_t> read_decimal(std::string_view text, int shift);
// `value`, which is not negative, divided by 10^shift, exactly: (2500, 3) is "2.5".
[[nodiscard]] std::string write_decimal(std::int64_t value, int shift);

}  // namespace sluice
