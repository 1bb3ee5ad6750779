// What holds for every sequence of requests, however they interleave. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "policy/dice.h"
#include "policy/meters.h"

namespace sluice {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t noon = 1'798'718'400'000;

MeterTime at_ms(std::int64_t ms) {
  return {.steady_ns = 1'000 * second + ms * 1'000'000, .unix_ms = noon + ms};
}

std::vector<std::int64_t> state(const Meters& meters, std::size_t nodes) {
  std::vector<std::int64_t> out;
  for (NodeId node = 0; node < nodes; ++node) {
    const auto figures = meters.figures(node);
    if (!figures) continue;
    out.push_back(figures->running);
    for (const auto& [per, period] : figures->budgets) {
      out.push_back(period.spent);
      out.push_back(period.reserved);
    }
  }
  return out;
}

// A stream that costs `price` a step, and how it is watched.
struct Stream {
  Grant grant;
  std::int64_t cost = 0;
  std::int64_t ends = 0;
};

TEST(MetersLaws, UnderAHardStopABudgetIsOverspentByAStepForEachAdmittedRequestAtMost) {
  Dice dice(11);
  for (int round = 0; round < 200; ++round) {
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(n)));
    };
    const std::int64_t limit = 1'000 + below(10'000'000);
    const std::int64_t step = 1 + below(500'000);
    Allowance group{.budgets = {{.per = Budget::Per::day, .nano_dollars = limit, .hard_stop = true}}};
    Allowance key{.budgets = {{Budget::Per::month, limit * 2}}};
    Meters meters;
    const std::vector<MeteredNode> chain{{.id = 0, .name = "k", .allowance = &key},
                                         {.id = 1, .name = "g", .allowance = &group}};
    std::vector<Stream> open;
    std::int64_t admitted = 0, now = 0;
    for (int i = 0; i < 1'000 || !open.empty(); ++i) {
      now += below(20);
      if (i < 1'000) {
        MeterNumbers numbers;
        auto grant = meters.admit(chain, {.input_tokens = 1, .nano_dollars = below(step * 3)}, at_ms(now), numbers);
        if (grant) {
          ++admitted;
          open.push_back({.grant = std::move(*grant), .ends = below(step * 20)});
        }
      }
      if (open.empty()) continue;
      Stream& one = open[dice.below(open.size())];
      one.cost += below(step) + 1;  // a piece costs a step at most
      bool over = one.cost >= one.ends;
      while (!over && one.cost > one.grant.reserved()) over = !one.grant.top_up(step, at_ms(now));
      if (!over) continue;
      one.grant.settle(1, one.cost, at_ms(now));
      std::swap(one, open.back());
      open.pop_back();
    }
    const auto figures = meters.figures(1);
    ASSERT_TRUE(figures);
    const BudgetPeriod& period = figures->budgets.at(0).second;
    EXPECT_LE(period.spent, limit + admitted * step);
    EXPECT_EQ(period.reserved, 0);
    EXPECT_EQ(figures->running, 0);
  }
}

TEST(MetersLaws, ARefusalChangesNothing) {
  Dice dice(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<Allowance> allowances(4);
    for (Allowance& one : allowances) {
      if (dice.below(2) == 0) one.max_concurrent = 1 + static_cast<std::int64_t>(dice.below(5));
      if (dice.below(2) == 0) one.budgets = {{Budget::Per::day, 1 + static_cast<std::int64_t>(dice.below(1'000))}};
      if (dice.below(2) == 0) one.rates = {{RateLimit::Of::tokens, RateLimit::Per::minute, 50}};
    }
    Meters meters;
    std::vector<Grant> open;
    for (int i = 0; i < 300; ++i) {
      std::vector<MeteredNode> chain;
      for (NodeId node = 0; node < allowances.size(); ++node) {
        if (node == 0 || dice.below(2) == 0) chain.push_back({.id = node, .name = "n", .allowance = &allowances[node]});
      }
      const auto before = state(meters, allowances.size());
      MeterNumbers numbers, again;
      const Claim claim{.input_tokens = static_cast<std::int64_t>(dice.below(20)),
                        .output_tokens = static_cast<std::int64_t>(dice.below(20)),
                        .nano_dollars = static_cast<std::int64_t>(dice.below(100))};
      auto grant = meters.admit(chain, claim, at_ms(i), numbers);
      if (!grant) {
        const auto after = state(meters, allowances.size());
        if (before.size() == after.size()) EXPECT_EQ(after, before);  // else a budget began, with nothing in it
        const auto refused = meters.admit(chain, claim, at_ms(i), again);
        EXPECT_FALSE(refused);
        EXPECT_EQ(again.tokens.remaining, numbers.tokens.remaining);
      } else {
        open.push_back(std::move(*grant));
      }
      if (!open.empty() && dice.below(3) == 0) {
        const std::size_t which = dice.below(open.size());
        if (dice.below(2) == 0) open[which].settle(5, 10, at_ms(i));
        std::swap(open[which], open.back());
        open.pop_back();
      }
    }
    open.clear();
    for (NodeId node = 0; node < allowances.size(); ++node) {
      const auto figures = meters.figures(node);
      if (!figures) continue;
      EXPECT_EQ(figures->running, 0);
      for (const auto& [per, period] : figures->budgets) EXPECT_EQ(period.reserved, 0);
    }
  }
}

// A thousand requests at once with a cent left, from many threads: each pays a fifth of a cent, and streams on.
TEST(MetersLaws, AThousandAtOnceWithACentLeft) {
  constexpr std::int64_t cent = 10'000'000;
  constexpr std::int64_t price = cent / 5;
  constexpr std::int64_t step = cent / 50;
  Allowance company{.rates = {{RateLimit::Of::requests, RateLimit::Per::minute, 1'000'000},
                              {RateLimit::Of::tokens, RateLimit::Per::day, 1'000'000'000}},
                    .budgets = {{.per = Budget::Per::month, .nano_dollars = 100 * cent, .hard_stop = true},
                                {.per = Budget::Per::total, .nano_dollars = 1'000 * cent, .hard_stop = true}}};
  Allowance key{.max_concurrent = 1'000};
  Meters meters;
  const MeteredNode root{.id = 7, .name = "acme", .allowance = &company};
  ASSERT_TRUE(meters.begin(
      root, [](const MeteredNode&, std::int64_t, std::int64_t) { return std::optional<std::int64_t>(99 * cent); },
      at_ms(0)));
  std::atomic<std::int64_t> admitted = 0, steps = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (NodeId t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<MeteredNode> chain{{.id = 100 + t, .name = "k", .allowance = &key}, root};
      std::vector<Grant> open;
      for (int i = 0; i < 125; ++i) {
        MeterNumbers numbers;
        auto grant = meters.admit(chain, {.input_tokens = 10, .nano_dollars = price}, at_ms(1), numbers);
        if (!grant) continue;
        ++admitted;
        open.push_back(std::move(*grant));
      }
      for (Grant& one : open) {
        for (int i = 0; i < 100 && one.top_up(step, at_ms(2)); ++i) ++steps;
        one.settle(100, one.reserved() + step, at_ms(3));  // what came before it could be stopped
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 5);
  const auto figures = meters.figures(7);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->running, 0);
  for (const auto& [per, period] : figures->budgets) {
    if (per != Budget::Per::month) continue;
    EXPECT_EQ(period.reserved, 0);
    EXPECT_GE(period.spent, 100 * cent);
    EXPECT_LE(period.spent, 100 * cent + admitted * step);
  }
}

}  // namespace
}  // namespace sluice
