// SPDX-License-Identifier: MIT
#include "policy/meter_words.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "base/money.h"
#include "base/text.h"
#include "policy/budget_period.h"
#include "policy/meters.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 3> windows = {"minute", "hour", "day"};

std::string_view window(const RateLimit& rate) {
  return windows.at(static_cast<std::size_t>(rate.per));
}
std::string_view things(const RateLimit& rate) {
  return rate.of == RateLimit::Of::requests ? "requests" : "tokens";
}
std::string sum(const Budget& budget) {
  const std::string dollars = write_decimal(budget.nano_dollars, 9);
  return budget.per == Budget::Per::total ? fmt::format("${} in all", dollars)
                                          : fmt::format("${} a {}", dollars, name(budget.per));
}
// When there is money again.
std::string next(const Budget& budget, std::int64_t ends_ms) {
  return fmt::format("A new {} begins at {}Z.", name(budget.per), rfc3339(ends_ms).substr(0, 19));
}
std::string anew(const MeterRefusal& refusal) {
  if (refusal.budget.per == Budget::Per::total) return "Ask the administrator of this gateway for more.";
  return next(refusal.budget, refusal.ends_ms);
}

Error later(const MeterRefusal& refusal, std::string message) {
  return {.fault = Fault::rate_limited,
          .message = std::move(message),
          .code = "rate_limit_exceeded",
          .retry_after = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(refusal.wait_ns))};
}

}  // namespace

std::string words(const BudgetAlert& alert) {
  std::string out = fmt::format("{} % of the budget of \"{}\" ({}) are spent: ${}.", alert.percent, alert.name,
                                sum(alert.budget), write_decimal(alert.spent, 9));
  if (alert.budget.per != Budget::Per::total) out += ' ' + next(alert.budget, alert.ends_ms);
  return out;
}

Error words(const MeterRefusal& r) {
  switch (r.why) {
    case MeterRefusal::Why::running:
      return later(r, fmt::format("Rate limit reached: at most {} requests at once for \"{}\". Wait for one of them to "
                                  "end, then try again.",
                                  r.most, r.node));
    case MeterRefusal::Why::rate:
      return later(r, fmt::format("Rate limit reached: {} {} per {} for \"{}\". Try again in {:.3f} s.", r.most,
                                  things(r.rate), window(r.rate), r.node, static_cast<double>(r.wait_ns) / 1e9));
    case MeterRefusal::Why::reserved:
      return later(r, fmt::format("What is left of the budget of \"{}\" ({}) is set aside for requests under way. Try "
                                  "again when one of them has ended.",
                                  r.node, sum(r.budget)));
    case MeterRefusal::Why::too_large:
      return {.fault = Fault::rate_limited,
              .message = fmt::format("This request of about {} tokens is larger than the {} tokens that \"{}\" may use "
                                     "per {}. Make it shorter.",
                                     r.wanted, r.most, r.node, window(r.rate)),
              .code = "rate_limit_exceeded"};
    case MeterRefusal::Why::spent:
      return {.fault = Fault::rate_limited,
              .message = fmt::format("What is left of the budget of \"{}\" ({}) is not enough for this request. {}",
                                     r.node, sum(r.budget), anew(r)),
              .code = std::string(budget_spent)};
    case MeterRefusal::Why::stopped:
      return {.fault = Fault::rate_limited,
              .message = fmt::format("The answer was ended because the budget of \"{}\" ({}) is spent. {}", r.node,
                                     sum(r.budget), anew(r)),
              .code = std::string(budget_spent)};
    case MeterRefusal::Why::no_price:
      return {
          .fault = Fault::forbidden,
          .message = fmt::format("Nobody knows what this model costs, and \"{}\" has a budget that admits only what "
                                 "has a price.",
                                 r.node),
          .code = "price_unknown"};
  }
  return {};
}

}  // namespace sluice
