// Laws that hold whatever the seed: each runs a world of vendors and callers on a virtual clock.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "policy/queue.h"
#include "policy/simulation_test.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using simulation::Behaviour;
using simulation::Target;
using simulation::World;

class Simulation : public testing::TestWithParam<std::uint64_t> {
 protected:
  World world{GetParam()};
  Dice& dice = world.dice;
  std::int64_t start = world.clock.now;
};
INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, testing::Values(1, 2, 3, 4, 5));

std::vector<Target*> all(World& world) {
  std::vector<Target*> out;
  for (Target& one : world.targets) out.push_back(&one);
  return out;
}

// Three thousand targets of a thousand models, each with its own way to fail.
TEST_P(Simulation, NoVendorIsCalledBeforeItsTimeAndOnlyOneCallTriesItAgain) {
  std::vector<std::vector<Target*>> groups;
  for (int model = 0; model < 1000; ++model) {
    auto& group = groups.emplace_back();
    for (int i = 0; i < 3; ++i) {
      Target& target = world.add("account " + std::to_string(model) + "/" + std::to_string(i));
      group.push_back(&target);
      const auto kind = static_cast<Outcome>(1 + dice.below(6));
      const double share = dice.unit();
      const std::int64_t from = start + static_cast<std::int64_t>(dice.below(60'000));
      const std::int64_t until = from + static_cast<std::int64_t>(dice.below(60'000));
      const bool says_when = dice.below(2) == 0;
      target.vendor = [=](std::int64_t now, Dice& chance) {
        Behaviour does{.first_token_ms = 1 + static_cast<std::int64_t>(chance.below(2000)), .rest_ms = 500};
        if (now < from || now >= until || chance.unit() >= share) return does;
        does.outcome = kind;
        if ((kind == Outcome::quota && says_when)) does.retry_after = std::chrono::milliseconds(chance.below(10'000));
        return does;
      };
    }
  }
  constexpr std::array kinds = {Balance::weighted, Balance::round_robin, Balance::least_busy,
                                Balance::latency,  Balance::cheapest,    Balance::quota};
  int arrived = 0;
  world.load(200, 120'000, [&] {
    // Popular models get most of it, from two thousand callers.
    const auto model = static_cast<std::size_t>(1000 * std::pow(dice.unit(), 6));
    const auto kind = static_cast<std::size_t>(arrived++ % 7);
    if (kind == 6) {
      const std::uint64_t caller = dice.below(2000);
      world.request(groups[model], [caller](const auto& candidates) { return stable_order(caller, candidates); });
    } else {
      world.request(groups[model], world.by(kinds[kind]));
    }
  });
  world.clock.run();

  int trials = 0;
  for (const Target& one : world.targets) {
    EXPECT_EQ(one.too_early, 0) << one.name;
    EXPECT_LE(one.trials_at_once, 1) << one.name;
    EXPECT_EQ(one.in_flight, 0);
    EXPECT_EQ(one.health->view(world.clock.now).in_flight, 0) << "everything is given back";
    trials += one.trials_at_once;
  }
  EXPECT_GT(trials, 50) << "or nothing was tested";
  EXPECT_GT(world.good, world.requests * 9 / 10);
}

TEST_P(Simulation, NobodyRunsOverATargetThatComesBack) {
  for (int i = 0; i < 4; ++i) world.add("account " + std::to_string(i));
  Target& ill = world.targets[0];
  const std::int64_t fails = start + 5'000;
  const std::int64_t heals = start + 20'000;
  for (Target& one : world.targets) {
    const bool is_ill = &one == &ill;
    one.vendor = [is_ill, heals, fails](std::int64_t now, Dice& chance) {
      Behaviour does{.first_token_ms = 200 + static_cast<std::int64_t>(chance.below(200)), .rest_ms = 1000};
      if (is_ill && now >= fails && now < heals) does = {.outcome = Outcome::fault, .first_token_ms = 20};
      return does;
    };
  }
  int after = 0;
  int to_it = 0;
  int at_once_most = 0;
  std::int64_t back = 0;
  int calls_before = 0;
  std::int64_t ejected = 0;
  const auto order = world.by(GetParam() % 2 == 0 ? Balance::least_busy : Balance::weighted);
  world.load(400, 60'000, [&] {
    const View view = ill.health->view(world.clock.now);
    if (ejected == 0 && view.state != View::State::closed) ejected = world.clock.now;
    if (back == 0 && world.clock.now >= heals && view.state == View::State::closed) {
      back = world.clock.now;
      calls_before = ill.calls;
    }
    if (back != 0 && world.clock.now < back + 2'000) {
      ++after;
      to_it = ill.calls - calls_before;
    }
    int most = 0;
    for (const Target& one : world.targets) {
      if (&one != &ill) most = std::max(most, one.in_flight);
    }
    if (back != 0) at_once_most = std::max(at_once_most, ill.in_flight - most);
    world.request(all(world), order);
  });
  world.clock.run();
  ASSERT_NE(back, 0);
  EXPECT_LE(ejected, fails + 1'000);
  EXPECT_LE(ill.trials_at_once, 1);
  EXPECT_LE(to_it, after / 4) << "less than its share at first";
  EXPECT_GT(to_it, 0);
  if (GetParam() % 2 == 0) {
    EXPECT_LE(at_once_most, 8);
  }
  EXPECT_LE(world.failed, world.requests / 100);
}

TEST_P(Simulation, SharesAreAsTheWeightsSay) {
  double sum = 0;
  for (int i = 0; i < 40; ++i) sum += world.add("account " + std::to_string(i)).weight = 1 + static_cast<double>(i % 5);
  const bool by_key = GetParam() % 2 == 0;
  world.load(100, 80'000, [&] {
    world.request(all(world), [&](const std::vector<Candidate>& candidates) {
      return by_key ? stable_order(dice.next(), candidates)
                    : balance(Balance::weighted, candidates, world.turn++, dice);
    });
  });
  world.clock.run();
  double chi = 0;
  for (const Target& one : world.targets) {
    const double expected = world.requests * one.weight / sum;
    chi += (one.calls - expected) * (one.calls - expected) / expected;
  }
  EXPECT_LT(chi, 73) << "39 degrees of freedom: one in a thousand is above";
}

TEST_P(Simulation, TheLeastBusyStaysLevel) {
  for (int i = 0; i < 20; ++i)
    world.add("account " + std::to_string(i)).vendor = [](std::int64_t, Dice& chance) {
      return Behaviour{.first_token_ms = 50, .rest_ms = static_cast<std::int64_t>(chance.below(4000))};
    };
  int apart = 0;
  world.load(200, 30'000, [&] {
    const auto [least, most] = std::ranges::minmax(world.targets, {}, &Target::in_flight);
    if (world.clock.now > start + 10'000) apart = std::max(apart, most.in_flight - least.in_flight);
    world.request(all(world), world.by(Balance::least_busy));
  });
  world.clock.run();
  // Twenty calls run on each; at random they would be fifteen apart and more.
  EXPECT_LE(apart, 8);
}

TEST_P(Simulation, AnOutageIsNotMultiplied) {
  world.settings = {.consecutive_faults = 0, .consecutive_refused = 0, .error_rate = 2};  // only budgets hold it
  const bool at_once = GetParam() % 2 == 0;
  for (int i = 0; i < (GetParam() < 4 ? 3 : 1); ++i) {
    world.add("account " + std::to_string(i)).vendor = [at_once](std::int64_t, Dice& chance) {
      return Behaviour{.outcome = Outcome::overloaded,
                       .first_token_ms = at_once ? 1 : static_cast<std::int64_t>(chance.below(3000))};
    };
  }
  world.load(500, 30'000, [&] { world.request(all(world), world.by(Balance::weighted)); });
  world.clock.run();
  EXPECT_LE(world.calls, world.requests * 1.2 + 10 + 3 + 33);
  EXPECT_GT(world.calls, world.requests);
  EXPECT_EQ(world.failed, world.requests);
}

TEST_P(Simulation, WithABreakerAnOutageReachesTheVendorHardlyAtAll) {
  world.add("account").vendor = [](std::int64_t, Dice&) {
    return Behaviour{.outcome = Outcome::fault, .first_token_ms = 10};
  };
  world.load(500, 30'000, [&] { world.request(all(world), world.by(Balance::weighted)); });
  world.clock.run();
  EXPECT_LE(world.calls, 40);
}

TEST_P(Simulation, HedgesAreBoundedAtAnyTime) {
  HedgeBudget budget;
  int requests = 0;
  int hedges = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (dice.below(3) > 0) ++requests, budget.request();
    if (dice.below(2) == 0) hedges += budget.hedge() ? 1 : 0;
    ASSERT_LE(hedges, requests * 0.05 + 1);
  }
  EXPECT_GE(hedges, requests * 0.05 - 1);
}

TEST_P(Simulation, WhatSaysNothingOpensNothing) {
  Target& target = world.add("account");
  std::vector<Permit> running;
  for (int i = 0; i < 20'000; ++i) {
    world.clock.now += static_cast<std::int64_t>(dice.below(20));
    Permit permit = target.health->begin(world.clock.now);
    ASSERT_TRUE(permit);
    ASSERT_FALSE(permit.is_probe());
    running.push_back(std::move(permit));
    if (running.size() > 50) {
      const auto at = static_cast<std::ptrdiff_t>(dice.below(running.size()));
      if (dice.below(3) > 0) running[static_cast<std::size_t>(at)].end(Outcome::neutral, world.clock.now, {}, dice);
      running.erase(running.begin() + at);  // or dropped without a word
    }
  }
  EXPECT_EQ(target.health->view(world.clock.now).in_flight, static_cast<std::int64_t>(running.size()));
  EXPECT_EQ(target.health->view(world.clock.now).calls, 0);
}

TEST_P(Simulation, TheQuickerIsPreferredAndTheOthersAreNotForgotten) {
  for (int i = 0; i < 8; ++i) {
    world.add("account " + std::to_string(i)).vendor = [=, this](std::int64_t now, Dice& chance) {
      // The first is quick; after five minutes the last becomes quick instead.
      const bool quick = i == (now < start + 300'000 ? 0 : 7);
      return Behaviour{.first_token_ms = (quick ? 100 : 1000) + static_cast<std::int64_t>(chance.below(100))};
    };
  }
  std::vector<int> at_five;
  std::vector<int> at_eight;
  const auto count = [this](std::vector<int>& out) {
    for (const Target& one : world.targets) out.push_back(one.calls);
  };
  world.clock.after(300'000, [&] { count(at_five); });
  world.clock.after(480'000, [&] { count(at_eight); });
  world.load(20, 600'000, [&] { world.request(all(world), world.by(Balance::latency)); });
  world.clock.run();
  for (std::size_t i = 1; i < 8; ++i) {
    EXPECT_GT(at_five[0], at_five[i] * 3 / 2) << i;
    EXPECT_GT(at_five[i], 100) << "still looked at";
  }
  for (std::size_t i = 0; i < 7; ++i)
    EXPECT_GT(world.targets[7].calls - at_eight[7], (world.targets[i].calls - at_eight[i]) * 3 / 2) << i;
}

TEST_P(Simulation, OfTwoTheOneThatBecameQuickIsFound) {
  for (int i = 0; i < 2; ++i) {
    world.add("account " + std::to_string(i)).vendor = [i, change = start + 100'000](std::int64_t now, Dice& chance) {
      const int usual = i == 0 ? 300 : now < change ? 2000 : 50;
      return Behaviour{.first_token_ms = usual + static_cast<std::int64_t>(chance.below(50))};
    };
  }
  int before = 0;
  int late = 0;
  world.clock.after(100'000, [&] { before = world.targets[1].calls; });
  world.clock.after(300'000, [&] { late = world.requests - world.targets[1].calls; });
  world.load(5, 400'000, [&] { world.request(all(world), world.by(Balance::latency)); });
  world.clock.run();
  EXPECT_LE(before, 25) << "seldom, as long as it is slow";
  EXPECT_GE(before, 2) << "but now and then";
  EXPECT_LE(world.requests - world.targets[1].calls - late, 100) << "of five hundred the quick one has most";
}

TEST_P(Simulation, AGreedyCallerStarvesNobody) {
  Queue queue;
  const QueueSettings settings{.most_running = 10, .most_waiting = 1000};
  struct Waiting {
    std::size_t caller;
    std::int64_t since;
    std::int64_t deadline;
  };
  std::map<Queue::Waiter, Waiting> waiting;
  std::array<int, 51> asked{};
  std::array<int, 51> served{};
  std::int64_t longest = 0;
  Queue::Waiter last = 0;
  std::function<void(std::size_t)> run = [&](std::size_t caller) {
    ++served[caller];
    const auto took = 50 + static_cast<std::int64_t>(dice.below(100));
    world.clock.after(took, [&, took] {
      const auto next = queue.ended(took, world.clock.now, settings);
      for (const auto waiter : next.too_late) waiting.erase(waiter);
      for (const auto waiter : next.run) {
        const Waiting one = waiting.at(waiter);
        ASSERT_LT(world.clock.now, one.deadline);
        if (one.caller > 0) longest = std::max(longest, world.clock.now - one.since);
        waiting.erase(waiter);
        run(one.caller);
      }
    });
  };
  // A hundred a second can run. One caller asks for ten times that, fifty others for half of it together.
  const auto ask = [&](std::size_t caller) {
    ++asked[caller];
    const Waiting one{caller, world.clock.now, world.clock.now + 10'000};
    waiting[++last] = one;
    const auto answer = queue.enter(std::to_string(caller), last, world.clock.now, one.deadline, settings);
    if (answer.verdict != Queue::Answer::Verdict::wait) waiting.erase(last);
    if (answer.pushed_out) {
      EXPECT_EQ(waiting.at(*answer.pushed_out).caller, 0u);
      waiting.erase(*answer.pushed_out);
    }
    if (answer.verdict == Queue::Answer::Verdict::run) run(caller);
    if (answer.verdict == Queue::Answer::Verdict::too_late) {
      EXPECT_GT(answer.wait_ms, 0);
    }
  };
  world.load(1000, 30'000, [&] { ask(0); });
  world.load(50, 30'000, [&] { ask(1 + dice.below(50)); });
  world.clock.run();
  for (std::size_t caller = 1; caller <= 50; ++caller) EXPECT_EQ(served[caller], asked[caller]) << caller;
  EXPECT_LE(longest, 1500) << "a round of all callers takes half a second";
  EXPECT_GT(served[0], 30 * 40) << "and what the others leave is the greedy one's";
  EXPECT_LT(served[0], asked[0]);
  EXPECT_EQ(queue.running() + queue.waiting(), 0u);
}

}  // namespace
}  // namespace sluice
