// SPDX-License-Identifier: MIT
#include "policy/wall_clock.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t start = 1'798'718'400'000;

// Both clocks of a machine, one of which may be set.
struct Machine {
  WallClock clock;
  std::int64_t steady_ms = 5 * hour;
  std::int64_t set_by_ms = 0;
  std::int64_t after(std::int64_t ms) {
    steady_ms += ms;
    return clock.read(true_ms() + set_by_ms, steady_ms * 1'000'000) - start;
  }
  [[nodiscard]] std::int64_t true_ms() const { return start + steady_ms - 5 * hour; }
};

TEST(WallClock, FollowsAClockThatDrifts) {
  Machine machine;
  EXPECT_EQ(machine.after(0), 0);
  for (int i = 1; i <= 100; ++i) {
    machine.set_by_ms -= second;
    EXPECT_EQ(machine.after(10 * second), i * 9 * second);
  }
}

TEST(WallClock, AJumpOfAnHourAndBackIsNotSeen) {
  for (const std::int64_t jump : {hour, -hour, 26 * hour}) {
    Machine machine;
    EXPECT_EQ(machine.after(0), 0);
    machine.set_by_ms = jump;
    EXPECT_EQ(machine.after(60 * second), 60 * second);
    EXPECT_EQ(machine.after(hour - 61 * second), hour - second);
    machine.set_by_ms = 0;
    EXPECT_EQ(machine.after(second), hour);
    EXPECT_EQ(machine.after(10 * hour), 11 * hour);
  }
}

TEST(WallClock, AJumpThatStandsForAnHourWasRight) {
  Machine machine;
  EXPECT_EQ(machine.after(0), 0);
  machine.set_by_ms = -hour;
  EXPECT_EQ(machine.after(second), second);
  EXPECT_EQ(machine.after(hour - second), hour);
  EXPECT_EQ(machine.after(second), hour + second - hour) << "it has stood for an hour";
  EXPECT_EQ(machine.after(second), 2 * second);
}

TEST(WallClock, AJumpIsNoOlderThanItsLastBeginning) {
  Machine machine;
  EXPECT_EQ(machine.after(0), 0);
  machine.set_by_ms = hour;
  EXPECT_EQ(machine.after(second), second);
  machine.set_by_ms = 0;
  EXPECT_EQ(machine.after(second), 2 * second);
  machine.set_by_ms = hour;
  EXPECT_EQ(machine.after(2 * hour), 2 * hour + 2 * second);
  EXPECT_EQ(machine.after(hour), 4 * hour + 2 * second) << "it was right";
}

TEST(WallClock, OneThatJumpsAboutIsNotFollowed) {
  Machine machine;
  EXPECT_EQ(machine.after(0), 0);
  for (int i = 1; i <= 20; ++i) {
    machine.set_by_ms = (i % 2 == 0 ? 1 : 3) * hour;
    EXPECT_EQ(machine.after(hour / 2), i * hour / 2);
  }
}

}  // namespace
}  // namespace sluice
