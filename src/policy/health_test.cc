// SPDX-License-Identifier: MIT
#include "policy/health.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "policy/health_book.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t start = 1'000'000;

// One target, calls of which end at once.
struct Fixture {
  std::shared_ptr<Health> health = Health::make();
  HealthSettings settings;
  Dice dice{7};
  std::int64_t now = start;

  // False when no call may start.
  bool call(Outcome outcome, std::optional<std::chrono::milliseconds> retry_after = {}) {
    Permit permit = health->begin(now);
    if (!permit) return false;
    permit.end(outcome, now, settings, dice, retry_after);
    return true;
  }
  // Milliseconds until a call may start.
  std::int64_t wait() { return health->view(now).ready ? 0 : health->view(now).ready_at_ms - now; }
};

LimitsTold told(LimitsTold::Kind of, std::optional<std::int64_t> limit, std::optional<std::int64_t> left,
                std::optional<std::chrono::milliseconds> until_reset) {
  LimitsTold out;
  out.kinds[of] = {.limit = limit, .remaining = left, .until_reset = until_reset};
  return out;
}

TEST(Health, FaultsInARowOpenIt) {
  struct {
    Outcome outcome;
    int opens_after;  // 0 = never
  } const rows[] = {{Outcome::fault, 5},  {Outcome::overloaded, 5}, {Outcome::refused, 3}, {Outcome::quota, 1},
                    {Outcome::denied, 1}, {Outcome::worked, 0},     {Outcome::neutral, 0}};
  for (const auto& row : rows) {
    Fixture at;
    int calls = 0;
    while (calls < 1000 && at.call(row.outcome)) ++calls;
    EXPECT_EQ(calls, row.opens_after > 0 ? row.opens_after : 1000) << static_cast<int>(row.outcome);
  }
}

TEST(Health, OneGoodCallStartsTheCountAnew) {
  Fixture at;
  at.settings.error_rate = 2;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(at.call(Outcome::fault));
    ASSERT_TRUE(at.call(Outcome::worked));
  }
}

TEST(Health, AnswersThatBreakAllTheTimeOpenItThoughTheyBeginWell) {
  Fixture at;
  int calls = 0;
  for (; calls < 100; ++calls) {
    Permit permit = at.health->begin(at.now);
    if (!permit) break;
    permit.first_token(100ms, at.now);
    EXPECT_EQ(at.health->view(at.now).calls, calls + 1);
    permit.end(Outcome::fault, at.now, at.settings, at.dice);
    EXPECT_EQ(at.health->view(at.now).error_rate, 1);
  }
  EXPECT_EQ(calls, 5);
}

TEST(Health, AFewOfManyThatRunDoNotOpenItByBreakingFirst) {
  Fixture at;
  std::vector<Permit> running;
  for (int i = 0; i < 300; ++i) {
    running.push_back(at.health->begin(at.now));
    running.back().began_well(at.now);
  }
  const auto break_one = [&] {
    running.back().end(Outcome::fault, ++at.now, at.settings, at.dice);
    running.pop_back();
  };
  for (int i = 0; i < 15; ++i) break_one();  // what is broken ends sooner than what is whole
  EXPECT_EQ(at.wait(), 0);
  while (at.wait() == 0 && !running.empty()) break_one();
  EXPECT_NEAR(static_cast<double>(running.size()), 150, 2);  // but half of them are too many
}

TEST(Health, AnswersThatBeganLongAgoDoNotExcuseIt) {
  Fixture at;
  std::vector<Permit> long_ones;
  for (int i = 0; i < 10; ++i) {
    long_ones.push_back(at.health->begin(at.now));
    long_ones.back().began_well(at.now);
  }
  EXPECT_EQ(at.health->view(at.now).calls, 10);
  int calls = 0;
  for (Permit& one : long_ones) {
    calls += at.call(Outcome::fault) ? 1 : 0;
    one.end(Outcome::worked, at.now, at.settings, at.dice);
  }
  EXPECT_EQ(calls, 5);
}

TEST(Health, ARateOfFaultsOpensItAndOldCallsDoNotCount) {
  Fixture at;
  for (int i = 0; i < 9; ++i) {
    EXPECT_TRUE(at.call(Outcome::worked));
    EXPECT_TRUE(at.call(Outcome::fault));
  }
  EXPECT_EQ(at.health->view(at.now).calls, 18);
  EXPECT_DOUBLE_EQ(at.health->view(at.now).error_rate, 0.5);
  EXPECT_TRUE(at.call(Outcome::worked));
  EXPECT_EQ(at.wait(), 0) << "nineteen calls are too few";
  EXPECT_TRUE(at.call(Outcome::fault));
  EXPECT_GT(at.wait(), 0);

  Fixture other;
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(other.call(Outcome::worked) && other.call(Outcome::fault));
  other.now += 10'000;
  EXPECT_EQ(other.health->view(other.now).calls, 0);
  EXPECT_TRUE(other.call(Outcome::worked) && other.call(Outcome::fault));
  EXPECT_EQ(other.wait(), 0);
}

TEST(Health, TheWindowSlidesBySeconds) {
  Fixture at;
  for (int second = 0; second < 30; ++second, at.now += 1000) {
    EXPECT_TRUE(at.call(Outcome::worked));
    EXPECT_EQ(at.health->view(at.now).calls, std::min(second + 1, 10));
  }
}

TEST(Health, OpensForTwiceAsLongEachTimeAProbeFailsUpToAMinute) {
  Fixture at;
  while (at.call(Outcome::fault)) {
  }
  double expected = 1000;
  for (int i = 0; i < 10; ++i) {
    const auto wait = static_cast<double>(at.wait());
    EXPECT_GE(wait, expected * 0.8 - 1) << i;
    EXPECT_LE(wait, expected * 1.2) << i;
    at.now += at.wait() - 1;
    EXPECT_FALSE(at.call(Outcome::fault));
    at.now += 1;
    EXPECT_TRUE(at.call(Outcome::fault)) << "the probe";
    EXPECT_FALSE(at.call(Outcome::fault));
    expected = std::min(expected * 2, 60'000.0);
  }
  at.now += at.wait();
  EXPECT_TRUE(at.call(Outcome::worked));
  EXPECT_EQ(at.health->view(at.now).state, View::State::closed);
  while (at.call(Outcome::fault)) {
  }
  EXPECT_LE(at.wait(), 1200) << "a good call makes the first time short again";
}

TEST(Health, TheVendorsTimeIsTheLeast) {
  Fixture at;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(at.call(Outcome::overloaded, 7s));
  EXPECT_EQ(at.wait(), 7000);
}

TEST(Health, OneProbeAtATimeAndItCannotLeak) {
  Fixture at;
  while (at.call(Outcome::fault)) {
  }
  at.now += at.wait();
  EXPECT_EQ(at.health->view(at.now).state, View::State::half_open);
  for (int i = 0; i < 5; ++i) {
    Permit probe = at.health->begin(at.now);
    ASSERT_TRUE(probe);
    EXPECT_TRUE(probe.is_probe());
    const Permit second = at.health->begin(at.now);
    EXPECT_FALSE(second);
    EXPECT_GT(second.ready_at_ms(), at.now);
    EXPECT_FALSE(at.health->view(at.now).ready);
    EXPECT_EQ(at.health->view(at.now).in_flight, 1);
    Permit moved = std::move(probe);
    Permit assigned;
    assigned = std::move(moved);
    EXPECT_FALSE(at.health->begin(at.now));
    if (i % 2 == 0) assigned.end(Outcome::neutral, at.now, at.settings, at.dice);
  }
  EXPECT_EQ(at.health->view(at.now).in_flight, 0);
  // As soon as the probe's answer begins well the others may come, though it runs on.
  Permit probe = at.health->begin(at.now);
  probe.began_well(at.now);
  EXPECT_TRUE(at.health->begin(at.now));
  EXPECT_EQ(at.health->view(at.now).state, View::State::closed);
  EXPECT_NEAR(at.health->view(at.now).warmth, 0.1, 1e-9);
  EXPECT_NEAR(at.health->view(at.now + 5000).warmth, 0.55, 1e-9);
  EXPECT_EQ(at.health->view(at.now + 10'000).warmth, 1);
}

TEST(Health, WhatBeganBeforeItOpenedIsNoNews) {
  Fixture at;
  std::vector<Permit> old;
  old.reserve(100);
  for (int i = 0; i < 100; ++i) old.push_back(at.health->begin(at.now));
  while (at.call(Outcome::fault)) {
  }
  const auto wait = at.wait();
  for (int i = 0; i < 40; ++i) old[static_cast<std::size_t>(i)].end(Outcome::fault, at.now, at.settings, at.dice);
  EXPECT_EQ(at.wait(), wait);
  old[50].end(Outcome::worked, at.now, at.settings, at.dice);
  EXPECT_EQ(at.wait(), wait) << "only a probe closes it";
  at.now += wait;
  EXPECT_TRUE(at.call(Outcome::worked));
  for (int i = 60; i < 100; ++i) old[static_cast<std::size_t>(i)].end(Outcome::fault, at.now, at.settings, at.dice);
  EXPECT_EQ(at.wait(), 0);
}

TEST(Health, AQuotaCoolsForTheVendorsTimeOrEverLonger) {
  Fixture at;
  EXPECT_TRUE(at.call(Outcome::quota, 20s));
  EXPECT_EQ(at.wait(), 20'000);
  EXPECT_EQ(at.health->view(at.now).error_rate, 0);
  EXPECT_EQ(explain(at.health->view(at.now), at.now), "the vendor's quota is used up; ready in 20.0 s");
  at.now += 20'000;
  double expected = 500;
  for (int i = 0; i < 10; ++i) {
    std::vector<Permit> together;
    for (int n = 0; n < 10; ++n) ASSERT_TRUE(together.emplace_back(at.health->begin(at.now)));
    for (Permit& one : together) one.end(Outcome::quota, at.now, at.settings, at.dice);
    EXPECT_NEAR(static_cast<double>(at.wait()), expected, expected * 0.2 + 1) << "those in flight count once";
    at.now += at.wait();
    expected = std::min(expected * 2, 60'000.0);
  }
  EXPECT_TRUE(at.call(Outcome::worked));
  EXPECT_TRUE(at.call(Outcome::quota));
  EXPECT_LE(at.wait(), 600);
}

TEST(Health, ARefusedKeyWaitsAMinuteAndThenIsTriedByOne) {
  Fixture at;
  EXPECT_TRUE(at.call(Outcome::denied));
  double expected = 60'000;
  for (int i = 0; i < 6; ++i) {
    EXPECT_GE(static_cast<double>(at.wait()), expected);
    EXPECT_LE(static_cast<double>(at.wait()), expected * 1.2 + 1);
    at.now += at.wait();
    Permit probe = at.health->begin(at.now);
    EXPECT_TRUE(probe);
    EXPECT_FALSE(at.health->begin(at.now));
    probe.end(Outcome::denied, at.now, at.settings, at.dice);
    expected = std::min(expected * 2, 600'000.0);
  }
  at.now += at.wait();
  EXPECT_TRUE(at.call(Outcome::worked));
  EXPECT_TRUE(at.call(Outcome::worked));
}

TEST(Health, AKeyThatTwoModelsRefuseIsRefusedForAll) {
  HealthBook book;
  Dice dice(1);
  const HealthSettings settings;
  std::int64_t now = start;
  const auto call = [&](std::string_view model, Outcome outcome) {
    Permit permit = book.of("main", model, now)->begin(now);
    if (!permit) return false;
    permit.end(outcome, now, settings, dice);
    return true;
  };
  EXPECT_TRUE(call("big", Outcome::denied));
  EXPECT_FALSE(call("big", Outcome::worked));
  EXPECT_TRUE(call("small", Outcome::worked)) << "one model's refusal is not the key's";
  EXPECT_TRUE(call("other", Outcome::denied));
  EXPECT_TRUE(call("third", Outcome::worked));
  EXPECT_TRUE(call("fourth", Outcome::denied));
  EXPECT_TRUE(call("fifth", Outcome::denied));
  EXPECT_FALSE(call("small", Outcome::worked));
  const View view = book.of("main", "small", now)->view(now);
  EXPECT_EQ(view.why, "the vendor refused the account's key for several models");
  EXPECT_EQ(view.state, View::State::open);
  EXPECT_TRUE(book.of("spare", "small", now)->begin(now)) << "another account's key is another key";
  now = view.ready_at_ms;
  {
    const Permit probe = book.of("main", "small", now)->begin(now);
    EXPECT_TRUE(probe);
    EXPECT_FALSE(call("third", Outcome::worked)) << "one call tries the key for all models";
    EXPECT_EQ(book.of("main", "third", now)->view(now).state, View::State::half_open);
  }
  EXPECT_TRUE(call("small", Outcome::denied));
  EXPECT_FALSE(call("third", Outcome::worked));
  now = book.of("main", "third", now)->view(now).ready_at_ms;
  EXPECT_TRUE(call("third", Outcome::worked));
  EXPECT_TRUE(call("fresh", Outcome::worked));
}

TEST(Health, HeadroomIsTheTighterQuotaUntilItIsReset) {
  Fixture at;
  EXPECT_FALSE(at.health->view(at.now).headroom);
  at.health->learn_quota(told(LimitsTold::requests, 100, 80, 1000ms), at.now);
  EXPECT_EQ(at.health->view(at.now).headroom, 0.8);
  at.health->learn_quota(told(LimitsTold::tokens, 1000, 100, 500ms), at.now);
  EXPECT_EQ(at.health->view(at.now).headroom, 0.1);
  EXPECT_EQ(at.health->view(at.now + 500).headroom, 0.8);
  EXPECT_EQ(at.health->view(at.now + 1000).headroom, 1);
  at.health->learn_quota(told(LimitsTold::tokens, 0, 0, 0ms), at.now);
  EXPECT_EQ(at.health->view(at.now).headroom, 0.8) << "a limit of nothing says nothing";
  EXPECT_EQ(quota_left(at.health->view(at.now).headroom), "80 % of its quota left");
  EXPECT_EQ(quota_left({}), "");
}

TEST(Health, WhatIsLeftCountsWithoutALimitAndWithoutAReset) {
  Fixture at;
  at.health->learn_quota(told(LimitsTold::tokens, {}, 400, {}), at.now);
  EXPECT_EQ(at.health->view(at.now).headroom, 1) << "the most that ever was left is the limit that is known";
  at.health->learn_quota(told(LimitsTold::tokens, {}, 100, {}), at.now);
  EXPECT_EQ(at.health->view(at.now).headroom, 0.25);
  EXPECT_EQ(at.health->view(at.now + 59'999).headroom, 0.25);
  EXPECT_EQ(at.health->view(at.now + 60'000).headroom, 1);
  at.health->learn_quota(told(LimitsTold::requests, {}, 0, {}), at.now);
  EXPECT_EQ(at.health->view(at.now).headroom, 0) << "nothing is nothing of any limit";
  LimitsTold only_limit = told(LimitsTold::requests, 5, {}, 1000ms);
  at.health->learn_quota(only_limit, at.now);
  EXPECT_EQ(at.health->view(at.now).headroom, 0) << "what is left was not told anew";
}

TEST(Health, IsNotForgottenWhileItsQuotaIsUsedUp) {
  Fixture at;
  at.health->learn_quota(told(LimitsTold::requests, 10, 0, 3'600'000ms), at.now);
  EXPECT_FALSE(at.health->idle(at.now + 3'599'000));
  EXPECT_TRUE(at.health->idle(at.now + 3'600'000));
}

TEST(Health, AnywayMeansAnyway) {
  Fixture at;
  at.health->begin(at.now).end(Outcome::quota, at.now, at.settings, at.dice, 30'000ms);
  EXPECT_FALSE(at.health->begin(at.now));
  Permit permit = at.health->begin(at.now, true);
  ASSERT_TRUE(permit);
  EXPECT_FALSE(permit.is_probe());
  EXPECT_EQ(at.health->view(at.now).in_flight, 1);
  permit = {};
  EXPECT_EQ(at.health->view(at.now).in_flight, 0);
}

TEST(Health, AProbeThatWorksLetsItBeTriedAtOnce) {
  Fixture at;
  while (at.call(Outcome::fault)) {
  }
  EXPECT_GT(at.wait(), 500);
  at.now += 10;
  at.health->probed(true, at.now, 0, at.settings, at.dice);
  EXPECT_EQ(at.wait(), 0);
  EXPECT_EQ(at.health->view(at.now).state, View::State::half_open) << "a probe is no answer";
  EXPECT_TRUE(at.call(Outcome::worked));
  EXPECT_EQ(at.health->view(at.now).state, View::State::closed);
}

TEST(Health, AProbeThatFailsLetsItRestOn) {
  Fixture at;
  while (at.call(Outcome::fault)) {
  }
  for (int i = 0; i < 20; ++i) {
    at.now += 2'000;
    at.health->probed(false, at.now, at.now + 3'000, at.settings, at.dice);
    EXPECT_GT(at.wait(), 2'000) << "no request is risked";
    EXPECT_NE(at.health->view(at.now).why.find("probe"), std::string_view::npos);
  }
  at.now += 3'000;
  EXPECT_EQ(at.wait(), 0) << "when probes end, calls try it";
}

TEST(Health, AProbeDoesNotOverruleTheVendor) {
  Fixture at;
  for (int i = 0; i < 5; ++i) at.call(Outcome::overloaded, 30s);
  at.health->probed(true, at.now, 0, at.settings, at.dice);
  EXPECT_GE(at.wait(), 30'000);
  Fixture limited;
  limited.call(Outcome::quota, 20s);
  EXPECT_FALSE(limited.health->rests()) << "a quota is no fault";
  limited.health->probed(true, limited.now, 0, limited.settings, limited.dice);
  EXPECT_EQ(limited.wait(), 20'000);
}

TEST(Health, ProbesThatFailInARowOpenItUnlessCallsWork) {
  Fixture at;
  for (int i = 0; i < 50; ++i) {
    at.health->probed(false, at.now, at.now + 1'000, at.settings, at.dice);
    ASSERT_TRUE(at.call(Outcome::worked));
  }
  for (int i = 0; i < 4; ++i) at.health->probed(false, at.now, at.now + 1'000, at.settings, at.dice);
  EXPECT_EQ(at.wait(), 0);
  at.health->probed(false, at.now, at.now + 1'000, at.settings, at.dice);
  EXPECT_GT(at.wait(), 0);
  EXPECT_TRUE(at.health->rests());
}

TEST(HealthBook, ProbesEveryTargetOfAnAccount) {
  HealthBook book;
  HealthSettings settings;
  Dice dice{1};
  const auto fail = [&](std::string_view account, std::string_view model) {
    const auto health = book.of(account, model, start);
    for (Permit permit = health->begin(start); permit; permit = health->begin(start))
      permit.end(Outcome::fault, start, settings, dice);
  };
  for (const char* model : {"a", "b", "c", "d"}) fail("openai", model);
  fail("claude", "a");
  static_cast<void>(book.of("openai", "well", start));
  EXPECT_TRUE(book.rests("openai"));
  EXPECT_FALSE(book.rests("nobody"));
  book.probed("openai", true, start, start, settings, dice);
  for (const HealthBook::Row& row : book.rows(start)) EXPECT_EQ(row.view.ready, row.account == "openai") << row.model;
  EXPECT_TRUE(book.rests("openai")) << "until a call has worked";
}

TEST(HealthBook, KnowsEachPairOnceAndIsBounded) {
  HealthBook book(8 * 10);
  Dice dice(1);
  const auto first = book.of("a", "m", start);
  EXPECT_EQ(first, book.of("a", "m", start));
  EXPECT_NE(first, book.of("a", "n", start));
  EXPECT_NE(first, book.of("b", "m", start));
  EXPECT_EQ(book.size(), 3u);
  ASSERT_EQ(book.rows(start).size(), 3u);
  EXPECT_EQ(book.rows(start)[1].model, "n");

  Permit running = first->begin(start);
  for (int i = 0; i < 10'000; ++i) {
    const auto one = book.of("acc" + std::to_string(i), "m", start + i);
    Permit permit = one->begin(start + i);
    ASSERT_TRUE(permit) << "what finds no room works all the same";
    permit.end(Outcome::worked, start + i, {}, dice);
  }
  EXPECT_LE(book.size(), 80u);
  for (int i = 0; i < 1000; ++i) (void)book.of("new" + std::to_string(i), "m", start + 700'000 + i * 2000);
  EXPECT_LE(book.size(), 80u);
  EXPECT_EQ(first, book.of("a", "m", start + 700'000)) << "what is in use is kept";
  EXPECT_EQ(first->view(start).in_flight, 1);
}

TEST(HealthBook, IsExactUnderThreads) {
  HealthBook book;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&book, t] {
      Dice dice(t);
      for (int i = 0; i < 3000; ++i) {
        const auto health = book.of("a", dice.below(2) == 0 ? "m" : "n", start + i);
        Permit permit = health->begin(start + i);
        if (dice.below(4) == 0) continue;
        permit.first_token(std::chrono::milliseconds(dice.below(100)), start + i);
        permit.end(static_cast<Outcome>(dice.below(7)), start + i, {}, dice);
        (void)health->view(start + i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& row : book.rows(start)) EXPECT_EQ(row.view.in_flight, 0);
}

// Faults come at once, answers after a while: a fifth of a burst that fails is a fifth, though it is heard of first.
TEST(HealthTest, ManyThatBeganTogetherAreJudgedTogether) {
  const auto burst = [](int faults) {
    const auto health = Health::make();
    Dice dice(3);
    std::vector<Permit> permits;
    permits.reserve(100);
    for (int i = 0; i < 100; ++i) permits.push_back(health->begin(1'000'000));
    for (int i = 0; i < faults; ++i) permits[static_cast<std::size_t>(i)].end(Outcome::fault, 1'000'005, {}, dice);
    return health->view(1'000'006).state;
  };
  EXPECT_EQ(burst(20), View::State::closed);
  EXPECT_EQ(burst(45), View::State::closed);
  EXPECT_EQ(burst(55), View::State::open);
  EXPECT_EQ(burst(100), View::State::open);
}

TEST(HealthTest, WhatWasGivenUpCountsAsSlow) {
  const auto health = Health::make();
  Dice dice(3);
  std::int64_t now = 1'000'000;
  for (int i = 0; i < 40; ++i, now += 1'000) {
    Permit permit = health->begin(now);
    if (i % 4 == 0) {
      permit.given_up(std::chrono::milliseconds(900), now);
    } else {
      permit.first_token(std::chrono::milliseconds(20), now);
      permit.end(Outcome::worked, now, {}, dice);
    }
  }
  EXPECT_GE(health->view(now).p95_ms.value_or(0), 800);
  EXPECT_EQ(health->view(now).in_flight, 0);
}

}  // namespace
}  // namespace sluice
