// SPDX-License-Identifier: MIT
#include "upstream/issuers.h"

namespace sluice {

void Issuers::learn(std::string_view id, std::string_view backend, std::string_view tenant) {
  if (id.empty() || id.size() > 256 || most_ == 0) return;
  const std::scoped_lock lock(mutex_);
  if (const auto known = by_id_.find(id); known != by_id_.end()) {
    Issue& issue = known->second->issue;
    issue.backend = backend;
    if (!tenant.empty()) issue.tenant = tenant;
    entries_.splice(entries_.begin(), entries_, known->second);
    return;
  }
  if (entries_.size() >= most_) {
    by_id_.erase(entries_.back().id);
    entries_.pop_back();
  }
  entries_.push_front({std::string(id), {std::string(backend), std::string(tenant)}});
  by_id_.emplace(entries_.front().id, entries_.begin());
}

std::optional<Issuers::Issue> Issuers::find(std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, known->second);
  return known->second->issue;
}

std::size_t Issuers::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace sluice
