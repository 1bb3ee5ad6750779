// SPDX-License-Identifier: MIT
#include "policy/budget_period.h"

#include <algorithm>

#include "base/calendar.h"

namespace sluice {
namespace {

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? INT64_MAX : out;
}

CalendarPeriod window(Budget::Per per, std::string_view zone, std::int64_t now_ms) {
  switch (per) {
    case Budget::Per::day: return calendar_period(CalendarUnit::day, now_ms, zone);
    case Budget::Per::week: return calendar_period(CalendarUnit::week, now_ms, zone);
    case Budget::Per::month: return calendar_period(CalendarUnit::month, now_ms, zone);
    case Budget::Per::total: return {.begins_ms = 0, .ends_ms = INT64_MAX};
  }
  return {};
}

}  // namespace

void BudgetPeriod::roll(Budget::Per per, std::string_view zone, std::int64_t now_ms) {
  if (now_ms < ends_ms) return;
  const CalendarPeriod now = window(per, zone, now_ms);
  begins_ms = now.begins_ms;
  ends_ms = now.ends_ms;
  spent = 0;
  told = 0;
}

std::int64_t BudgetPeriod::held() const {
  return sum(spent, reserved);
}

bool BudgetPeriod::has_room(std::int64_t nano, std::int64_t limit) const {
  return sum(held(), nano) <= limit;
}

void BudgetPeriod::reserve(std::int64_t nano) {
  reserved = sum(reserved, nano);
}

void BudgetPeriod::settle(std::int64_t reserved_nano, std::int64_t nano) {
  reserved = std::max<std::int64_t>(reserved - reserved_nano, 0);
  spent = sum(spent, nano);
}

int BudgetPeriod::share(std::int64_t limit) const {
  __extension__ using Wide = __int128;
  if (limit <= 0) return 100;
  return static_cast<int>(std::min<Wide>(Wide(spent) * 100 / limit, 1'000'000));
}

std::string_view name(Budget::Per per) {
  switch (per) {
    case Budget::Per::day: return "day";
    case Budget::Per::week: return "week";
    case Budget::Per::month: return "month";
    case Budget::Per::total: return "total";
  }
  return "";
}

}  // namespace sluice
