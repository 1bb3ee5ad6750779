// SPDX-License-Identifier: MIT
#include "base/calendar.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>

namespace sluice {
namespace {

// The database is a folder: a name is never a way out of it, nor one of the library's own words ("localtime").
bool is_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  };
  return name.size() <= 64 && name.front() != '/' && std::ranges::all_of(name, plain) && name != "localtime" &&
         !name.starts_with("Fixed/");
}

bool find(std::string_view name, absl::TimeZone& zone) {
  zone = absl::UTCTimeZone();
  return name.empty() || (is_name(name) && absl::LoadTimeZone(std::string(name), &zone));
}

absl::CivilDay first_day(CalendarUnit unit, absl::CivilDay day) {
  switch (unit) {
    case CalendarUnit::day: return day;
    case CalendarUnit::week: return absl::NextWeekday(day - 7, absl::Weekday::monday);
    case CalendarUnit::month: return absl::CivilDay(absl::CivilMonth(day));
  }
  return day;
}

absl::CivilDay next_first_day(CalendarUnit unit, absl::CivilDay first) {
  switch (unit) {
    case CalendarUnit::day: return first + 1;
    case CalendarUnit::week: return first + 7;
    case CalendarUnit::month: return absl::CivilDay(absl::CivilMonth(first) + 1);
  }
  return first;
}

}  // namespace

bool is_time_zone(std::string_view name) {
  absl::TimeZone zone;
  return find(name, zone);
}

CalendarPeriod calendar_period(CalendarUnit unit, std::int64_t unix_ms, std::string_view zone_name) {
  absl::TimeZone zone;
  find(zone_name, zone);
  const absl::CivilDay today = absl::ToCivilDay(absl::FromUnixMillis(unix_ms), zone);
  const absl::CivilDay first = first_day(unit, today);
  return {.begins_ms = absl::ToUnixMillis(absl::FromCivil(first, zone)),
          .ends_ms = absl::ToUnixMillis(absl::FromCivil(next_first_day(unit, first), zone))};
}

}  // namespace sluice
