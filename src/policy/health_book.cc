// SPDX-License-Identifier: MIT
#include "policy/health_book.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <tuple>

namespace sluice {
namespace {

// Eight bytes at a time: every request hashes a few names.
std::uint64_t hash(std::uint64_t seed, std::string_view text) {
  std::uint64_t out = seed ^ text.size();
  std::uint64_t word = 0;
  for (; text.size() > sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    out = Dice::mix(out ^ word);
  }
  word = 0;
  std::memcpy(&word, text.data(), text.size());
  return Dice::mix(out ^ word);
}

}  // namespace

void HealthBook::sweep(Shard& shard, std::int64_t now_ms) {
  for (auto& [hash, entries] : shard.entries) {
    shard.size -= std::erase_if(
        entries, [now_ms](const Entry& entry) { return entry.health.use_count() == 1 && entry.health->idle(now_ms); });
  }
  std::erase_if(shard.entries, [](const auto& same) { return same.second.empty(); });
}

std::shared_ptr<AccountKey> HealthBook::key(std::string_view account) {
  const std::scoped_lock lock(keys_lock_);
  if (const auto found = keys_.find(account); found != keys_.end()) return found->second;
  if (keys_.size() >= sweep_keys_at_) {
    std::erase_if(keys_, [](const auto& key) { return key.second.use_count() == 1; });
    sweep_keys_at_ = std::max<std::size_t>(64, keys_.size() * 2);
  }
  return keys_.emplace(std::string(account), std::make_shared<AccountKey>()).first->second;
}

std::shared_ptr<Health> HealthBook::of(std::string_view account, std::string_view model, std::int64_t now_ms) {
  const std::uint64_t name = hash(hash(0, account), model);
  Shard& shard = shards_[name % shard_count];
  const std::scoped_lock lock(shard.lock);
  if (const auto same = shard.entries.find(name); same != shard.entries.end()) {
    for (const Entry& entry : same->second) {
      if (entry.account == account && entry.model == model) return entry.health;
    }
  }
  auto made = Health::make(key(account));
  // A full shard is searched at most once a second, so that a flood of names costs little.
  if (shard.size >= most_per_shard_ && now_ms - shard.full_since_ms >= 1000) {
    sweep(shard, now_ms);
    if (shard.size >= most_per_shard_) shard.full_since_ms = now_ms;
  }
  if (shard.size >= most_per_shard_) return made;
  ++shard.size;
  shard.entries[name].push_back({std::string(account), std::string(model), made});
  return made;
}

std::vector<std::shared_ptr<Health>> HealthBook::all(std::string_view account) const {
  std::vector<std::shared_ptr<Health>> out;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.lock);
    for (const auto& [hash, entries] : shard.entries) {
      for (const Entry& entry : entries) {
        if (entry.account == account) out.push_back(entry.health);
      }
    }
  }
  return out;
}

bool HealthBook::rests(std::string_view account) const {
  return std::ranges::any_of(all(account), [](const auto& one) { return one->rests(); });
}

void HealthBook::probed(std::string_view account, bool alive, std::int64_t now_ms, std::int64_t hold_ms,
                        const HealthSettings& settings, Dice& dice) {
  for (const auto& one : all(account)) one->probed(alive, now_ms, hold_ms, settings, dice);
}

std::vector<HealthBook::Row> HealthBook::rows(std::int64_t now_ms) const {
  std::vector<Row> out;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.lock);
    for (const auto& [hash, entries] : shard.entries) {
      for (const Entry& entry : entries) out.push_back({entry.account, entry.model, entry.health->view(now_ms)});
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
