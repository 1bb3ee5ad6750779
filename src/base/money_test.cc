// Decimal numbers, exactly. SPDX-License-Identifier: MIT
#include "base/money.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Money, ReadsWhatJsonWrites) {
  EXPECT_EQ(read_decimal("2.5e-06", 15), 2'500'000'000);
  EXPECT_EQ(read_decimal("2.8E-8", 15), 28'000'000);
  EXPECT_EQ(read_decimal("0.0", 15), 0);
  EXPECT_EQ(read_decimal("0", 0), 0);
  EXPECT_EQ(read_decimal("12e+2", 0), 1'200);
  EXPECT_EQ(read_decimal("1.875e-08", 15), 18'750'000);
  EXPECT_EQ(read_decimal("200000.0", 0), 200'000);
}

TEST(Money, RoundsHalvesUp) {
  EXPECT_EQ(read_decimal("0.0002833333333333333", 15), 283'333'333'333);
  EXPECT_EQ(read_decimal("0.0000029999900000000002", 15), 2'999'990'000);
  EXPECT_EQ(read_decimal("0.5", 0), 1);
  EXPECT_EQ(read_decimal("0.49999999999999999999999999999999999999999999999", 0), 0);
  EXPECT_EQ(read_decimal("1e-60", 15), 0);
}

TEST(Money, RefusesWhatIsNoNumberOrTooLarge) {
  for (const char* text : {"", "-1", "+1", ".5", "1.", "1e", "1e+", "1e-", "1e+-2", "0x1", "1 ", "1e99999", "abc",
                           "9223372036854775808", "1e19", "1000000000000000000000000000000000000000"})
    EXPECT_EQ(read_decimal(text, 0), std::nullopt) << text;
  EXPECT_EQ(read_decimal("9223372036854775807", 0), 9'223'372'036'854'775'807);
  EXPECT_EQ(read_decimal("0e999", 0), 0);
}

TEST(Money, WritesWithoutZerosThatSayNothing) {
  EXPECT_EQ(write_decimal(2'500'000'000, 9), "2.5");
  EXPECT_EQ(write_decimal(28'000'000, 9), "0.028");
  EXPECT_EQ(write_decimal(0, 9), "0");
  EXPECT_EQ(write_decimal(7, 0), "7");
  EXPECT_EQ(write_decimal(10, 0), "10");
  EXPECT_EQ(write_decimal(1, 9), "0.000000001");
  EXPECT_EQ(write_decimal(30'000'000'000, 9), "30");
}

TEST(Money, ComesBackAsItWasWritten) {
  for (const std::int64_t value : {0LL, 1LL, 10LL, 12'345LL, 9'000'000'000'000'000'000LL}) {
    for (const int shift : {0, 1, 9, 15}) EXPECT_EQ(read_decimal(write_decimal(value, shift), shift), value);
  }
}

}  // namespace
}  // namespace sluice
