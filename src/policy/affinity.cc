// SPDX-License-Identifier: MIT
#include "policy/affinity.h"

#include <algorithm>
#include <iterator>

namespace sluice {

void Affinity::drop(Shard& shard, Tenants::iterator tenant, std::list<Entry>::iterator entry) {
  tenant->by_key.erase(entry->key);
  tenant->entries.erase(entry);
  --shard.size;
  if (!tenant->entries.empty()) return;
  shard.by_name.erase(tenant->name);
  shard.tenants.erase(tenant);
}

void Affinity::keep(std::string_view name, std::uint64_t key, std::string_view account, std::int64_t until_ms) {
  if (most_per_shard_ == 0) return;
  Shard& at = shard(name);
  const std::scoped_lock lock(at.lock);
  const auto known = at.by_name.find(name);
  if (known == at.by_name.end()) {
    at.tenants.emplace_front().name = name;
    at.by_name.emplace(at.tenants.front().name, at.tenants.begin());
  } else {
    at.tenants.splice(at.tenants.begin(), at.tenants, known->second);
  }
  const auto tenant = at.tenants.begin();

  if (const auto found = tenant->by_key.find(key); found != tenant->by_key.end()) {
    found->second->account = account;
    found->second->until_ms = until_ms;
    tenant->entries.splice(tenant->entries.begin(), tenant->entries, found->second);
    return;
  }
  tenant->entries.push_front({key, std::string(account), until_ms});
  tenant->by_key.emplace(key, tenant->entries.begin());
  ++at.size;
  const std::size_t most_of_one = std::max<std::size_t>(most_per_shard_ / 4, 1);
  if (tenant->entries.size() > most_of_one) drop(at, tenant, std::prev(tenant->entries.end()));
  while (at.size > most_per_shard_) {
    const auto oldest = std::prev(at.tenants.end());
    drop(at, oldest, std::prev(oldest->entries.end()));
  }
}

std::string Affinity::find(std::string_view name, std::span<const std::uint64_t> keys, std::int64_t now_ms) {
  Shard& at = shard(name);
  const std::scoped_lock lock(at.lock);
  const auto known = at.by_name.find(name);
  if (known == at.by_name.end()) return {};
  const auto tenant = known->second;
  for (const std::uint64_t key : keys) {
    const auto found = tenant->by_key.find(key);
    if (found == tenant->by_key.end()) continue;
    if (found->second->until_ms <= now_ms) {
      const bool last = tenant->entries.size() == 1;
      drop(at, tenant, found->second);
      if (last) return {};
      continue;
    }
    tenant->entries.splice(tenant->entries.begin(), tenant->entries, found->second);
    at.tenants.splice(at.tenants.begin(), at.tenants, tenant);
    return found->second->account;
  }
  return {};
}

std::size_t Affinity::size() const {
  std::size_t out = 0;
  for (const Shard& one : shards_) {
    const std::scoped_lock lock(one.lock);
    out += one.size;
  }
  return out;
}

}  // namespace sluice
