// Dice that nobody can foresee. SPDX-License-Identifier: MIT
#pragma once

#include <sys/random.h>

#include <span>

namespace sluice {

// Fills it by the kernel's generator.
inline void chance(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got > 0) bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace sluice
