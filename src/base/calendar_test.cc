// SPDX-License-Identifier: MIT
#include "base/calendar.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t noon = 1'798'718'400'000;  // 2026-12-31T12:00:00Z, a Thursday

std::string span(CalendarUnit unit, std::int64_t at, std::string_view zone) {
  const CalendarPeriod period = calendar_period(unit, at, zone);
  const auto second = [](std::int64_t unix_ms) { return rfc3339(unix_ms).substr(0, 19) + 'Z'; };
  return second(period.begins_ms) + " to " + second(period.ends_ms);
}

TEST(Calendar, DaysWeeksAndMonthsBeginWhereTheZoneHasThem) {
  EXPECT_EQ(span(CalendarUnit::day, noon, ""), "2026-12-31T00:00:00Z to 2027-01-01T00:00:00Z");
  EXPECT_EQ(span(CalendarUnit::week, noon, "UTC"), "2026-12-28T00:00:00Z to 2027-01-04T00:00:00Z");
  EXPECT_EQ(span(CalendarUnit::month, noon, ""), "2026-12-01T00:00:00Z to 2027-01-01T00:00:00Z");
  // In Shanghai it is 2027 eight hours earlier.
  EXPECT_EQ(span(CalendarUnit::month, noon + 4 * hour, "Asia/Shanghai"),
            "2026-12-31T16:00:00Z to 2027-01-31T16:00:00Z");
  EXPECT_EQ(span(CalendarUnit::month, noon + 4 * hour - 1, "Asia/Shanghai"),
            "2026-11-30T16:00:00Z to 2026-12-31T16:00:00Z");
  EXPECT_EQ(span(CalendarUnit::week, noon + 3 * day, "Asia/Kolkata"), "2026-12-27T18:30:00Z to 2027-01-03T18:30:00Z");
}

TEST(Calendar, ADayOnWhichTheClocksChangeIsAsLongAsItIs) {
  const std::int64_t in_march = noon + 87 * day;  // 2027-03-28, Berlin's clocks go forward
  const CalendarPeriod shorter = calendar_period(CalendarUnit::day, in_march, "Europe/Berlin");
  EXPECT_EQ(shorter.ends_ms - shorter.begins_ms, 23 * hour);
  const CalendarPeriod longer = calendar_period(CalendarUnit::day, in_march + 217 * day, "Europe/Berlin");  // 10-31
  EXPECT_EQ(longer.ends_ms - longer.begins_ms, 25 * hour);
}

TEST(Calendar, PeriodsFollowEachOtherWithoutAGapInEveryZone) {
  for (const std::string_view zone : {"UTC", "America/Santiago", "Asia/Beirut", "Africa/Cairo", "Australia/Lord_Howe",
                                      "Pacific/Apia", "America/St_Johns", "Europe/London"}) {
    for (const CalendarUnit unit : {CalendarUnit::day, CalendarUnit::week, CalendarUnit::month}) {
      std::int64_t at = noon - 3 * 365 * day;
      for (int i = 0; i < 400; ++i) {
        const CalendarPeriod now = calendar_period(unit, at, zone);
        ASSERT_LE(now.begins_ms, at) << zone;
        ASSERT_GT(now.ends_ms, at) << zone;
        EXPECT_EQ(calendar_period(unit, now.begins_ms, zone), now) << zone;
        EXPECT_EQ(calendar_period(unit, now.ends_ms - 1, zone), now) << zone;
        EXPECT_EQ(calendar_period(unit, now.ends_ms, zone).begins_ms, now.ends_ms) << zone;
        at = now.ends_ms;
      }
    }
  }
}

TEST(Calendar, AZoneIsANameOfTheDatabaseAndNoPath) {
  for (const std::string_view good : {"", "UTC", "Asia/Shanghai", "America/Argentina/Buenos_Aires", "Etc/GMT+5"})
    EXPECT_TRUE(is_time_zone(good)) << good;
  for (const std::string_view bad : {"Asia/Shanghia", "/etc/localtime", "../../../etc/localtime", "Asia/../UTC",
                                     "localtime", "Fixed/UTC+01:00:00", "+8", " "})
    EXPECT_FALSE(is_time_zone(bad)) << bad;
}

}  // namespace
}  // namespace sluice
