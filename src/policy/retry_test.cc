// SPDX-License-Identifier: MIT
#include "policy/retry.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(RetryWait, IsBetweenNothingAndTheDoubledTime) {
  Dice dice(1);
  const std::int64_t most[] = {500, 1000, 2000, 4000, 8000, 8000, 8000};
  for (int number = 0; number < 7; ++number) {
    std::int64_t low = INT64_MAX;
    std::int64_t high = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto wait = retry_wait(number, 0, 1'000'000, {}, {}, dice).value().count();
      low = std::min(low, wait);
      high = std::max(high, wait);
    }
    EXPECT_LE(low, most[number] / 50);
    EXPECT_LE(high, most[number]);
    EXPECT_GE(high, most[number] * 49 / 50);
  }
  EXPECT_LE(retry_wait(1000, 0, 1'000'000, {}, {}, dice)->count(), 8000);
}

TEST(RetryWait, NeverPassesTheDeadline) {
  struct {
    std::int64_t left;
    std::optional<std::chrono::milliseconds> retry_after;
    std::int64_t least;  // -1 = given up
    std::int64_t most;
  } const rows[] = {
      {10'000, {}, 0, 8000},  {100, {}, 0, 99},         {1, {}, 0, 0},
      {0, {}, -1, 0},         {-5, {}, -1, 0},          {10'000, 9s, 9000, 9000},
      {10'000, 10s, -1, 0},   {10'000, 1h, -1, 0},      {10'000, 0s, 0, 8000},
      {10'000, -3s, 0, 8000}, {10'000, 2s, 2000, 8000},
  };
  Dice dice(1);
  for (const auto& row : rows) {
    for (int i = 0; i < 300; ++i) {
      const auto wait = retry_wait(9, 77, 77 + row.left, row.retry_after, {}, dice);
      ASSERT_EQ(wait.has_value(), row.least >= 0) << &row - rows;
      if (!wait) continue;
      EXPECT_GE(wait->count(), row.least) << &row - rows;
      EXPECT_LE(wait->count(), row.most) << &row - rows;
    }
  }
}

TEST(RetryBudget, AFifthOfThoseInFlightOrThree) {
  for (const int requests : {1, 10, 20, 100, 1000}) {
    RetryBudget budget;
    std::vector<Counted> in_flight;
    for (int i = 0; i < requests; ++i) in_flight.push_back(budget.enter());
    std::vector<Counted> retries;
    while (auto one = budget.retry(0)) retries.push_back(std::move(*one));
    EXPECT_EQ(retries.size(), std::max<std::size_t>(3, static_cast<std::size_t>(requests) / 5)) << requests;
    EXPECT_TRUE(budget.retry(0, true)) << "a refused connection has done no work";
  }
}

TEST(RetryBudget, GivesBackWhatEnded) {
  RetryBudget budget;
  const Counted request = budget.enter();
  std::int64_t now = 0;
  for (int i = 0; i < 100; ++i, now += 3000) {
    std::vector<Counted> retries;
    while (auto one = budget.retry(now)) retries.push_back(std::move(*one));
    ASSERT_EQ(retries.size(), 3u) << i;
  }
}

TEST(RetryBudget, CallsThatFailAtOnceAreBoundedOverTime) {
  RetryBudget budget;
  int retries = 0;
  for (std::int64_t ms = 0; ms < 30'000; ms += 2) {  // 500 a second, each over before the next
    const Counted request = budget.enter();
    for (int i = 0; i < 3; ++i) retries += budget.retry(ms) ? 1 : 0;
  }
  EXPECT_LE(retries, 15'000 / 5 + 10 + 3 + 30);
  EXPECT_GE(retries, 15'000 / 5);
}

TEST(RetryBudget, IsExactUnderThreads) {
  RetryBudget budget;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const Counted request = budget.enter();
        if (auto one = budget.retry(i * 1000)) {
          const int now = ++running;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          --running;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  std::vector<Counted> retries;
  while (auto one = budget.retry(1'000'000'000)) retries.push_back(std::move(*one));
  EXPECT_EQ(retries.size(), 3u) << "all were given back";
}

TEST(HedgeBudget, OneInTwentyAndOneMore) {
  HedgeBudget budget;
  EXPECT_TRUE(budget.hedge());
  EXPECT_FALSE(budget.hedge());
  int hedges = 0;
  for (int i = 0; i < 10'000; ++i) {
    budget.request();
    hedges += budget.hedge() ? 1 : 0;
  }
  EXPECT_EQ(hedges, 500);
  for (int i = 0; i < 10'000; ++i) budget.request();
  int saved = 0;
  while (budget.hedge()) ++saved;
  EXPECT_EQ(saved, 10);
}

}  // namespace
}  // namespace sluice
