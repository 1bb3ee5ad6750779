// SPDX-License-Identifier: MIT
#include "policy/wall_clock.h"

#include <cstdlib>

namespace sluice {

std::int64_t WallClock::read(std::int64_t system_ms, std::int64_t steady_ns) {
  const std::int64_t steady_ms = steady_ns / 1'000'000;
  const std::int64_t offset = system_ms - steady_ms;
  std::int64_t trusted = offset_.load(std::memory_order_relaxed);
  if (trusted == none && offset_.compare_exchange_strong(trusted, offset, std::memory_order_relaxed)) return system_ms;
  const std::int64_t off = std::abs(offset - trusted);
  if (off > drift_ms) return jumped(offset, steady_ms);
  if (other_.load(std::memory_order_relaxed) != none) other_.store(none, std::memory_order_relaxed);
  if (off > 1) offset_.store(offset, std::memory_order_relaxed);  // 1 is what cutting off fractions makes
  return system_ms;
}

std::int64_t WallClock::jumped(std::int64_t offset, std::int64_t steady_ms) {
  const std::scoped_lock guard(lock_);
  const std::int64_t other = other_.load(std::memory_order_relaxed);
  if (other == none || std::abs(offset - other) > drift_ms) {
    other_.store(offset, std::memory_order_relaxed);
    other_since_ms_ = steady_ms;
  } else if (steady_ms - other_since_ms_ >= stands_ms) {
    offset_.store(offset, std::memory_order_relaxed);
    other_.store(none, std::memory_order_relaxed);
  }
  return steady_ms + offset_.load(std::memory_order_relaxed);
}

}  // namespace sluice
