// SPDX-License-Identifier: MIT
#include "policy/retry.h"

#include <algorithm>

namespace sluice {
namespace {

void save(std::atomic<std::int64_t>& saved, std::int64_t much, std::int64_t most) {
  // A full purse is the usual case, and reading it costs no line of another core.
  std::int64_t seen = saved.load(std::memory_order_relaxed);
  while (seen < most && !saved.compare_exchange_weak(seen, std::min(seen + much, most), std::memory_order_relaxed)) {
  }
}

bool spend(std::atomic<std::int64_t>& saved, std::int64_t much) {
  std::int64_t seen = saved.load(std::memory_order_relaxed);
  while (seen >= much) {
    if (saved.compare_exchange_weak(seen, seen - much, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace

std::optional<std::chrono::milliseconds> retry_wait(int number, std::int64_t now_ms, std::int64_t deadline_ms,
                                                    std::optional<std::chrono::milliseconds> retry_after,
                                                    const Backoff& backoff, Dice& dice) {
  const std::int64_t least = std::max<std::int64_t>(retry_after.value_or(std::chrono::milliseconds(0)).count(), 0);
  if (deadline_ms <= now_ms || least >= deadline_ms - now_ms) return std::nullopt;
  const double doubled =
      static_cast<double>(backoff.first.count()) * static_cast<double>(1LL << std::clamp(number, 0, 30));
  const double most =
      std::min({doubled, static_cast<double>(backoff.most.count()), static_cast<double>(deadline_ms - now_ms - 1)});
  const auto drawn = static_cast<std::int64_t>(dice.unit() * (most + 1));
  return std::chrono::milliseconds(std::max(least, drawn));
}

Counted RetryBudget::enter() {
  Counted one_more(requests_);
  // Many that come at once may fail at once: what they bring along is not cut off.
  save(saved_, per_request, std::max(most_saved, per_request * requests_.load(std::memory_order_relaxed)));
  return one_more;
}

bool RetryBudget::take_reserve(std::int64_t now_ms) {
  std::int64_t seen = reserve_full_at_ms_.load(std::memory_order_relaxed);
  std::int64_t next = 0;
  do {
    next = std::max(seen, now_ms) + reserve_ms;
    if (next - now_ms > at_once * reserve_ms) return false;
  } while (!reserve_full_at_ms_.compare_exchange_weak(seen, next, std::memory_order_relaxed));
  return true;
}

std::optional<Counted> RetryBudget::retry(std::int64_t now_ms, bool refused) {
  if (refused) return Counted();
  const std::int64_t most = std::max(at_once, requests_.load(std::memory_order_relaxed) / 5);
  std::int64_t seen = retries_.load(std::memory_order_relaxed);
  do {
    if (seen >= most) return std::nullopt;
  } while (!retries_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
  Counted out;
  out.count_ = &retries_;
  if (!spend(saved_, one) && !take_reserve(now_ms)) return std::nullopt;
  return out;
}

void HedgeBudget::request() {
  save(saved_, per_request, most_saved);
}

bool HedgeBudget::hedge() {
  return spend(saved_, one);
}

}  // namespace sluice
