// SPDX-License-Identifier: MIT
#include "dialects/limit_spelling.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr std::int64_t now = 1'796'000'000'000;  // 2026-11-30T00:53:20Z

TEST(LimitSpelling, NamesComeBackFromEachSpelling) {
  for (const LimitSpelling* spelling : {&openai_limits, &anthropic_limits}) {
    for (const LimitOf of : {LimitOf::requests, LimitOf::tokens}) {
      for (const LimitPart part : {LimitPart::limit, LimitPart::remaining, LimitPart::reset}) {
        const std::string name = LimitName{of, part}.in(*spelling);
        EXPECT_EQ(spelling_of(name), spelling) << name;
        const auto read = read_limit_name(name, *spelling);
        ASSERT_TRUE(read) << name;
        EXPECT_EQ(read->of, of);
        EXPECT_EQ(read->part, part);
      }
    }
  }
  EXPECT_EQ((LimitName{LimitOf::tokens, LimitPart::reset}.in(openai_limits)), "x-ratelimit-reset-tokens");
  EXPECT_EQ((LimitName{LimitOf::tokens, LimitPart::reset}.in(anthropic_limits)), "anthropic-ratelimit-tokens-reset");
  EXPECT_TRUE(read_limit_name("X-RateLimit-Limit-Requests", openai_limits));
}

TEST(LimitSpelling, WhatOnlyItsVendorKnowsHasNoName) {
  for (const std::string_view name :
       {"anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-unified-status", "x-ratelimit-limit"}) {
    ASSERT_NE(spelling_of(name), nullptr) << name;
    EXPECT_FALSE(read_limit_name(name, *spelling_of(name))) << name;
  }
  EXPECT_EQ(spelling_of("x-request-id"), nullptr);
  EXPECT_EQ(spelling_of("x-ratelimit-"), nullptr);
}

TEST(LimitSpelling, DurationsBecomeTimes) {
  const auto time = [](std::string_view text) {
    return retell_limit(text, LimitPart::reset, openai_limits, anthropic_limits, now).value_or("none");
  };
  EXPECT_EQ(time("0s"), "2026-11-30T00:53:20.000Z");
  EXPECT_EQ(time("120ms"), "2026-11-30T00:53:20.120Z");
  EXPECT_EQ(time("6m0s"), "2026-11-30T00:59:20.000Z");
  EXPECT_EQ(time("2m59.56s"), "2026-11-30T00:56:19.560Z");
  EXPECT_EQ(time("1h0m1s"), "2026-11-30T01:53:21.000Z");
  EXPECT_EQ(time("550µs"), "2026-11-30T00:53:20.000Z");
  EXPECT_EQ(time("12"), "2026-11-30T00:53:32.000Z");
  for (const std::string_view wrong :
       {"", "soon", "-1s", "1x", "s", "1s2", "1796000000", "1e9s", "nan", "inf", "9999999h", "1.2.3s"}) {
    EXPECT_EQ(time(wrong), "none") << wrong;
  }
}

TEST(LimitSpelling, TimesBecomeDurations) {
  const auto duration = [](std::string_view text) {
    return retell_limit(text, LimitPart::reset, anthropic_limits, openai_limits, now).value_or("none");
  };
  EXPECT_EQ(duration("2026-11-30T00:53:21Z"), "1s");
  EXPECT_EQ(duration("2026-11-30T00:59:20Z"), "6m0s");
  EXPECT_EQ(duration("2026-11-30T00:53:20.1204Z"), "120ms");
  EXPECT_EQ(duration("2026-11-30T02:53:21+02:00"), "1s");
  EXPECT_EQ(duration("2026-11-29T22:53:21-02:00"), "1s");
  EXPECT_EQ(duration("2026-11-29T00:00:00Z"), "0s");  // is over
  for (const std::string_view wrong :
       {"", "1s", "2026-11-30", "2026-11-30T00:53:21", "2026-13-30T00:53:21Z", "2026-02-30T00:53:21Z",
        "2026-11-30T24:00:00Z", "2026-11-30T00:53:21.Z", "2026-11-30T00:53:21+0200", "2026-11-30T00:53:21+ab:cd",
        "2o26-11-30T00:53:21Z"}) {
    EXPECT_EQ(duration(wrong), "none") << wrong;
  }
}

TEST(LimitSpelling, NumbersStayAndNothingElsePassesForOne) {
  const auto number = [](std::string_view text) {
    return retell_limit(text, LimitPart::remaining, anthropic_limits, openai_limits, now).value_or("none");
  };
  EXPECT_EQ(number("9999"), "9999");
  EXPECT_EQ(number("0"), "0");
  for (const std::string_view wrong : {"", "-1", "many", "1.5", "1;w=60", "9999999999999999999"})
    EXPECT_EQ(number(wrong), "none") << wrong;
}

}  // namespace
}  // namespace sluice
