// SPDX-License-Identifier: MIT
#include "dialects/limits_told.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace sluice {
namespace {

constexpr std::int64_t now = 1'796'000'000'000;  // 2026-11-30T00:53:20Z

LimitsTold told(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  LimitsTold out;
  for (const auto& [field, value] : fields) {
    if (const LimitSpelling* spelling = spelling_of(field)) out.take(field, value, *spelling, now);
  }
  return out;
}

TEST(LimitsTold, AreWhatTheFieldsSayInEitherSpelling) {
  const LimitsTold openai = told({{"X-RateLimit-Limit-Requests", "500"},
                                  {"x-ratelimit-remaining-requests", " 499 "},
                                  {"x-ratelimit-reset-requests", "6m0s"},
                                  {"x-ratelimit-remaining-tokens", "29000"},
                                  {"x-ratelimit-reset-tokens", "12ms"}});
  EXPECT_TRUE(openai.any);
  EXPECT_EQ(openai.kinds[LimitsTold::requests].limit, 500);
  EXPECT_EQ(openai.kinds[LimitsTold::requests].remaining, 499);
  EXPECT_EQ(openai.kinds[LimitsTold::requests].until_reset, std::chrono::minutes(6));
  EXPECT_EQ(openai.kinds[LimitsTold::tokens].limit, std::nullopt);
  EXPECT_EQ(openai.kinds[LimitsTold::tokens].remaining, 29000);
  EXPECT_EQ(openai.kinds[LimitsTold::tokens].until_reset, std::chrono::milliseconds(12));
  const LimitsTold anthropic = told({{"anthropic-ratelimit-output-tokens-limit", "8000"},
                                     {"anthropic-ratelimit-output-tokens-remaining", "0"},
                                     {"anthropic-ratelimit-output-tokens-reset", "2026-11-30T00:53:50Z"},
                                     {"anthropic-ratelimit-tokens-remaining", "7"}});
  EXPECT_EQ(anthropic.kinds[LimitsTold::output_tokens].limit, 8000);
  EXPECT_EQ(anthropic.kinds[LimitsTold::output_tokens].remaining, 0);
  EXPECT_EQ(anthropic.kinds[LimitsTold::output_tokens].until_reset, std::chrono::seconds(30));
  EXPECT_EQ(anthropic.kinds[LimitsTold::tokens].remaining, 7);
}

TEST(LimitsTold, AreNothingWhereNothingIsUnderstood) {
  for (const auto& [field, value] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"x-ratelimit-remaining-requests", "-1"},
           {"x-ratelimit-remaining-requests", "many"},
           {"x-ratelimit-remaining-requests", "1;w=60"},
           {"x-ratelimit-remaining-requests", "9999999999999999999"},
           {"x-ratelimit-remaining", "5"},
           {"x-ratelimit-remaining-", "5"},
           {"x-ratelimit-limit-requests", "5"},  // without what is left it says nothing
           {"x-ratelimit-remaining-requests-day", "5"},
           {"anthropic-ratelimit-priority-input-tokens-remaining", "5"},
           {"anthropic-ratelimit-unified-status", "ok"},
           {"anthropic-ratelimit-tokens", "5"},
           {"x-request-id", "7"}})
    EXPECT_FALSE(told({{field, value}}).any) << field << ": " << value;
  EXPECT_FALSE(told({{"x-ratelimit-reset-tokens", "soon"}}).kinds[LimitsTold::tokens].until_reset);
}

}  // namespace
}  // namespace sluice
