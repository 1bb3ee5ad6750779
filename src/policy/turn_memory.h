// Remembers, per tenant and for a while, what clients drop of assistants' turns (dialects/kept_turn.h), so that a stock
// SDK that keeps nothing extra still makes whole tool loops with vendors that sign. In memory only, bounded, the oldest
// goes first. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dialects/kept_turn.h"

namespace sluice {

// Safe to call from any thread.
class TurnMemory {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Bounds {
    std::size_t bytes = 0;  // of all tenants together; one tenant gets at most a quarter. 0 = nothing is kept
    std::chrono::milliseconds age{0};
  };

  TurnMemory() = default;
  TurnMemory(const TurnMemory&) = delete;
  TurnMemory& operator=(const TurnMemory&) = delete;

  // A key that two turns of one tenant share finds neither: better no proof than a stranger's.
  void keep(std::string_view tenant, KeptTurn turn, const Bounds& bounds, Time now);
  // Null when nothing is kept under the key.
  [[nodiscard]] std::shared_ptr<const KeptTurn> find(std::string_view tenant, std::string_view key, Time now);
  // True when nothing at all is kept: the answer to most requests, without a lock.
  [[nodiscard]] bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }
  // Rough memory of what is kept.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    std::vector<std::string> keys;  // tenant, LF, key
    std::shared_ptr<const KeptTurn> turn;
    std::size_t weight = 0;
    Time until;
  };
  using Entries = std::list<Entry>;  // the newest first
  struct Shard {
    mutable std::mutex lock;
    Entries entries;
    std::unordered_map<std::string, Entries::iterator> by_key;
    std::size_t bytes = 0;
  };
  static constexpr std::size_t shard_count = 4;

  Shard& shard(std::string_view tenant);
  void drop(Shard& shard, Entries::iterator entry);
  std::array<Shard, shard_count> shards_;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace sluice
