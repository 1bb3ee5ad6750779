// Days, weeks and months as people in a time zone have them, by the machine's tz database. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

// Whether the database has a zone of that name ("Asia/Shanghai"). The empty name is UTC.
[[nodiscard]] bool is_time_zone(std::string_view name);

enum class CalendarUnit : std::uint8_t { day, week, month };  // a week begins on Monday

// Unix milliseconds; the end is the beginning of the next.
struct CalendarPeriod {
  std::int64_t begins_ms = 0;
  std::int64_t ends_ms = 0;
  bool operator==(const CalendarPeriod&) const = default;
};

// The one that `unix_ms` is in. A midnight that a change of the clocks leaves out is the moment of that change; one
// that comes twice is the first. A zone that the database does not have counts as UTC.
[[nodiscard]] CalendarPeriod calendar_period(CalendarUnit unit, std::int64_t unix_ms, std::string_view zone);

}  // namespace sluice
