// Whether the vendor still takes an account's key at all. A key that one model refuses may well serve others, so a
// refusal closes that model only (health.h); when a second model refuses it and nothing worked in between, it is the
// key, and the account is closed for every model. SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "policy/dice.h"
#include "policy/lock.h"
#include "policy/pause.h"

namespace sluice {

// Safe to call from any thread; without doubt about the key a question is one load.
class AccountKey {
 public:
  struct Leave {
    bool granted = true;
    bool probe = false;            // it is the one call that tries the key again
    bool probing = false;          // refused because that call is out
    std::int64_t ready_at_ms = 0;  // of a refusal
  };

  // May a call start? Takes the probe if there is one to take: give_back(), worked() or denied() must follow.
  [[nodiscard]] Leave ask(std::int64_t now_ms) { return doubted() ? ask_doubted(now_ms) : Leave{}; }
  // The same without taking anything.
  [[nodiscard]] Leave look(std::int64_t now_ms) const { return doubted() ? look_doubted(now_ms) : Leave{}; }

  // `probe` says whether the call was one.
  void worked(bool probe, std::int64_t began_ms) {
    if (doubted()) worked_doubted(probe, began_ms);
  }
  void denied(const void* model, bool probe, std::int64_t began_ms, std::int64_t now_ms,
              std::chrono::milliseconds first, std::chrono::milliseconds most, Dice& dice);
  void give_back();

 private:
  [[nodiscard]] bool doubted() const { return doubted_.load(std::memory_order_relaxed); }
  [[nodiscard]] Leave ask_doubted(std::int64_t now_ms);
  [[nodiscard]] Leave look_doubted(std::int64_t now_ms) const;
  void worked_doubted(bool probe, std::int64_t began_ms);
  [[nodiscard]] Leave leave(std::int64_t now_ms) const;

  std::atomic<bool> doubted_ = false;
  mutable Lock lock_;
  const void* denied_by_ = nullptr;  // never followed
  bool probing_ = false;
  Pause shut_;
};

}  // namespace sluice
