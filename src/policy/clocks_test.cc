// SPDX-License-Identifier: MIT
#include "policy/clocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Clocks, ARequestNamesThemAsTheConfigurationDoes) {
  const auto read = read_timeouts("first_token=20s, total = 2m,connect=250ms,");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first_token, seconds(20));
  EXPECT_EQ(read->total, minutes(2));
  EXPECT_EQ(read->connect, milliseconds(250));
  EXPECT_FALSE(read->between_tokens);
  EXPECT_TRUE(read_timeouts(""));
  EXPECT_EQ(read_timeouts("total=0s")->total, milliseconds(0));
}

TEST(Clocks, WhatIsNoClockIsRefusedByName) {
  for (const char* field : {"first=1s", "total", "total=", "total=soon", "=1s", "total=-1s", "total=1s;connect=1s"}) {
    const auto read = read_timeouts(field);
    ASSERT_FALSE(read) << field;
    EXPECT_EQ(read.error()->fault, Fault::bad_request);
    EXPECT_EQ(read.error()->param, "x-sluice-timeouts");
    EXPECT_THAT(read.error()->message, testing::HasSubstr("between_tokens"));
  }
}

TEST(Clocks, ShorterIsFreeAndLongerHasABound) {
  struct Row {
    int own;
    std::optional<Millis> asked, most;
    int out;
  };
  const Row rows[] = {
      {10, {}, {}, 10},
      {10, Millis(3), {}, 3},
      {10, Millis(30), {}, 10},
      {10, Millis(30), Millis(20), 20},
      {10, Millis(15), Millis(20), 15},
      {10, Millis(0), Millis(20), 20},  // no limit is the longest
      {10, Millis(0), {}, 10},
      {10, Millis(30), Millis(0), 30},
      {10, Millis(0), Millis(0), 0},
      {0, Millis(30), {}, 30},
      {0, {}, Millis(20), 0},  // a bound is of what is asked for only
      {30, Millis(25), Millis(20), 20},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(within(Millis(row.own), row.asked, row.most), Millis(row.out)) << &row - rows;
  }
  const Timeouts own{.first_token = seconds(10), .learn_first_token = true, .total = hours(1)};
  const Timeouts got = within(own, {.first_token = seconds(2), .total = hours(2)}, {.total = hours(3)});
  EXPECT_EQ(got.first_token, seconds(2));
  EXPECT_EQ(got.total, hours(2));
  EXPECT_EQ(got.connect, own.connect);
  EXPECT_TRUE(got.learn_first_token);
}

TEST(Clocks, TheFirstTokensIsLearntWhereItMayBe) {
  Timeouts clocks{.first_token = seconds(60)};
  EXPECT_EQ(first_token_clock(clocks, 500), seconds(60));
  clocks.learn_first_token = true;
  EXPECT_EQ(first_token_clock(clocks, std::nullopt), seconds(60));
  EXPECT_EQ(first_token_clock(clocks, 500), seconds(2));
  EXPECT_EQ(first_token_clock(clocks, 20), seconds(1));
  EXPECT_EQ(first_token_clock(clocks, 30'000), seconds(60));
  clocks.first_token = Millis(0);
  EXPECT_EQ(first_token_clock(clocks, 30'000), minutes(2)) << "no limit but the learnt one";
  clocks.first_token = Millis(300);
  EXPECT_EQ(first_token_clock(clocks, 20), Millis(300));
}

}  // namespace
}  // namespace sluice
