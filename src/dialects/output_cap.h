// Where a request says how long its answer may be, as a pointer into its body. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "dialects/dialect.h"

namespace sluice {

// "/max_tokens": for a request to `to`, asked in that dialect.
[[nodiscard]] std::string_view output_cap(DialectId dialect, const Destination& to);

}  // namespace sluice
