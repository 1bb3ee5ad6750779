// All Healths, found by account and model, so that a reload and every worker find the same. SPDX-License-Identifier:
// MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/health.h"
#include "policy/lock.h"

namespace sluice {

// Safe to call from any thread.
class HealthBook {
 public:
  // `most` bounds the memory: when so many are known and none was idle for ten minutes, a new one is not remembered.
  explicit HealthBook(std::size_t most = 4096) : most_per_shard_(most / shard_count) {}
  HealthBook(const HealthBook&) = delete;
  HealthBook& operator=(const HealthBook&) = delete;

  // Never null. `account` is its full name, unique in the configuration; `model` is the upstream's name. What was found
  // may be kept and used again; what is kept is not forgotten.
  [[nodiscard]] std::shared_ptr<Health> of(std::string_view account, std::string_view model, std::int64_t now_ms);

  // True when one of the account's targets rests after faults.
  [[nodiscard]] bool rests(std::string_view account) const;
  // A probe of the account has found this (Health::probed).
  void probed(std::string_view account, bool alive, std::int64_t now_ms, std::int64_t hold_ms,
              const HealthSettings& settings, Dice& dice);

  struct Row {
    std::string account;
    std::string model;
    View view;
  };
  // Everything, by account and model in their order.
  [[nodiscard]] std::vector<Row> rows(std::int64_t now_ms) const;
  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t shard_count = 8;

  struct Entry {
    std::string account;
    std::string model;
    std::shared_ptr<Health> health;
  };
  struct alignas(64) Shard {
    mutable Lock lock;
    std::unordered_map<std::uint64_t, std::vector<Entry>> entries;  // by hash; more than one is very rare
    std::size_t size = 0;
    std::int64_t full_since_ms = INT64_MIN / 2;
  };
  [[nodiscard]] std::vector<std::shared_ptr<Health>> all(std::string_view account) const;
  static void sweep(Shard& shard, std::int64_t now_ms);
  [[nodiscard]] std::shared_ptr<AccountKey> key(std::string_view account);

  std::array<Shard, shard_count> shards_;
  const std::size_t most_per_shard_;
  Lock keys_lock_;  // taken inside a shard's
  std::map<std::string, std::shared_ptr<AccountKey>, std::less<>> keys_;
  std::size_t sweep_keys_at_ = 64;
};

}  // namespace sluice
