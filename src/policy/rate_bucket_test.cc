// SPDX-License-Identifier: MIT
#include "policy/rate_bucket.h"

#include <gtest/gtest.h>

#include "policy/dice.h"

namespace sluice {
namespace {

constexpr std::int64_t minute = 60'000'000'000;
constexpr std::int64_t day = 1'440 * minute;

TEST(RateBucket, HoldsExactlyItsNumberAndRefillsEvenly) {
  for (const std::int64_t most : {1, 3, 7, 60, 999, 1'000'000}) {
    for (const std::int64_t window : {minute, day}) {
      const RateBucket bucket{.most = most, .window_ns = window};
      std::int64_t full_at = RateBucket::full, taken = 0;
      while (auto next = bucket.take(full_at, 1, 0)) {
        full_at = *next;
        ++taken;
        ASSERT_EQ(bucket.left(full_at, 0), most - taken);
      }
      EXPECT_EQ(taken, most);
      const std::int64_t wait = bucket.wait_ns(full_at, 1, 0);
      EXPECT_FALSE(bucket.take(full_at, 1, wait - 1)) << most;
      EXPECT_TRUE(bucket.take(full_at, 1, wait)) << most;
    }
  }
}

TEST(RateBucket, OverAnyTimeItGivesItsNumberAndNoMoreThanOneBucketBeyond) {
  Dice dice(3);
  const RateBucket bucket{.most = 90'000, .window_ns = minute};
  std::int64_t full_at = RateBucket::full, taken = 0, now = 0;
  for (int i = 0; i < 200'000; ++i) {
    now += static_cast<std::int64_t>(dice.below(20'000'000));
    const auto amount = static_cast<std::int64_t>(dice.below(40));
    if (const auto next = bucket.take(full_at, amount, now)) {
      full_at = *next;
      taken += amount;
    }
  }
  const auto even = static_cast<double>(now) * 90'000 / static_cast<double>(minute);
  EXPECT_LE(static_cast<double>(taken), even + 90'000 + 1);
  EXPECT_GE(static_cast<double>(taken), even * 0.99) << "somebody always wants some";
}

TEST(RateBucket, WhatWasNotUsedComesBackAndWhatWasUsedBeyondIsOwed) {
  const RateBucket bucket{.most = 100, .window_ns = minute};
  std::int64_t full_at = bucket.take(RateBucket::full, 100, 0).value();
  full_at = bucket.correct(full_at, -40, 0);
  EXPECT_EQ(bucket.left(full_at, 0), 40);
  full_at = bucket.correct(full_at, 90, 0);
  EXPECT_EQ(bucket.left(full_at, 0), 0);
  EXPECT_EQ(bucket.wait_ns(full_at, 1, 0), minute / 100 * 51) << "50 are owed";
  // What comes back late never makes more than a full bucket.
  full_at = bucket.correct(full_at, -100, day);
  EXPECT_EQ(bucket.left(full_at, day), 100);
  EXPECT_FALSE(bucket.take(full_at, 101, day));
}

TEST(RateBucket, NoAmountIsTooMuchForItsArithmetic) {
  const RateBucket bucket{.most = 1, .window_ns = day};
  EXPECT_FALSE(bucket.take(RateBucket::full, INT64_MAX, 0));
  std::int64_t full_at = bucket.correct(RateBucket::full, INT64_MAX, 0);
  EXPECT_EQ(bucket.left(full_at, 0), 0);
  full_at = bucket.correct(full_at, -INT64_MAX, 0);
  EXPECT_EQ(bucket.left(full_at, 0), 1);
}

}  // namespace
}  // namespace sluice
