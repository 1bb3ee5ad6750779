// SPDX-License-Identifier: MIT
#include "policy/balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace sluice {
namespace {

const Balance all_kinds[] = {Balance::weighted, Balance::round_robin, Balance::least_busy,
                             Balance::latency,  Balance::cheapest,    Balance::quota};

Candidate idle(double weight = 1) {
  Candidate out;
  out.weight = weight;
  return out;
}
Candidate shut(std::int64_t ready_at_ms) {
  Candidate out;
  out.view.ready = false;
  out.view.ready_at_ms = ready_at_ms;
  return out;
}
Candidate busy(std::int64_t in_flight, double weight = 1) {
  Candidate out = idle(weight);
  out.view.in_flight = in_flight;
  return out;
}
Candidate quick(double mean_ms, std::int64_t in_flight = 0) {
  Candidate out = busy(in_flight);
  out.view.mean_ms = mean_ms;
  return out;
}
Candidate priced(std::optional<double> price, std::optional<double> mean_ms = 100) {
  Candidate out;
  out.price = price;
  out.view.mean_ms = mean_ms;
  return out;
}
Candidate with_headroom(std::optional<double> headroom, std::int64_t in_flight = 0) {
  Candidate out = busy(in_flight);
  out.view.headroom = headroom;
  return out;
}

using Order = std::vector<std::uint32_t>;

TEST(Balance, EveryWayOrdersAllOnceTheSoonestReadyLast) {
  Candidate full = busy(4);
  full.full = true;
  const std::vector<Candidate> candidates = {shut(9000), idle(), full, shut(5000), idle(0), idle(2), shut(7000)};
  Dice dice(1);
  for (const Balance kind : all_kinds) {
    for (std::uint64_t turn = 0; turn < 50; ++turn) {
      Order order = balance(kind, candidates, turn, dice);
      ASSERT_EQ(order.size(), 7u);
      EXPECT_TRUE(order[0] == 1 || order[0] == 5) << static_cast<int>(kind);
      EXPECT_TRUE(order[1] == 1 || order[1] == 5);
      EXPECT_EQ(Order(order.begin() + 2, order.end()), (Order{4, 2, 3, 6, 0})) << static_cast<int>(kind);
    }
  }
  EXPECT_EQ(Order(stable_order(3, candidates)).size(), 7u);
  EXPECT_EQ(stable_order(3, candidates)[6], 0u);
  EXPECT_TRUE(balance(Balance::weighted, {}, 0, dice).empty());
  EXPECT_EQ(balance(Balance::round_robin, std::vector{shut(1), shut(0)}, 3, dice), (Order{1, 0}));
}

TEST(Balance, WhoseQuotaIsUsedUpIsNeverFirstWhileOthersHaveRoom) {
  Candidate full = busy(4);
  full.full = true;
  std::vector<Candidate> candidates = {with_headroom(0), with_headroom(0.01, 9), full, with_headroom({}, 9), shut(5)};
  for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].name = std::string_view("abcde").substr(i, 1);
  Dice dice(1);
  const auto check = [&](const Order& order) {
    EXPECT_TRUE(order[0] == 1 || order[0] == 3) << order[0];
    EXPECT_EQ(Order(order.begin() + 2, order.end()), (Order{0, 2, 4})) << "it may be refused; who is full must refuse";
  };
  for (const Balance kind : all_kinds) {
    for (std::uint64_t turn = 0; turn < 50; ++turn) check(balance(kind, candidates, turn, dice));
  }
  for (std::uint64_t key = 0; key < 50; ++key) check(stable_order(key, candidates));
  EXPECT_EQ(balance(Balance::weighted, std::vector{with_headroom(0), shut(9)}, 0, dice), (Order{0, 1}));
}

TEST(Balance, RoundRobinGoesRound) {
  const std::vector<Candidate> candidates = {idle(), idle(), shut(1), idle()};
  Dice dice(1);
  const Order expected[] = {{0, 1, 3, 2}, {1, 3, 0, 2}, {3, 0, 1, 2}, {0, 1, 3, 2}};
  for (std::uint64_t turn = 0; turn < 4; ++turn)
    EXPECT_EQ(balance(Balance::round_robin, candidates, turn, dice), expected[turn]);
}

TEST(Balance, OrdersByTable) {
  Candidate warming = busy(0);
  warming.view.warmth = 0.1;
  const struct {
    Balance kind;
    std::vector<Candidate> candidates;
    Order expected;
  } rows[] = {
      {Balance::least_busy, {busy(5), busy(2), busy(9)}, {1, 0, 2}},
      {Balance::least_busy, {busy(5, 1), busy(9, 4)}, {1, 0}},
      {Balance::least_busy, {warming, busy(5)}, {1, 0}},
      {Balance::latency, {quick(300), quick(100)}, {1, 0}},
      {Balance::latency, {quick(300), quick(100, 5)}, {0, 1}},
      {Balance::latency, {quick(100), idle()}, {1, 0}},   // nobody has tried it
      {Balance::latency, {quick(100), busy(1)}, {0, 1}},  // somebody tries it now
      {Balance::cheapest, {priced(std::nullopt), priced(3), priced(1)}, {2, 1, 0}},
      {Balance::cheapest, {priced(2, 500), priced(2, 100), priced(0, 900)}, {2, 1, 0}},
      {Balance::quota, {with_headroom(0.2), with_headroom(0.9), with_headroom({})}, {1, 2, 0}},
      {Balance::quota, {with_headroom(0.6), with_headroom(0.9, 1)}, {0, 1}},
  };
  for (const auto& row : rows) {
    Dice dice(5);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(balance(row.kind, row.candidates, 0, dice), row.expected) << &row - rows;
  }
}

TEST(Balance, WeightsHoldOverAnyFewCalls) {
  const std::vector<Candidate> candidates = {idle(5), idle(3), idle(2)};
  for (const std::uint64_t seed : {1, 2, 3}) {
    Dice dice(seed);
    for (std::uint64_t from = 0; from < 5000; from += 500) {
      std::array<double, 3> firsts{};
      for (std::uint64_t turn = from; turn < from + 100; ++turn)
        firsts[balance(Balance::weighted, candidates, turn, dice)[0]] += 1;
      EXPECT_NEAR(firsts[0], 50, 4);
      EXPECT_NEAR(firsts[1], 30, 4);
      EXPECT_NEAR(firsts[2], 20, 4);
    }
  }
}

TEST(Balance, WhoStepsInIsDrawnByWeightToo) {
  const std::vector<Candidate> candidates = {idle(0.001), idle(3), idle(1), idle(1e6)};
  Dice dice(3);
  double seconds = 0;
  for (std::uint64_t turn = 0; turn < 10'000; ++turn)
    seconds += balance(Balance::weighted, candidates, turn, dice)[1] == 1 ? 1 : 0;
  EXPECT_NEAR(seconds / 10'000, 0.75, 0.02);
}

TEST(Balance, OfManyTheWorstIsNeverTheChoiceOfTwo) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 10; ++i) candidates.push_back(quick(100 + i));
  Dice dice(2);
  std::array<int, 10> firsts{};
  for (int i = 0; i < 10'000; ++i) ++firsts[balance(Balance::latency, candidates, 0, dice)[0]];
  EXPECT_EQ(firsts[9], 0);
  for (int i = 1; i < 10; ++i)
    EXPECT_LE(firsts[static_cast<std::size_t>(i)], firsts[static_cast<std::size_t>(i - 1)] + 150);
  EXPECT_NEAR(firsts[0], 2000, 150) << "nobody is run over";
}

TEST(StableOrder, IsTheSameInEveryProcess) {
  EXPECT_EQ(stable_hash(""), 17665956581633026203u);
  EXPECT_EQ(stable_hash("openai/a"), stable_hash(std::string("openai/a")));
  const Share shares[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"none", 0}};
  std::string choices;
  for (std::uint64_t key = 0; key < 12; ++key) choices += shares[stable_choice(key, shares)].name;
  EXPECT_EQ(choices, "bbbbbabbabca");
}

TEST(StableOrder, AnAccountThatComesOrGoesMovesOnlyItsShare) {
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back("account-" + std::to_string(i));
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < names.size(); ++i) {
    candidates.push_back(idle(i == 0 ? 3 : 1));
    candidates.back().name = names[i];
  }
  std::vector<Candidate> fewer(candidates.begin(), candidates.end() - 1);
  std::vector<int> firsts(10);
  Dice dice(4);
  int moved = 0;
  constexpr int keys = 24'000;
  for (int i = 0; i < keys; ++i) {
    const std::uint64_t key = i % 2 == 0 ? dice.next() : static_cast<std::uint64_t>(i);
    const Order order = stable_order(key, candidates);
    ++firsts[order[0]];
    const Order less = stable_order(key, fewer);
    if (order[0] != 9) {
      EXPECT_EQ(order[0], less[0]);
    } else {
      ++moved;
      EXPECT_EQ(order[1], less[0]) << "its keys go where they would have gone next";
    }
  }
  EXPECT_NEAR(firsts[0], keys * 3 / 12, 300);
  for (std::size_t i = 1; i < 10; ++i) EXPECT_NEAR(firsts[i], keys / 12, 200);
  EXPECT_EQ(moved, firsts[9]);
}

}  // namespace
}  // namespace sluice
