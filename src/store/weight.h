// What a held response counts against the bounds. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "ports/response_store.h"

namespace sluice {

inline std::int64_t weight(std::size_t text) {  // bytes of its object and its input
  constexpr std::size_t row = 256;              // names, and what keeping costs
  return static_cast<std::int64_t>(row + text);
}
inline std::int64_t weight(const HeldView& response) {
  return weight(response.object.size() + response.input.size());
}

}  // namespace sluice
