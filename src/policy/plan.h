// In which order targets are tried. Not here: which there are (config/snapshot.h), how a call ends (gateway/call.cc).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "config/snapshot.h"

namespace sluice {

// Accounts of one backend that stand beside each other change places: each comes first as often as its weight says,
// among the others too. `seed` is any random number.
void spread_accounts(std::vector<Target>& targets, std::uint64_t seed);

}  // namespace sluice
