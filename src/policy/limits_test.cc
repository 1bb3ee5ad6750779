// SPDX-License-Identifier: MIT
#include "policy/limits.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

const Limits::Time start = Limits::Time{} + 1h;

LimitSettings limit(CallerLimits all, CallerLimits per_caller = {}) {
  return {.all = all, .per_caller = per_caller};
}

TEST(Limits, WithoutSettingsEverythingPassesAndNoNumbersAreShown) {
  Limits limits;
  LimitNumbers numbers;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(limits.admit("a", {}, start, numbers));
  EXPECT_EQ(numbers.limit, 0);
  EXPECT_EQ(limits.callers(), 0u);
}

TEST(Limits, AMinuteHoldsExactlyItsNumberAndRefillsEvenly) {
  Limits limits;
  LimitNumbers numbers;
  const auto settings = limit({}, {.requests_per_minute = 3});
  for (int i = 2; i >= 0; --i) {
    ASSERT_TRUE(limits.admit("a", settings, start, numbers));
    EXPECT_EQ(numbers.limit, 3);
    EXPECT_EQ(numbers.remaining, i);
    EXPECT_EQ(numbers.reset, (3 - i) * 20'000ms);
  }
  auto refused = limits.admit("a", settings, start + 5s, numbers);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::rate_limited);
  EXPECT_EQ(refused.error()->retry_after, 15'000ms);
  EXPECT_EQ(refused.error()->message, "Rate limit reached: 3 requests per minute for you. Try again in 15.000 s.");
  EXPECT_EQ(numbers.remaining, 0);
  EXPECT_EQ(numbers.reset, 55'000ms);
  EXPECT_FALSE(limits.admit("a", settings, start + 20s - 1ns, numbers));
  EXPECT_TRUE(limits.admit("a", settings, start + 20s, numbers));
  EXPECT_FALSE(limits.admit("a", settings, start + 20s, numbers));
  // Idle time never saves up more than one minute's worth.
  int passed = 0;
  while (limits.admit("a", settings, start + 24h, numbers)) ++passed;
  EXPECT_EQ(passed, 3);
}

TEST(Limits, WhoeverWaitsAsToldIsAdmittedAndNotOneMillisecondEarlier) {
  for (const std::int64_t per_minute : {1, 7, 60, 61, 999, 100'000}) {
    Limits limits;
    LimitNumbers numbers;
    const auto settings = limit({.requests_per_minute = per_minute});
    std::int64_t passed = 0;
    auto answer = limits.admit("a", settings, start, numbers);
    for (; answer; answer = limits.admit("a", settings, start, numbers)) ++passed;
    EXPECT_EQ(passed, per_minute);
    const auto wait = answer.error()->retry_after.value();
    EXPECT_FALSE(limits.admit("a", settings, start + wait - 1ms, numbers)) << per_minute;
    EXPECT_TRUE(limits.admit("a", settings, start + wait, numbers)) << per_minute;
  }
}

TEST(Limits, CallersDoNotShareTheirOwnLimitButShareTheGlobalOne) {
  Limits limits;
  LimitNumbers numbers;
  const auto settings = limit({.requests_per_minute = 3}, {.requests_per_minute = 2});
  EXPECT_TRUE(limits.admit("a", settings, start, numbers));
  EXPECT_TRUE(limits.admit("a", settings, start, numbers));
  EXPECT_EQ(numbers.limit, 2) << "the tighter one is shown";
  EXPECT_FALSE(limits.admit("a", settings, start, numbers));
  EXPECT_TRUE(limits.admit("b", settings, start, numbers));
  auto refused = limits.admit("b", settings, start, numbers);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error()->message.find("all callers together"), std::string::npos);
  EXPECT_EQ(numbers.limit, 3);
  // What the global limit refused did not cost b anything of its own.
  EXPECT_TRUE(limits.admit("b", limit({}, {.requests_per_minute = 2}), start, numbers));
  EXPECT_EQ(numbers.remaining, 0);
}

TEST(Limits, ALeaseIsARightToRunAndItsDeathGivesItBack) {
  Limits limits;
  LimitNumbers numbers;
  const auto settings = limit({.concurrent_requests = 3}, {.concurrent_requests = 2});
  auto first = limits.admit("a", settings, start, numbers);
  auto second = limits.admit("a", settings, start, numbers);
  ASSERT_TRUE(first && second);
  auto refused = limits.admit("a", settings, start, numbers);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->retry_after, 1s);
  EXPECT_NE(refused.error()->message.find("at most 2 requests at once for you"), std::string::npos);
  auto other = limits.admit("b", settings, start, numbers);
  ASSERT_TRUE(other);
  EXPECT_FALSE(limits.admit("b", settings, start, numbers)) << "three run in all";
  {
    const Lease moved = std::move(*second);
    EXPECT_FALSE(limits.admit("a", settings, start, numbers)) << "moving gives nothing back";
  }
  EXPECT_TRUE(limits.admit("a", settings, start, numbers));
}

TEST(Limits, ARefusalCountsAgainstNothing) {
  Limits limits;
  LimitNumbers numbers;
  const auto both = limit({.requests_per_minute = 1, .concurrent_requests = 5}, {.concurrent_requests = 5});
  ASSERT_TRUE(limits.admit("a", both, start, numbers));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(limits.admit("a", both, start, numbers));
  const auto only_running = limit({.concurrent_requests = 5}, {.concurrent_requests = 5});
  std::vector<Result<Lease>> leases;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(leases.emplace_back(limits.admit("a", only_running, start, numbers)));
}

TEST(Limits, AReloadChangesTheLimitAndForgetsNothing) {
  Limits limits;
  LimitNumbers numbers;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(limits.admit("a", limit({}, {.requests_per_minute = 10}), start, numbers));
  EXPECT_FALSE(limits.admit("a", limit({}, {.requests_per_minute = 20}), start, numbers));
  EXPECT_TRUE(limits.admit("a", limit({}, {.requests_per_minute = 20}), start + 3s, numbers));
}

TEST(Limits, ForgetsIdleCallersAndNeverGrowsPastItsBound) {
  Limits limits(16 * 100);
  LimitNumbers numbers;
  const auto settings = limit({}, {.requests_per_minute = 1, .concurrent_requests = 1});
  for (int i = 0; i < 10'000; ++i) (void)limits.admit("busy" + std::to_string(i), settings, start, numbers);
  EXPECT_LE(limits.callers(), 1600u);
  EXPECT_GE(limits.callers(), 1500u);
  // Those without room of their own share one counter, so a flood of names is limited all the more.
  EXPECT_FALSE(limits.admit("newcomer", settings, start + 1ms, numbers));
  // Two minutes later all of them are idle; whoever runs is kept.
  auto running = limits.admit("busy0", settings, start + 2min, numbers);
  ASSERT_TRUE(running);
  for (int i = 0; i < 2'000; ++i)
    (void)limits.admit("new" + std::to_string(i), settings, start + 4min + i * 1min, numbers);
  EXPECT_LE(limits.callers(), 16u * 128);
  EXPECT_FALSE(limits.admit("busy0", settings, start + 10h, numbers)) << "still runs, so it was not forgotten";
}

TEST(Limits, AreExactUnderThreads) {
  Limits limits;
  const auto settings = limit({.requests_per_minute = 5'000}, {.requests_per_minute = 3'000, .concurrent_requests = 3});
  std::atomic<int> passed[2] = {0, 0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      LimitNumbers numbers;
      for (int i = 0; i < 4'000; ++i) {
        if (limits.admit(t % 2 == 0 ? "even" : "odd", settings, start, numbers)) ++passed[t % 2];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(passed[0], 3'000);
  EXPECT_LE(passed[1], 3'000);
  EXPECT_EQ(passed[0] + passed[1], 5'000);
}

}  // namespace
}  // namespace sluice
