// A key, or one of the groups it is in, as something of which is counted how much it uses. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "config/allowance.h"

namespace sluice {

// Tells a key or a group from all others, also after a reload or a restart.
using NodeId = std::uint64_t;

struct MeteredNode {
  NodeId id = 0;
  std::string_view name;  // for messages
  const Allowance* allowance = nullptr;
};

// Whether anything of it is counted.
[[nodiscard]] inline bool is_metered(const Allowance& allowance) {
  return !allowance.rates.empty() || allowance.max_concurrent > 0 || !allowance.budgets.empty();
}

}  // namespace sluice
