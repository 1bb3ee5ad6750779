// What a held response counts against the bounds. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "ports/response_store.h"

namespace sluice {

inline std::int64_t weight(const HeldResponse& response) {
  constexpr std::size_t row = 256;  // names, and what keeping costs
  return static_cast<std::int64_t>(row + response.object.size() + response.input.size());
}

}  // namespace sluice
