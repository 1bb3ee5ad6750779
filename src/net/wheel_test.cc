// SPDX-License-Identifier: MIT
#include "net/wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace sluice::net {
namespace {

struct Ring final : Alarm {
  std::function<void()> on_ring;
  void ring() override { on_ring(); }
};

// What the wheel promises, next to what it did: random moves of many alarms under a virtual clock.
TEST(Wheel, RingsNeverEarlyAndAtMostOneTickLate) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U, 5U, 6U}) {
    std::mt19937 random(seed);
    const auto upto = [&](std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
    std::int64_t now = 1'000'000 + upto(5000);
    Wheel wheel(now);
    struct Model {
      std::int64_t at = never;  // what was asked for
      std::int64_t since = 0;   // when
      std::int64_t heard = -1;  // when it rang
    };
    constexpr std::size_t count = 60;
    std::vector<Model> models(count);
    std::vector<std::unique_ptr<Ring>> alarms;
    for (std::size_t i = 0; i < count; ++i) {
      alarms.push_back(std::make_unique<Ring>());
      alarms[i]->on_ring = [&, i] {
        ASSERT_NE(models[i].at, never) << "rang without being set";
        ASSERT_GE(now, models[i].at) << "rang early";
        models[i].at = never;
        if (upto(3) == 0) {  // sets itself again from inside
          models[i] = {now + upto(30), now};
          wheel.set(*alarms[i], models[i].at);
        }
      };
    }
    for (int step = 0; step < 20'000; ++step) {
      for (std::int64_t ops = upto(3); ops > 0; --ops) {
        const auto i = static_cast<std::size_t>(upto(count - 1));
        const std::int64_t kind = upto(9);
        if (kind == 0) {
          models[i].at = never;
          wheel.set(*alarms[i], never);
        } else if (kind == 1) {  // dies and is born again, unset
          const auto ring = alarms[i]->on_ring;
          alarms[i] = std::make_unique<Ring>();
          alarms[i]->on_ring = ring;
          models[i].at = never;
        } else {
          const std::int64_t far = kind < 4 ? 40 : kind < 8 ? 3000 : 60'000;
          models[i] = {now + upto(far) - (kind == 2 ? 20 : 0), now};
          wheel.set(*alarms[i], models[i].at);
        }
      }
      const std::int64_t earliest = std::ranges::min(models, {}, &Model::at).at;
      if (earliest != never) {
        ASSERT_LE(wheel.next(), std::max(earliest, now) + Wheel::tick) << "would sleep past a deadline";
      }
      // Now and then in leaps, longer than a turn of the wheel too.
      now += upto(200) == 0 ? upto(30'000) : upto(20);
      wheel.advance(now);
      for (const Model& model : models) {
        if (model.at == never) continue;
        ASSERT_LT(now, std::max(model.at, model.since) + Wheel::tick) << "late; seed " << seed << " step " << step;
      }
    }
  }
}

TEST(Wheel, SleepsForeverWhenNothingIsSet) {
  Wheel wheel(0);
  EXPECT_EQ(wheel.next(), never);
  Ring ring;
  wheel.set(ring, 100);
  EXPECT_EQ(wheel.next(), 104);
  wheel.set(ring, never);
  wheel.advance(10'000);  // unset alarms fall out when their slot passes
  EXPECT_EQ(wheel.next(), never);
}

TEST(Wheel, LetsAnAlarmDestroyItsNeighbours) {
  Wheel wheel(0);
  std::vector<std::unique_ptr<Ring>> alarms(10);
  int rang = 0;
  for (auto& alarm : alarms) {
    alarm = std::make_unique<Ring>();
    alarm->on_ring = [&] {
      ++rang;
      const auto keep = std::move(alarms);  // all of them, itself included, die at the end of this call
      alarms.clear();
    };
    wheel.set(*alarm, 50);
  }
  wheel.advance(100);
  EXPECT_EQ(rang, 1);
}

TEST(Wheel, MayDieBeforeItsAlarms) {
  Ring ring;
  {
    Wheel wheel(0);
    wheel.set(ring, 50);
  }
  Wheel wheel(0);
  int rang = 0;
  ring.on_ring = [&] { ++rang; };
  wheel.set(ring, 50);
  wheel.advance(56);
  EXPECT_EQ(rang, 1);
}

}  // namespace
}  // namespace sluice::net
