// SPDX-License-Identifier: MIT
#include "policy/health_book.h"

#include <algorithm>
#include <tuple>

namespace sluice {

void HealthBook::sweep(Shard& shard, std::int64_t now_ms) {
  for (auto& [account, known] : shard.accounts) {
    shard.size -= std::erase_if(known.models, [now_ms](const auto& model) {
      return model.second.use_count() == 1 && model.second->idle(now_ms);
    });
  }
  std::erase_if(shard.accounts, [](const auto& account) { return account.second.models.empty(); });
}

std::shared_ptr<Health> HealthBook::of(std::string_view account, std::string_view model, std::int64_t now_ms) {
  Shard& shard = shards_[Hash{}(account) % shard_count];
  const std::scoped_lock lock(shard.lock);
  auto at = shard.accounts.find(account);
  if (at != shard.accounts.end()) {
    if (const auto found = at->second.models.find(model); found != at->second.models.end()) return found->second;
  }
  if (shard.size >= most_per_shard_) {
    // A full shard is searched at most once a second, so that a flood of names costs little.
    if (now_ms - shard.full_since_ms >= 1000) {
      sweep(shard, now_ms);
      at = shard.accounts.find(account);
    }
    if (shard.size >= most_per_shard_) {
      if (now_ms - shard.full_since_ms >= 1000) shard.full_since_ms = now_ms;
      return Health::make(at != shard.accounts.end() ? at->second.key : nullptr);
    }
  }
  if (at == shard.accounts.end()) at = shard.accounts.try_emplace(std::string(account)).first;
  ++shard.size;
  return at->second.models.emplace(std::string(model), Health::make(at->second.key)).first->second;
}

std::vector<HealthBook::Row> HealthBook::rows(std::int64_t now_ms) const {
  std::vector<Row> out;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.lock);
    for (const auto& [account, known] : shard.accounts) {
      for (const auto& [model, health] : known.models) out.push_back({account, model, health->view(now_ms)});
    }
  }
  std::ranges::sort(out, {}, [](const Row& row) { return std::tie(row.account, row.model); });
  return out;
}

std::size_t HealthBook::size() const {
  std::size_t out = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.lock);
    out += shard.size;
  }
  return out;
}

}  // namespace sluice
