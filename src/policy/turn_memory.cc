// SPDX-License-Identifier: MIT
#include "policy/turn_memory.h"

#include <functional>
#include <utility>

namespace sluice {
namespace {

std::string full_key(std::string_view tenant, std::string_view key) {
  std::string out(tenant);
  out += '\n';
  out += key;
  return out;
}

}  // namespace

TurnMemory::Shard& TurnMemory::shard(std::string_view tenant) {
  return shards_[std::hash<std::string_view>{}(tenant) % shard_count];
}

void TurnMemory::drop(Shard& shard, Entries::iterator entry) {
  for (const std::string& key : entry->keys) {
    if (const auto found = shard.by_key.find(key); found != shard.by_key.end() && found->second == entry)
      shard.by_key.erase(found);
  }
  shard.bytes -= entry->weight;
  shard.entries.erase(entry);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

void TurnMemory::keep(std::string_view tenant, KeptTurn turn, const Bounds& bounds, Time now) {
  if (!turn.worth_keeping()) return;
  Entry entry{.until = now + bounds.age};
  entry.weight = turn.weight();
  for (const std::string& key : turn.keys()) {
    entry.keys.push_back(full_key(tenant, key));
    entry.weight += 2 * entry.keys.back().size();
  }
  if (entry.keys.empty()) return;
  const std::size_t most = bounds.bytes / shard_count;
  entry.turn = std::make_shared<const KeptTurn>(std::move(turn));

  Shard& at = shard(tenant);
  const std::scoped_lock lock(at.lock);
  const std::size_t weight = entry.weight;
  at.bytes += weight;
  at.entries.push_front(std::move(entry));
  count_.fetch_add(1, std::memory_order_relaxed);
  for (const std::string& key : at.entries.front().keys) {
    const auto [found, is_new] = at.by_key.try_emplace(key, at.entries.begin());
    if (is_new) continue;
    // Known already: whose turn it is cannot be told.
    found->second->turn = nullptr;
    found->second = at.entries.begin();
    at.entries.front().turn = nullptr;
  }
  while (!at.entries.empty() && (at.bytes > most || at.entries.back().until <= now)) {
    drop(at, std::prev(at.entries.end()));
  }
}

std::shared_ptr<const KeptTurn> TurnMemory::find(std::string_view tenant, std::string_view key, Time now) {
  Shard& at = shard(tenant);
  const std::scoped_lock lock(at.lock);
  const auto found = at.by_key.find(full_key(tenant, key));
  if (found == at.by_key.end() || found->second->until <= now) return nullptr;
  return found->second->turn;
}

std::size_t TurnMemory::bytes() const {
  std::size_t out = 0;
  for (const Shard& one : shards_) {
    const std::scoped_lock lock(one.lock);
    out += one.bytes;
  }
  return out;
}

}  // namespace sluice
