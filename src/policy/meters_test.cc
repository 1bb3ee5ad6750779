// SPDX-License-Identifier: MIT
#include "policy/meters.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "policy/meter_words.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using Of = RateLimit::Of;
using Per = RateLimit::Per;

constexpr std::int64_t one_s = 1'000'000'000;
constexpr std::int64_t dollar = 1'000'000'000;
constexpr std::int64_t cent = dollar / 100;
constexpr std::int64_t noon = 1'798'718'400'000;  // 2026-12-31T12:00:00Z

MeterTime at(std::int64_t seconds) {
  return {.steady_ns = 1'000 * one_s + seconds * one_s, .unix_ms = noon + seconds * 1'000};
}
Claim tokens(std::int64_t input, std::int64_t output = 0) {
  return {.input_tokens = input, .output_tokens = output, .nano_dollars = 0};
}
Claim money(std::int64_t nano) {
  return {.input_tokens = 1, .nano_dollars = nano};
}

// A key in a team in a company.
struct Tenants {
  Allowance company, team, key;
  Meters meters;
  MeterNumbers numbers;

  explicit Tenants(Meters::OnAlert on_alert = {}) : meters(std::move(on_alert)) {}
  [[nodiscard]] std::vector<MeteredNode> chain() const {
    return {{.id = 3, .name = "ci", .allowance = &key},
            {.id = 2, .name = "research", .allowance = &team},
            {.id = 1, .name = "acme", .allowance = &company}};
  }
  Result<Grant> admit(const Claim& claim, std::int64_t seconds = 0) {
    const auto nodes = chain();
    return meters.admit(nodes, claim, at(seconds), numbers);
  }
  [[nodiscard]] BudgetPeriod budget(NodeId node, Budget::Per per) const {
    const auto figures = meters.figures(node);
    for (const auto& [of, period] : figures.value_or(Meters::Figures()).budgets) {
      if (of == per) return period;
    }
    return {};
  }
  [[nodiscard]] std::int64_t running(NodeId node) const {
    return meters.figures(node).value_or(Meters::Figures()).running;
  }
};

TEST(Meters, WithoutLimitsNothingIsCountedAndNothingKept) {
  Tenants t;
  for (int i = 0; i < 1'000; ++i) {
    auto grant = t.admit(tokens(1'000'000));
    ASSERT_TRUE(grant);
    EXPECT_FALSE(*grant);
  }
  EXPECT_EQ(t.meters.nodes(), 0u);
  EXPECT_EQ(t.numbers.requests.limit, 0);
}

TEST(Meters, EveryNodeOnTheWayMustAllowIt) {
  Tenants t;
  t.key.rates = {{Of::requests, Per::minute, 3}};
  t.team.rates = {{Of::requests, Per::hour, 2}};
  t.company.rates = {{Of::requests, Per::day, 100}};
  ASSERT_TRUE(t.admit({}));
  EXPECT_EQ(t.numbers.requests.limit, 2) << "the tightest is shown";
  EXPECT_EQ(t.numbers.requests.remaining, 1);
  ASSERT_TRUE(t.admit({}));
  auto refused = t.admit({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::rate_limited);
  EXPECT_EQ(refused.error()->retry_after, 1'800s);
  EXPECT_EQ(refused.error()->message,
            "Rate limit reached: 2 requests per hour for \"research\". Try again in 1800.000 s.");
  // What was refused counts nowhere: the key has one left in this minute.
  t.team.rates.clear();
  EXPECT_TRUE(t.admit({}));
  EXPECT_FALSE(t.admit({}));
}

TEST(Meters, OfSeveralReasonsTheOneThatLastsLongestIsTold) {
  Tenants t;
  t.key.rates = {{Of::requests, Per::minute, 1}};
  t.team.rates = {{Of::requests, Per::day, 1}};
  t.company.rates = {{Of::requests, Per::hour, 1}};
  ASSERT_TRUE(t.admit({}));
  const auto refused = t.admit({});
  EXPECT_EQ(refused.error()->retry_after, 24h);
  EXPECT_TRUE(t.admit({}, 24 * 3'600)) << "whoever waits as told is admitted";
}

TEST(Meters, TokensAreReservedByAGuessAndSettledByWhatWasUsed) {
  Tenants t;
  t.key.rates = {{Of::tokens, Per::minute, 1'000}};
  auto first = t.admit(tokens(100, 500));
  ASSERT_TRUE(first);
  EXPECT_EQ(t.numbers.tokens.limit, 1'000);
  EXPECT_EQ(t.numbers.tokens.remaining, 400);
  EXPECT_EQ(t.numbers.tokens.reset, 36s);
  EXPECT_FALSE(t.admit(tokens(100, 500)));
  first->settle(150, 0, at(0));
  auto second = t.admit(tokens(100, 700));
  ASSERT_TRUE(second);
  EXPECT_EQ(t.numbers.tokens.remaining, 50);
  second->settle(1'850, 0, at(0));  // far more than was guessed
  const auto refused = t.admit(tokens(100, 0));
  EXPECT_EQ(refused.error()->retry_after, 66s) << "1000 are owed and 100 wanted, at 1000 a minute";
}

TEST(Meters, AGuessNeverMakesARequestTooLargeButItsInputMay) {
  Tenants t;
  t.key.rates = {{Of::tokens, Per::minute, 1'000}};
  auto whole = t.admit(tokens(10, 100'000));
  ASSERT_TRUE(whole);
  EXPECT_EQ(t.numbers.tokens.remaining, 0);
  whole->settle(10, 0, at(0));
  const auto refused = t.admit(tokens(1'001, 0), 3'600);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::rate_limited);
  EXPECT_EQ(refused.error()->retry_after, std::nullopt) << "waiting does not help";
}

TEST(Meters, WhatRunsAtOnceIsALeaseThatItsDeathGivesBack) {
  Tenants t;
  t.key.max_concurrent = 2;
  t.team.max_concurrent = 3;
  auto first = t.admit({});
  auto second = t.admit({});
  const auto refused = t.admit({});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(refused.error()->retry_after, 1s);
  EXPECT_EQ(t.running(2), 2);
  {
    const Grant moved = std::move(*first);
    EXPECT_FALSE(t.admit({}));
  }
  EXPECT_EQ(t.running(3), 1);
  EXPECT_EQ(t.running(2), 1);
  *second = Grant();
  EXPECT_EQ(t.running(3), 0);
  EXPECT_EQ(t.running(2), 0);
  EXPECT_EQ(t.running(1), 0);
}

TEST(Meters, AGrantThatDiesUnsettledGivesEverythingBackButItsRequest) {
  Tenants t;
  t.key.rates = {{Of::requests, Per::minute, 10}, {Of::tokens, Per::minute, 1'000}};
  t.key.budgets = {{Budget::Per::day, dollar}};
  {
    auto grant = t.admit({.input_tokens = 100, .output_tokens = 100, .nano_dollars = 30 * cent});
    ASSERT_TRUE(grant);
    EXPECT_EQ(t.budget(3, Budget::Per::day).reserved, 30 * cent);
    ASSERT_TRUE(grant->top_up(20 * cent, at(1)));
    EXPECT_EQ(t.budget(3, Budget::Per::day).reserved, 50 * cent);
  }
  EXPECT_EQ(t.budget(3, Budget::Per::day).reserved, 0);
  EXPECT_EQ(t.budget(3, Budget::Per::day).spent, 0);
  ASSERT_TRUE(t.admit(tokens(0)));
  EXPECT_EQ(t.numbers.tokens.remaining, 1'000);
  EXPECT_EQ(t.numbers.requests.remaining, 8);
}

TEST(Meters, ABudgetIsReservedAndSettledOnEveryNode) {
  Tenants t;
  t.key.budgets = {{Budget::Per::day, dollar}, {Budget::Per::total, 3 * dollar}};
  t.company.budgets = {{Budget::Per::month, 2 * dollar}};
  auto first = t.admit(money(60 * cent));
  ASSERT_TRUE(first);
  const auto crowded = t.admit(money(60 * cent));
  ASSERT_FALSE(crowded);
  EXPECT_EQ(crowded.error()->code, "rate_limit_exceeded") << "what is set aside may come back";
  EXPECT_EQ(crowded.error()->retry_after, 1s);
  first->settle(10, 50 * cent, at(1));
  EXPECT_EQ(t.budget(3, Budget::Per::day).spent, 50 * cent);
  EXPECT_EQ(t.budget(1, Budget::Per::month).spent, 50 * cent);
  EXPECT_EQ(t.budget(1, Budget::Per::month).reserved, 0);
  const auto spent = t.admit(money(51 * cent));
  ASSERT_FALSE(spent);
  EXPECT_EQ(spent.error()->fault, Fault::rate_limited);
  EXPECT_EQ(spent.error()->code, budget_spent);
  EXPECT_EQ(spent.error()->retry_after, std::nullopt);
  EXPECT_EQ(spent.error()->message,
            "What is left of the budget of \"ci\" ($1 a day) is not enough for this request. A new day begins at "
            "2027-01-01T00:00:00Z.");
  EXPECT_TRUE(t.admit(money(50 * cent)));
  // The next day and the next month begin twelve hours later; what was spent in all stays.
  EXPECT_TRUE(t.admit(money(dollar), 12 * 3'600));
  EXPECT_EQ(t.budget(3, Budget::Per::day).spent, 0);
  EXPECT_EQ(t.budget(3, Budget::Per::total).spent, 50 * cent);
  EXPECT_EQ(t.budget(1, Budget::Per::month).spent, 0);
}

TEST(Meters, ADayBeginsWhereTheTimeZoneHasIt) {
  Tenants t;
  t.key.budgets = {{.per = Budget::Per::day, .nano_dollars = dollar, .time_zone = "Asia/Shanghai"}};
  t.admit(money(dollar))->settle(1, dollar, at(0));
  EXPECT_FALSE(t.admit(money(1), 4 * 3'600 - 1));
  EXPECT_TRUE(t.admit(money(1), 4 * 3'600));
}

TEST(Meters, AClockThatJumpsOpensNoNewDayAndClosesNone) {
  Tenants t;
  t.key.budgets = {{Budget::Per::day, dollar}};
  const std::int64_t before_midnight = 12 * 3'600 - 60;
  t.admit(money(dollar), before_midnight)->settle(1, dollar, at(before_midnight));
  const auto nodes = t.chain();
  MeterTime now = at(before_midnight + 1);
  now.unix_ms += 3'600'000;
  EXPECT_FALSE(t.meters.admit(nodes, money(1), now, t.numbers));
  EXPECT_TRUE(t.admit(money(dollar), before_midnight + 60)) << "midnight comes when it is due";
  now = at(before_midnight + 62);
  now.unix_ms -= 3'600'000;
  auto grant = t.meters.admit(nodes, money(dollar), now, t.numbers);
  ASSERT_TRUE(grant);
  grant->settle(1, dollar, now);
  EXPECT_FALSE(t.meters.admit(nodes, money(1), now, t.numbers)) << "the day before stays over";
}

TEST(Meters, WhatHasNoPriceIsAdmittedOrNotAsTheBudgetSays) {
  Tenants t;
  const Claim unknown{.input_tokens = 1, .nano_dollars = std::nullopt};
  t.key.unknown_price = UnknownPrice::refuse;
  EXPECT_TRUE(t.admit(unknown)) << "there is no budget";
  t.key.budgets = {{Budget::Per::day, dollar}};
  const auto refused = t.admit(unknown);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::forbidden);
  EXPECT_EQ(refused.error()->code, "price_unknown");
  t.key.unknown_price = UnknownPrice::allow;
  EXPECT_TRUE(t.admit(unknown));
  t.admit(money(dollar))->settle(1, dollar, at(0));
  EXPECT_FALSE(t.admit(unknown)) << "a spent budget admits nothing that may cost something";
  EXPECT_TRUE(t.admit(money(0))) << "but what is free";
}

TEST(Meters, ATopUpIsOnAllNodesOrOnNone) {
  Tenants t;
  t.key.budgets = {{Budget::Per::day, dollar}};
  t.company.budgets = {{.per = Budget::Per::day, .nano_dollars = 70 * cent, .hard_stop = true}};
  auto grant = t.admit(money(50 * cent));
  ASSERT_TRUE(grant);
  ASSERT_TRUE(grant->top_up(20 * cent, at(1)));
  const auto stopped = grant->top_up(cent, at(2));
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error()->code, budget_spent);
  EXPECT_EQ(grant->reserved(), 70 * cent);
  EXPECT_EQ(t.budget(3, Budget::Per::day).reserved, 70 * cent) << "the key was not charged either";
  // The key's own budget does not stop a stream.
  t.company.budgets.clear();
  auto soft = t.admit(money(10 * cent));
  ASSERT_TRUE(soft);
  EXPECT_TRUE(soft->top_up(dollar, at(3)));
  soft->settle(1, 2 * dollar, at(4));
  EXPECT_EQ(t.budget(3, Budget::Per::day).spent, 2 * dollar);
  EXPECT_EQ(t.admit(money(1)).error()->code, budget_spent);
}

TEST(Meters, ACopyCostsMoneyAndCountsAsNothingElse) {
  Tenants t;
  t.key.rates = {{Of::requests, Per::minute, 1}, {Of::tokens, Per::minute, 100}};
  t.key.max_concurrent = 1;
  t.company.budgets = {{Budget::Per::day, dollar}};
  auto grant = t.admit(money(10 * cent));
  ASSERT_TRUE(grant);
  const Claim copy{.input_tokens = 1'000, .nano_dollars = 50 * cent, .copy = true};
  auto beside = t.admit(copy);
  ASSERT_TRUE(beside) << "though the key has nothing left but money";
  EXPECT_EQ(t.running(3), 1);
  EXPECT_EQ(t.budget(1, Budget::Per::day).reserved, 60 * cent);
  EXPECT_FALSE(t.admit(copy)) << "and not so much of that";
  beside->settle(5'000, 30 * cent, at(0));
  *beside = Grant();
  EXPECT_EQ(t.running(3), 1);
  EXPECT_EQ(t.budget(1, Budget::Per::day).spent, 30 * cent);
  *grant = Grant();
  EXPECT_EQ(t.running(3), 0);
  EXPECT_TRUE(t.admit(tokens(99), 60)) << "no token of the copy counted";
}

TEST(Meters, AfterARestartBudgetsBeginWithWhatTheLedgerKnows) {
  Tenants t;
  t.key.budgets = {{Budget::Per::day, dollar}, {Budget::Per::total, 9 * dollar}};
  std::vector<std::string> asked;
  const auto ledger = [&](const MeteredNode& node, std::int64_t from_ms, std::int64_t until_ms) {
    asked.push_back(std::string(node.name) + ' ' + rfc3339(from_ms).substr(0, 10));
    return std::optional<std::int64_t>(until_ms == INT64_MAX ? 8 * dollar : 90 * cent);
  };
  EXPECT_TRUE(t.meters.begin(t.chain().at(0), ledger, at(0)));
  EXPECT_EQ(asked, (std::vector<std::string>{"ci 2026-12-31", "ci 1970-01-01"}));
  EXPECT_FALSE(t.admit(money(11 * cent)));
  EXPECT_TRUE(t.admit(money(10 * cent)));
  EXPECT_TRUE(t.meters.begin(t.chain().at(0), ledger, at(1)));
  EXPECT_EQ(asked.size(), 2u) << "what counts is not asked for again";
  const auto silent = [](const MeteredNode&, std::int64_t, std::int64_t) { return std::optional<std::int64_t>(); };
  t.team.budgets = {{Budget::Per::week, dollar}};
  EXPECT_FALSE(t.meters.begin(t.chain().at(1), silent, at(2)));
}

TEST(Meters, AlertsAreToldOnceInAWindow) {
  std::vector<BudgetAlert> told;
  Tenants t([&](const BudgetAlert& alert) { told.push_back(alert); });
  t.team.budgets = {{.per = Budget::Per::day, .nano_dollars = dollar, .alerts = {50, 80, 100}}};
  const auto spend = [&](std::int64_t nano, std::int64_t seconds) {
    auto grant = t.admit(money(0), seconds);
    grant->settle(1, nano, at(seconds));
  };
  spend(49 * cent, 0);
  EXPECT_TRUE(told.empty());
  spend(cent, 1);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].name, "research");
  EXPECT_EQ(told[0].percent, 50);
  EXPECT_EQ(told[0].spent, 50 * cent);
  spend(cent, 2);
  EXPECT_EQ(told.size(), 1u);
  spend(dollar, 3);
  EXPECT_EQ(told.size(), 3u) << "80 and 100 at once";
  spend(cent, 4);
  EXPECT_EQ(told.size(), 3u);
  spend(50 * cent, 12 * 3'600);
  EXPECT_EQ(told.size(), 4u) << "a new day";
}

TEST(Meters, ForgetsNodesThatAreNoMoreWhileTheirRequestsEnd) {
  Tenants t;
  t.key.max_concurrent = 1;
  auto grant = t.admit({});
  ASSERT_TRUE(grant);
  t.meters.keep_only([](NodeId node) { return node == 1; });
  EXPECT_EQ(t.meters.nodes(), 0u);
  *grant = Grant();
}

TEST(Meters, ANodeThatStandsTwiceIsCountedOnce) {
  Tenants t;
  t.key.max_concurrent = 1;
  auto nodes = t.chain();
  nodes.push_back(nodes.front());
  EXPECT_TRUE(t.meters.admit(nodes, {}, at(0), t.numbers));
}

}  // namespace
}  // namespace sluice
