// What is spent and what is set aside in one window of one budget. Not here: whose it is, and who may ask (meters.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "config/allowance.h"

namespace sluice {

// Nano-dollars; times are Unix ms. Sums stop at the largest number there is.
struct BudgetPeriod {
  std::int64_t begins_ms = 0;
  std::int64_t ends_ms = 0;   // 0: it has not begun
  std::int64_t spent = 0;     // in this window
  std::int64_t reserved = 0;  // for what is under way, whichever window it began in
  int told = 0;               // the highest share, in percent, that was told in this window

  [[nodiscard]] bool begun() const { return ends_ms != 0; }
  // Goes on to the window of `now_ms`, with nothing spent in it. Never back: a window that was left is over.
  void roll(Budget::Per per, std::string_view zone, std::int64_t now_ms);
  [[nodiscard]] std::int64_t held() const;  // spent and reserved
  [[nodiscard]] bool has_room(std::int64_t nano, std::int64_t limit) const;
  void reserve(std::int64_t nano);
  void settle(std::int64_t reserved_nano, std::int64_t nano);
  // In whole percent.
  [[nodiscard]] int share(std::int64_t limit) const;
};

[[nodiscard]] std::string_view name(Budget::Per per);

}  // namespace sluice
