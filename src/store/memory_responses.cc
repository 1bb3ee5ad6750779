// SPDX-License-Identifier: MIT
#include "store/memory_responses.h"

#include <algorithm>
#include <utility>

#include "store/weight.h"

namespace sluice {

void MemoryResponses::keep(HeldResponse response, Done done) {
  bool kept = false;
  {
    const std::scoped_lock lock(mutex_);
    kept = keep(std::move(response));
  }
  done(kept);
}

void MemoryResponses::find(std::string tenant, std::string id, Reach reach, Found found) {
  Finding finding;
  {
    const std::scoped_lock lock(mutex_);
    finding = find(tenant, id, reach);
  }
  found(std::move(finding));
}

void MemoryResponses::forget(std::string tenant, std::string id, Done done) {
  bool known = false;
  {
    const std::scoped_lock lock(mutex_);
    known = forget(tenant, id);
  }
  done(known);
}

void MemoryResponses::bound(const Bounds& bounds) {
  const std::scoped_lock lock(mutex_);
  bounds_ = bounds;
  fit();
}

bool MemoryResponses::stale(const Conversation& conversation) const {
  return conversation.used_ms + bounds_.age.count() <= clock_();
}

bool MemoryResponses::keep(HeldResponse&& response) {
  if (bounds_.bytes == 0 || bounds_.count == 0) return false;
  if (const auto known = responses_.find(response.id); known != responses_.end()) {
    if (known->second.response.tenant != response.tenant) return false;
    if (stale(*known->second.conversation)) {
      drop(known->second.conversation);
    } else {
      forget(response.tenant, response.id);
    }
  }
  auto conversation = conversations_.end();
  const auto before = response.previous.empty() ? responses_.end() : responses_.find(response.previous);
  if (before != responses_.end() && before->second.response.tenant == response.tenant) {
    conversation = before->second.conversation;
    conversations_.splice(conversations_.begin(), conversations_, conversation);
  } else {
    conversation = conversations_.emplace(conversations_.begin());
  }
  conversation->used_ms = clock_();
  bytes_ += weight(response);
  std::string id = response.id;
  const auto at = responses_.emplace(std::move(id), Held{std::move(response), conversation}).first;
  conversation->responses.push_back(&at->first);
  fit();
  return !conversations_.empty();  // this one stands in front, and goes last
}

ResponseStore::Finding MemoryResponses::find(const std::string& tenant, const std::string& id, Reach reach) {
  auto at = responses_.find(id);
  if (at == responses_.end() || stale(*at->second.conversation)) return {};
  if (at->second.response.tenant != tenant) return {.whose = Whose::anothers};
  Finding out{.whose = Whose::own};
  for (;;) {
    const HeldResponse& one = at->second.response;
    out.responses.push_back(one);
    if (reach == Reach::one || one.previous.empty()) break;
    at = responses_.find(one.previous);
    if (at == responses_.end() || at->second.response.tenant != tenant) return {};
  }
  std::ranges::reverse(out.responses);
  return out;
}

bool MemoryResponses::forget(const std::string& tenant, const std::string& id) {
  const auto at = responses_.find(id);
  if (at == responses_.end() || at->second.response.tenant != tenant || stale(*at->second.conversation)) return false;
  const auto conversation = at->second.conversation;
  std::erase(conversation->responses, &at->first);
  if (conversation->responses.empty()) conversations_.erase(conversation);
  bytes_ -= weight(at->second.response);
  responses_.erase(at);
  return true;
}

void MemoryResponses::drop(Conversations::iterator conversation) {
  for (const std::string* id : conversation->responses) {
    const auto at = responses_.find(*id);
    bytes_ -= weight(at->second.response);
    responses_.erase(at);
  }
  conversations_.erase(conversation);
}

void MemoryResponses::fit() {
  while (!conversations_.empty() && (bytes_ > bounds_.bytes || std::cmp_greater(responses_.size(), bounds_.count) ||
                                     stale(conversations_.back()))) {
    drop(std::prev(conversations_.end()));
  }
}

}  // namespace sluice
