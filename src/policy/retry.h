// Whether and when a call is made again: how long to wait, and how much repeating there may be in all.
// Not here: which faults may be cured by it (base/error.h), which target comes next (balance.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "policy/dice.h"

namespace sluice {

struct Backoff {
  std::chrono::milliseconds first{500};  // doubled at each repetition
  std::chrono::milliseconds most{8'000};
};

// How long to wait before repetition `number` (0 = the first): anything between nothing and the doubled time, at least
// what the vendor asked for. Nothing when the deadline would be over by then.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_wait(int number, std::int64_t now_ms,
                                                                  std::int64_t deadline_ms,
                                                                  std::optional<std::chrono::milliseconds> retry_after,
                                                                  const Backoff& backoff, Dice& dice);

// One of a number that somebody counts; leaves it when it dies. Must not outlive whose it is.
class Counted {
 public:
  Counted() = default;
  explicit Counted(std::atomic<std::int64_t>& count) : count_(&count) { count.fetch_add(1, std::memory_order_relaxed); }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Counted& operator=(Counted&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~Counted() {
    if (count_) count_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  friend class RetryBudget;
  std::atomic<std::int64_t>* count_ = nullptr;
};

// Keeps an outage from being multiplied: at any time at most a fifth of the requests in flight are repetitions, or
// three; and over any time at most a fifth of all requests, or one a second, with a fifth of what is in flight, or ten,
// saved up. Safe from any thread.
class RetryBudget {
 public:
  // Each request, for as long as it is in flight.
  [[nodiscard]] Counted enter();
  // The right to make one call again, held until that call has ended; waiting for it counts. Nothing when there was
  // enough of it. A target that refused the connection has done no work: calling another costs nothing.
  [[nodiscard]] std::optional<Counted> retry(std::int64_t now_ms, bool refused = false);

 private:
  static constexpr std::int64_t one = 100;  // of saved_
  static constexpr std::int64_t per_request = 20;
  static constexpr std::int64_t most_saved = 10 * one;
  static constexpr std::int64_t at_once = 3;
  static constexpr std::int64_t reserve_ms = 1'000;  // one of the reserve comes back

  [[nodiscard]] bool take_reserve(std::int64_t now_ms);

  std::atomic<std::int64_t> requests_ = 0;
  std::atomic<std::int64_t> retries_ = 0;
  std::atomic<std::int64_t> saved_ = 0;
  std::atomic<std::int64_t> reserve_full_at_ms_ = INT64_MIN / 2;
};

// How many calls may be made twice at once to see which is quicker: one in twenty requests, and one more.
// Safe from any thread.
class HedgeBudget {
 public:
  void request();
  [[nodiscard]] bool hedge();

 private:
  static constexpr std::int64_t one = 100;
  static constexpr std::int64_t per_request = 5;
  static constexpr std::int64_t most_saved = 10 * one;
  std::atomic<std::int64_t> saved_ = one;
};

}  // namespace sluice
