// SPDX-License-Identifier: MIT
#include "net/wheel.h"

#include <algorithm>
#include <bit>

namespace sluice::net {

Wheel::~Wheel() {
  for (Alarm::Link& head : heads_) {
    while (head.next) head.next->unlink();
  }
}

void Wheel::set(Alarm& alarm, std::int64_t at_ms) {
  alarm.at_ = at_ms;
  if (at_ms == never) return;  // stays linked: unset alarms fall out when their slot passes
  if (alarm.before_ && alarm.looked_at_ <= at_ms) return;
  alarm.unlink();
  link(alarm);
}

void Wheel::link(Alarm& alarm) {
  // Rounded up to the end of a tick, so that nothing rings early; at least the tick after this one, at most one turn
  // away.
  const std::int64_t first = (now_ / tick + 1) * tick;
  const std::int64_t wanted = (alarm.at_ + tick - 1) / tick * tick;
  alarm.looked_at_ = std::clamp(wanted, first, first + (slots - 2) * tick);
  const std::size_t index = slot(alarm.looked_at_);
  Alarm::Link& head = heads_[index];
  alarm.before_ = &head;
  alarm.link_.next = head.next;
  if (head.next) head.next->before_ = &alarm.link_;
  head.next = &alarm;
  used_[index / 64] |= std::uint64_t{1} << (index % 64);
}

void Wheel::advance(std::int64_t now_ms) {
  const std::int64_t last = now_ms / tick * tick;
  std::int64_t at = (now_ / tick + 1) * tick;
  if (at > last) {
    now_ = std::max(now_, now_ms);
    return;
  }
  if (last - at >= slots * tick) at = last - (slots - 1) * tick;
  for (; at <= last; at += tick) {
    now_ = at;
    const std::size_t index = slot(at);
    if ((used_[index / 64] >> (index % 64) & 1) == 0) continue;
    used_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
    // Taken off as a whole: whatever a ring links anew must not be met in this pass.
    Alarm::Link batch{heads_[index].next};
    heads_[index].next = nullptr;
    if (batch.next) batch.next->before_ = &batch;
    while (Alarm* alarm = batch.next) {
      alarm->unlink();
      if (alarm->at_ == never) continue;
      if (alarm->at_ > now_ms) {
        link(*alarm);
        continue;
      }
      alarm->at_ = never;
      alarm->ring();
    }
  }
  now_ = std::max(now_, now_ms);
}

std::int64_t Wheel::next() const {
  const auto start = static_cast<std::size_t>((now_ / tick + 1) % slots);
  for (std::size_t step = 0; step < slots;) {
    const std::size_t index = (start + step) % slots;
    const std::uint64_t word = used_[index / 64] >> (index % 64);
    if (word == 0) {
      step += 64 - index % 64;
      continue;
    }
    step += static_cast<std::size_t>(std::countr_zero(word));
    if (step >= slots) break;
    return (now_ / tick + 1 + static_cast<std::int64_t>(step)) * tick;
  }
  return never;
}

}  // namespace sluice::net
