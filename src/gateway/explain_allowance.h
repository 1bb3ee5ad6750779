// What a key and the groups above it may use and spend, and how much of it they have: a part of what explain() tells.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "policy/directory.h"
#include "policy/meters.h"

namespace sluice {

// Where counts are; without meters nothing was counted.
struct CountedUse {
  const Meters* meters = nullptr;
  std::int64_t unix_ms = 0;
};

// A list, of those nodes of its path of which something is counted.
void write_allowances(json::Writer& out, const Key& key, const CountedUse& counted);
// One line for each of them; empty without.
[[nodiscard]] std::string allowances_text(const Key& key, const CountedUse& counted);

}  // namespace sluice
