// What the kernel says about this process. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace sluice {

struct ProcessFigures {
  double cpu_seconds = 0;    // user and system
  double start_seconds = 0;  // Unix time
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

// Reads /proc/self; what cannot be read stays 0.
[[nodiscard]] ProcessFigures process_figures();

}  // namespace sluice
