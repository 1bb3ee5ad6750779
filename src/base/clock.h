// The time of day. SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

[[nodiscard]] inline std::int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace sluice
