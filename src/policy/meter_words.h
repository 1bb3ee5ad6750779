// Why a key or a group does not allow a request, and how that is told. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/allowance.h"

namespace sluice {

struct BudgetAlert;

struct MeterRefusal {
  enum class Why : std::uint8_t {
    running,    // as many run as may
    rate,       // later
    reserved,   // what is left of the budget is set aside for others
    too_large,  // it never fits
    spent,      // the budget is
    stopped,    // the same, while an answer was under way
    no_price,
  };
  Why why = Why::rate;
  std::string_view node;  // its name
  std::int64_t most = 0;
  std::int64_t wanted = 0;   // where it is too large
  std::int64_t wait_ns = 0;  // where waiting helps
  RateLimit rate;            // of a rate
  Budget budget;             // of a budget
  std::int64_t ends_ms = 0;  // its window

  // The last to be cured is the one to tell of.
  [[nodiscard]] bool operator<(const MeterRefusal& other) const {
    const bool waits = why < Why::too_large, other_waits = other.why < Why::too_large;
    if (waits && other_waits) return wait_ns < other.wait_ns;
    return why < other.why;
  }
};

// The code of an error about a spent budget: all vendors' clients know it, and know that waiting is no use.
inline constexpr std::string_view budget_spent = "insufficient_quota";

[[nodiscard]] Error words(const MeterRefusal& refusal);
// "80 % of the budget of "team" ($12.5 a month) are spent: $10.02. A new month begins at …"
[[nodiscard]] std::string words(const BudgetAlert& alert);

}  // namespace sluice
