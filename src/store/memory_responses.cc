// SPDX-License-Identifier: MIT
#include "store/memory_responses.h"

#include <algorithm>
#include <utility>

#include "store/weight.h"

namespace sluice {

MemoryResponses::Held::Held(const HeldView& from) : unix_ms_(from.unix_ms) {
  const std::array<std::string_view, 6> parts = {from.id,      from.tenant, from.previous,
                                                 from.backend, from.object, from.input};
  std::size_t size = 0;
  for (const std::string_view one : parts) size += one.size();
  text_.reserve(size);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text_ += parts[i];
    ends_[i] = static_cast<std::uint32_t>(text_.size());
  }
}

std::string_view MemoryResponses::Held::part(std::size_t number) const {
  const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view(text_).substr(begin, ends_[number] - begin);
}

HeldView MemoryResponses::Held::view() const {
  return {.id = part(0),
          .tenant = part(1),
          .previous = part(2),
          .backend = part(3),
          .object = part(4),
          .input = part(5),
          .unix_ms = unix_ms_};
}

std::int64_t MemoryResponses::Held::weight() const {
  return sluice::weight(part(4).size() + part(5).size());
}

void MemoryResponses::keep(const HeldView& response, Done done) {
  Held packed(response);  // before anybody has to wait for it
  bool kept = false;
  {
    const std::scoped_lock lock(mutex_);
    kept = keep(std::move(packed), response);
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

bool MemoryResponses::keep(Held packed, const HeldView& response) {
  if (bounds_.bytes == 0 || bounds_.count == 0) return false;
  auto [at, fresh] = responses_.insert(std::move(packed));
  if (!fresh) {
    if (at->tenant() != response.tenant) return false;
    if (stale(*at->conversation)) {
      drop(at->conversation);
    } else {
      erase(*at);
    }
    at = responses_.insert(Held(response)).first;
  }
  const auto before = response.previous.empty() ? responses_.end() : responses_.find(response.previous);
  const bool goes_on = before != responses_.end() && before != at && before->tenant() == response.tenant;
  if (goes_on) {
    at->conversation = before->conversation;
    conversations_.splice(conversations_.begin(), conversations_, at->conversation);
  } else {
    at->conversation = conversations_.emplace(conversations_.begin());
  }
  at->conversation->used_ms = clock_();
  at->older = std::exchange(at->conversation->newest, &*at);
  bytes_ += at->weight();
  fit();
  return !conversations_.empty();  // this one stands in front, and goes last
}

ResponseStore::Finding MemoryResponses::find(std::string_view tenant, std::string_view id, Reach reach) const {
  auto at = responses_.find(id);
  if (at == responses_.end() || stale(*at->conversation)) return {};
  if (at->tenant() != tenant) return {.whose = Whose::anothers};
  Finding out{.whose = Whose::own};
  for (;;) {
    out.responses.push_back(copy_of(at->view()));
    if (reach == Reach::one || at->previous().empty()) break;
    at = responses_.find(at->previous());
    if (at == responses_.end() || at->tenant() != tenant) return {};
  }
  std::ranges::reverse(out.responses);
  return out;
}

bool MemoryResponses::forget(std::string_view tenant, std::string_view id) {
  const auto at = responses_.find(id);
  if (at == responses_.end() || at->tenant() != tenant || stale(*at->conversation)) return false;
  erase(*at);
  return true;
}

void MemoryResponses::erase(const Held& held) {
  const auto conversation = held.conversation;
  const Held** link = &conversation->newest;
  while (*link != &held) link = &(*link)->older;
  *link = held.older;
  if (!conversation->newest) conversations_.erase(conversation);
  bytes_ -= held.weight();
  responses_.erase(responses_.find(held));
}

void MemoryResponses::drop(Conversations::iterator conversation) {
  for (const Held* held = conversation->newest; held;) {
    const Held& one = *std::exchange(held, held->older);
    bytes_ -= one.weight();
    responses_.erase(responses_.find(one));
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
