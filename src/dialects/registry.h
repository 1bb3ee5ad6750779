// The list of dialects. SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "dialects/dialect.h"

namespace sluice {

// Every registered dialect, in the order in which doors are tried.
[[nodiscard]] std::span<const Dialect* const> dialects();
// The dialect of that id; null when it is not built yet.
[[nodiscard]] const Dialect* dialect(DialectId id);
// By name ("openai_chat"); null when unknown.
[[nodiscard]] const Dialect* dialect(std::string_view name);

}  // namespace sluice
