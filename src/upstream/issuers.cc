// SPDX-License-Identifier: MIT
#include "upstream/issuers.h"

namespace sluice {

void Issuers::learn(std::string_view id, std::string_view backend) {
  if (id.empty() || id.size() > 256 || most_ == 0) return;
  const std::scoped_lock lock(mutex_);
  if (const auto known = by_id_.find(id); known != by_id_.end()) {
    known->second->second = backend;
    entries_.splice(entries_.begin(), entries_, known->second);
    return;
  }
  if (entries_.size() >= most_) {
    by_id_.erase(entries_.back().first);
    entries_.pop_back();
  }
  entries_.emplace_front(id, backend);
  by_id_.emplace(entries_.front().first, entries_.begin());
}

std::string Issuers::backend_of(std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return {};
  entries_.splice(entries_.begin(), entries_, known->second);
  return known->second->second;
}

std::size_t Issuers::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace sluice
