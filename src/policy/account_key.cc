// SPDX-License-Identifier: MIT
#include "policy/account_key.h"

#include <mutex>

#include "policy/health.h"

namespace sluice {

AccountKey::Leave AccountKey::leave(std::int64_t now_ms) const {
  if (shut_.step == 0) return {};
  if (now_ms < shut_.until_ms) return {.granted = false, .ready_at_ms = shut_.until_ms};
  if (probing_) return {.granted = false, .probing = true, .ready_at_ms = now_ms + probe_patience_ms};
  return {.probe = true};
}

AccountKey::Leave AccountKey::ask_doubted(std::int64_t now_ms) {
  const std::scoped_lock lock(lock_);
  const Leave out = leave(now_ms);
  if (out.probe) probing_ = true;
  return out;
}

AccountKey::Leave AccountKey::look_doubted(std::int64_t now_ms) const {
  const std::scoped_lock lock(lock_);
  return leave(now_ms);
}

void AccountKey::worked_doubted(bool probe, std::int64_t began_ms) {
  const std::scoped_lock lock(lock_);
  if (probe) probing_ = false;
  if (!shut_.is_news(began_ms)) return;
  denied_by_ = nullptr;
  shut_.step = 0;
  doubted_.store(false, std::memory_order_relaxed);
}

void AccountKey::denied(const void* model, bool probe, std::int64_t began_ms, std::int64_t now_ms,
                        std::chrono::milliseconds first, std::chrono::milliseconds most, Dice& dice) {
  const std::scoped_lock lock(lock_);
  if (probe) probing_ = false;
  doubted_.store(true, std::memory_order_relaxed);
  if (!shut_.is_news(began_ms)) {
    shut_.hold(now_ms + first.count());
    return;
  }
  const bool second = denied_by_ != nullptr && denied_by_ != model;
  if (!probe && !second) {
    denied_by_ = model;
    return;
  }
  shut_.grow(now_ms, first, most, dice.between(1, 1.2));
}

void AccountKey::give_back() {
  const std::scoped_lock lock(lock_);
  probing_ = false;
}

}  // namespace sluice
