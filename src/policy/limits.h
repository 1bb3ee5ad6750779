// How much callers may ask for: requests per minute and requests at once, for all together and for each caller.
// The counters live here and outlive reloads; the limits themselves come with each call, from the current snapshot.
// Not here: who the caller is (caller.h), tokens and money. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "config/config.h"

namespace sluice {

// The state of the tightest requests-per-minute limit, for the x-ratelimit-*-requests headers. limit 0 = none is set.
struct LimitNumbers {
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  std::chrono::milliseconds reset{0};  // until all of `limit` is free again
};

// The right to be one of the requests running at once; given back when it dies. Must not outlive its Limits.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept : all_(std::exchange(other.all_, nullptr)), own_(std::exchange(other.own_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(all_, other.all_);
    std::swap(own_, other.own_);
    return *this;
  }
  ~Lease() {
    if (all_) all_->fetch_sub(1, std::memory_order_relaxed);
    if (own_) own_->fetch_sub(1, std::memory_order_release);
  }

 private:
  friend class Limits;
  std::atomic<std::int64_t>* all_ = nullptr;
  std::atomic<std::int64_t>* own_ = nullptr;
};

// Safe to call from any thread. A minute's limit of N is a bucket of N requests that refills evenly, one each 60/N
// seconds. Requests that were admitted while no limit of a kind was set are not counted against one that a reload sets.
class Limits {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `most_callers` bounds the memory: callers beyond it share one counter per shard until idle ones are forgotten.
  explicit Limits(std::size_t most_callers = 64 * 1024) : most_per_shard_(most_callers / shard_count) {}
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

  // Admits one request of `caller` or says when to come back: Fault::rate_limited with retry_after; a refused request
  // counts against nothing. `numbers` is filled in both cases.
  [[nodiscard]] Result<Lease> admit(std::string_view caller, const LimitSettings& settings, Time now,
                                    LimitNumbers& numbers);

  // Callers that are remembered now.
  [[nodiscard]] std::size_t callers() const;

 private:
  static constexpr std::size_t shard_count = 16;
  static constexpr std::int64_t long_ago = INT64_MIN / 4;

  struct Counters {
    std::int64_t full_at = long_ago;  // nanoseconds: when the bucket has everything back; guarded by the shard
    std::atomic<std::int64_t> running = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct alignas(64) Shard {
    mutable std::mutex lock;
    std::unordered_map<std::string, Counters, Hash, std::equal_to<>> callers;
    std::size_t sweep_at = 64;  // callers that make a look for idle ones worth it
    std::int64_t full_since = long_ago;
    Counters rest;  // of callers that found no room
  };

  static Counters& counters(Shard& shard, std::string_view caller, std::int64_t now, std::size_t most);

  alignas(64) std::atomic<std::int64_t> full_at_ = long_ago;
  std::atomic<std::int64_t> running_ = 0;
  std::array<Shard, shard_count> shards_;
  std::size_t most_per_shard_;
};

}  // namespace sluice
