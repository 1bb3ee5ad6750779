// SPDX-License-Identifier: MIT
#include "policy/mirrors.h"

namespace sluice {

Mirrors::Copy Mirrors::begin(std::string_view mirror, std::int64_t most) {
  const std::scoped_lock lock(lock_);
  auto at = by_mirror_.find(mirror);
  if (at != by_mirror_.end() && at->second >= most) return {};
  if (at == by_mirror_.end()) at = by_mirror_.emplace(std::string(mirror), 0).first;
  ++at->second;
  running_.fetch_add(1, std::memory_order_relaxed);
  return {this, mirror};
}

void Mirrors::ended(std::string_view mirror) {
  const std::scoped_lock lock(lock_);
  running_.fetch_sub(1, std::memory_order_relaxed);
  const auto at = by_mirror_.find(mirror);
  if (--at->second == 0) by_mirror_.erase(at);
}

}  // namespace sluice
