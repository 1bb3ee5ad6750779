// SPDX-License-Identifier: MIT
#include "policy/mirrors.h"

#include <gtest/gtest.h>

#include "policy/balance.h"

namespace sluice {
namespace {

TEST(Mirrors, EachIsHeldToItsOwnBound) {
  Mirrors mirrors;
  Mirrors::Copy first = mirrors.begin("a", 1);
  ASSERT_TRUE(first);
  EXPECT_FALSE(mirrors.begin("a", 1));
  Mirrors::Copy other = mirrors.begin("b", 1);
  EXPECT_TRUE(other);
  EXPECT_TRUE(mirrors.begin("a", 2)) << "a reload's larger bound";
  EXPECT_EQ(mirrors.running(), 2);
  Mirrors::Copy moved = std::move(first);
  first = {};
  EXPECT_FALSE(mirrors.begin("a", 1));
  moved = {};
  EXPECT_TRUE(mirrors.begin("a", 1));
  other = {};
  EXPECT_EQ(mirrors.running(), 0);
  mirrors.dropped();
  EXPECT_EQ(mirrors.dropped_so_far(), 1);
}

TEST(Mirrors, AShareHoldsOverAnyFewTurns) {
  for (const double share : {0.01, 0.1, 0.5, 0.9, 1.0}) {
    for (std::uint64_t from = 0; from < 5000; from += 613) {
      int in = 0;
      for (std::uint64_t turn = from; turn < from + 200; ++turn) in += falls_in(share, turn) ? 1 : 0;
      EXPECT_NEAR(in, 200 * share, 3) << share << " from " << from;
    }
  }
}

}  // namespace
}  // namespace sluice
