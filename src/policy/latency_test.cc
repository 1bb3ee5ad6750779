// SPDX-License-Identifier: MIT
#include "policy/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "policy/dice.h"

namespace sluice {
namespace {

constexpr std::int64_t start = 1'000'000;

TEST(Latency, ThePeakIsTakenAtOnceAndFadesWithTime) {
  Latency latency;
  EXPECT_FALSE(latency.mean_ms(start));
  latency.add(100, start);
  EXPECT_EQ(latency.mean_ms(start), 100);
  latency.add(4000, start + 10);
  EXPECT_EQ(latency.mean_ms(start + 10), 4000);
  latency.add(100, start + 20);
  EXPECT_GT(latency.mean_ms(start + 20).value(), 3980) << "one quick answer does not excuse it";
  EXPECT_NEAR(latency.mean_ms(start + 10'020).value(), 2000, 10);
  EXPECT_NEAR(latency.mean_ms(start + 90'020).value(), 400, 10);
  for (int i = 1; i < 120; ++i) latency.add(100, start + 20 + i * 1000);
  EXPECT_NEAR(latency.mean_ms(start + 119'020).value(), 100, 10);
}

TEST(Latency, PercentilesAreWithinASixteenthOfTheTruth) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    Dice dice(seed);
    Latency latency;
    std::vector<double> truth;
    for (int i = 0; i < 3000; ++i) {
      // From a few milliseconds to minutes.
      const auto sample = static_cast<std::int64_t>(std::exp(dice.between(0.5, 1 + 2 * static_cast<double>(seed))));
      truth.push_back(static_cast<double>(sample));
      latency.add(sample, start);
      if (i < Latency::known_after - 1) {
        ASSERT_FALSE(latency.percentile_ms(0.95));
      }
    }
    std::ranges::sort(truth);
    for (const double share : {0.5, 0.95, 0.99}) {
      const double exact = truth[static_cast<std::size_t>(share * 3000)];
      EXPECT_NEAR(latency.percentile_ms(share).value(), exact, exact / 16 + 0.5) << seed << " " << share;
    }
  }
}

TEST(Latency, OldSamplesFadeWhenThereAreNewOnes) {
  Latency latency;
  for (int i = 0; i < 1000; ++i) latency.add(10'000, start + i);
  for (int minute = 1; minute <= 12; ++minute) {
    for (int i = 0; i < 100; ++i) latency.add(100, start + minute * 60'000 + i);
  }
  EXPECT_LT(latency.percentile_ms(0.95).value(), 110);
  // Without new ones they are all that is known.
  EXPECT_TRUE(latency.percentile_ms(0.95));
}

}  // namespace
}  // namespace sluice
