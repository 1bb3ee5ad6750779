// Remembers which account answered a conversation's beginning last, so that its next turn finds the vendor's prompt
// cache warm. A wish, not a promise: whoever asks may go elsewhere. In memory only, bounded, the longest unused goes
// first. Not here: how a beginning becomes a key (the callers), an order by key without memory (balance.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice {

// Safe to call from any thread. Tenants never see each other's keys, and one tenant gets at most a quarter of the room
// of its shard, so that nobody's flood of conversations drives out all others.
class Affinity {
 public:
  // `most` keys in all.
  explicit Affinity(std::size_t most = 64 * 1024) : most_per_shard_(most / shard_count) {}
  Affinity(const Affinity&) = delete;
  Affinity& operator=(const Affinity&) = delete;

  void keep(std::string_view tenant, std::uint64_t key, std::string_view account, std::int64_t until_ms);
  // The account of the first key that is known, for which the longest beginning stands first; "" when none is. What is
  // found counts as used.
  [[nodiscard]] std::string find(std::string_view tenant, std::span<const std::uint64_t> keys, std::int64_t now_ms);
  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t shard_count = 4;

  struct Tenant;
  struct Entry {
    std::uint64_t key = 0;
    std::string account;
    std::int64_t until_ms = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Tenants = std::list<Tenant>;
  struct Tenant {
    std::string name;
    std::list<Entry> entries;  // the latest used first
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_key;
  };
  struct alignas(64) Shard {
    mutable std::mutex lock;
    Tenants tenants;                                                                         // the latest used first
    std::unordered_map<std::string_view, Tenants::iterator, Hash, std::equal_to<>> by_name;  // views into tenants
    std::size_t size = 0;
  };
  static void drop(Shard& shard, Tenants::iterator tenant, std::list<Entry>::iterator entry);
  Shard& shard(std::string_view tenant) { return shards_[Hash{}(tenant) % shard_count]; }

  std::array<Shard, shard_count> shards_;
  std::size_t most_per_shard_;
};

}  // namespace sluice
