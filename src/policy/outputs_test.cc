// SPDX-License-Identifier: MIT
#include "policy/outputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "policy/dice.h"

namespace sluice {
namespace {

TEST(Outputs, TellsNothingBeforeItKnowsEnough) {
  Outputs outputs;
  for (int i = 0; i < Outputs::known_after; ++i) {
    EXPECT_EQ(outputs.p95(1, "m"), std::nullopt);
    outputs.add(1, "m", 5);
  }
  EXPECT_EQ(outputs.p95(1, "m"), 5);
  EXPECT_EQ(outputs.p95(2, "m"), std::nullopt);
  EXPECT_EQ(outputs.p95(1, "n"), std::nullopt);
}

TEST(Outputs, IsTheTrueFigureOrUpToAQuarterMore) {
  Dice dice(7);
  for (const std::int64_t most : {10, 300, 4'000, 200'000}) {
    Outputs outputs;
    std::vector<std::int64_t> all;
    for (int i = 0; i < 160; ++i) {
      all.push_back(static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(most))));
      outputs.add(1, "m", all.back());
    }
    std::ranges::sort(all);
    const std::int64_t truth = all.at(151);  // 8 of 160 are larger
    EXPECT_GE(outputs.p95(1, "m").value(), truth) << most;
    EXPECT_LE(outputs.p95(1, "m").value(), truth * 5 / 4 + 1) << most;
  }
}

TEST(Outputs, ForgetsWhatIsLongAgo) {
  Outputs outputs;
  for (int i = 0; i < 200; ++i) outputs.add(1, "m", 50'000);
  for (int i = 0; i < 1'200; ++i) outputs.add(1, "m", 7);
  EXPECT_EQ(outputs.p95(1, "m"), 7);
}

TEST(Outputs, AnyCountIsTaken) {
  Outputs outputs;
  for (int i = 0; i < 20; ++i) outputs.add(1, "m", i % 2 == 0 ? INT64_MAX : -1);
  EXPECT_GT(outputs.p95(1, "m").value(), 1'000'000);
}

}  // namespace
}  // namespace sluice
