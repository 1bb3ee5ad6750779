// The time of day for whoever counts money by it: a clock that somebody sets for a moment opens no new day, and closes
// none. SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace sluice {

// Goes on evenly from the first reading, and follows the system's clock as long as that only drifts. A jump counts once
// it has stood for an hour: until then the time is told as if it had not happened. Safe from any thread.
class WallClock {
 public:
  static constexpr std::int64_t drift_ms = 2'000;
  static constexpr std::int64_t stands_ms = 3'600'000;

  // Unix ms. `system_ms` is what the system's clock says, `steady_ns` what one says that nobody sets.
  [[nodiscard]] std::int64_t read(std::int64_t system_ms, std::int64_t steady_ns);

 private:
  std::int64_t jumped(std::int64_t offset, std::int64_t steady_ms);

  static constexpr std::int64_t none = INT64_MIN;
  std::atomic<std::int64_t> offset_ = none;  // of the system's clock to the steady one
  std::atomic<std::int64_t> other_ = none;   // since a jump
  std::mutex lock_;
  std::int64_t other_since_ms_ = 0;  // steady; guarded by the lock
};

}  // namespace sluice
