// SPDX-License-Identifier: MIT
#include "policy/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "config/snapshot.h"

namespace sluice {
namespace {

std::int64_t now_ms = 0;  // of the gates' clock
std::int64_t told_now() {
  return now_ms;
}
constexpr std::int64_t never = INT64_MAX;

struct Bell final : Sleeping {
  std::atomic<int> rung = 0;
  void wake() override { ++rung; }
};

class Gated : public testing::Test {
 protected:
  Gated() { gate.bound({.most_running = 1, .most_waiting = 3}); }
  ~Gated() override { now_ms = 0; }
  Waiting wait(std::string_view caller = "a", std::int64_t deadline_ms = never) {
    Gate::Answer answer = gate.enter(caller, bell, deadline_ms);
    EXPECT_FALSE(answer.place);
    return std::move(answer.waiting);
  }
  Gate gate{"x", told_now};
  std::shared_ptr<Bell> bell = std::make_shared<Bell>();
};

TEST_F(Gated, APlaceIsGivenBackWhenItDiesAndWakesWhoeverIsNext) {
  Seat place = gate.take();
  ASSERT_TRUE(place);
  EXPECT_FALSE(gate.take());
  EXPECT_TRUE(gate.crowded());
  Waiting first = wait();
  Waiting second = wait();
  EXPECT_EQ(gate.figures().waiting, 2);
  Seat moved = std::move(place);
  place = {};
  EXPECT_EQ(first.state(), Waiting::State::waits);
  moved = {};
  EXPECT_EQ(first.state(), Waiting::State::turn);
  EXPECT_EQ(second.state(), Waiting::State::waits);
  EXPECT_EQ(bell->rung, 1);
  place = first.take();
  EXPECT_FALSE(first);
  EXPECT_FALSE(gate.take()) << "nobody overtakes who waits";
  place = {};
  EXPECT_EQ(second.state(), Waiting::State::turn);
  EXPECT_EQ(gate.figures().running, 1);
}

TEST_F(Gated, WhoeverLeavesGivesBackWhatItWasGivenMeanwhile) {
  Seat place = gate.take();
  Waiting first = wait();
  Waiting second = wait();
  Waiting third = wait();
  second = {};  // it only waited
  EXPECT_EQ(gate.figures().waiting, 2);
  place = {};
  ASSERT_EQ(first.state(), Waiting::State::turn);
  first = {};  // it never took it
  EXPECT_EQ(third.state(), Waiting::State::turn);
  third = {};
  EXPECT_EQ(gate.figures().running, 0);
  EXPECT_TRUE(gate.take());
}

TEST_F(Gated, CallersTakeTurnsAndTheGreedyMakeRoom) {
  const Seat place = gate.take();
  std::vector<Waiting> greedy;
  for (int i = 0; i < 3; ++i) greedy.push_back(wait("greedy"));
  const Gate::Answer refused = gate.enter("greedy", bell, never);
  EXPECT_TRUE(refused.full);
  EXPECT_FALSE(refused.waiting);
  Waiting small = wait("small");
  EXPECT_EQ(greedy[2].state(), Waiting::State::full) << "its share is smaller now";
  EXPECT_EQ(bell->rung, 1);
}

TEST_F(Gated, NobodyIsGivenATurnPastItsDeadline) {
  Seat place = gate.take();
  now_ms = 1000;
  place = {};
  place = gate.take();  // one takes about a second
  EXPECT_FALSE(gate.enter("a", bell, now_ms + 900).waiting);
  Waiting late = wait("a", now_ms + 1500);
  Waiting patient = wait("b");
  now_ms += 1500;
  place = {};
  EXPECT_EQ(late.state(), Waiting::State::late);
  EXPECT_EQ(patient.state(), Waiting::State::turn);
}

TEST_F(Gated, AnotherCapHoldsAtOnce) {
  Seat place = gate.take();
  Waiting first = wait();
  Waiting second = wait();
  Waiting third = wait();
  gate.bound({.most_running = 2, .most_waiting = 3});
  EXPECT_EQ(first.state(), Waiting::State::turn);
  EXPECT_EQ(second.state(), Waiting::State::waits);
  gate.bound({});
  EXPECT_EQ(second.state(), Waiting::State::turn);
  EXPECT_EQ(third.state(), Waiting::State::turn);
  EXPECT_EQ(gate.figures().running, 4);
  EXPECT_TRUE(gate.take());
}

TEST_F(Gated, WithoutALineEverybodyIsSentAway) {
  gate.bound({.most_running = 1, .most_waiting = 0});
  const Seat place = gate.take();
  const Gate::Answer answer = gate.enter("a", bell, never);
  EXPECT_TRUE(answer.full);
  EXPECT_FALSE(answer.waiting);
  EXPECT_EQ(gate.figures().waiting, 0);
}

TEST(Gate, NoThreadsGoOverTheCapAndNothingIsLost) {
  Gate gate("x", told_now);
  gate.bound({.most_running = 3, .most_waiting = 1000});
  std::atomic<int> inside = 0, most = 0, served = 0;
  const auto work = [&](int number) {
    const auto bell = std::make_shared<Bell>();
    const std::string caller = std::to_string(number % 3);
    for (int i = 0; i < 2000; ++i) {
      Seat place = gate.take();
      if (!place) {
        Gate::Answer answer = gate.enter(caller, bell, never);
        place = std::move(answer.place);
        if (answer.waiting && i % 7 == 0) continue;  // it leaves
        while (answer.waiting && answer.waiting.state() == Waiting::State::waits) std::this_thread::yield();
        if (answer.waiting) place = answer.waiting.take();
      }
      ASSERT_TRUE(place);
      const int now = ++inside;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      if (i % 16 == 0) std::this_thread::yield();
      --inside;
      ++served;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_GT(served, 8 * 2000 * 6 / 7 - 100);
  EXPECT_EQ(gate.figures().running, 0);
  EXPECT_EQ(gate.figures().waiting, 0);
}

TEST(Gates, AreAsTheConfigurationSays) {
  const auto snapshot = [](std::string_view accounts) {
    const std::string text =
        "server: {max_concurrent: 7, queue: {size: 2}}\nbackends: {a: {type: compatible, base_url: "
        "\"http://h\", models: [m], max_concurrent: 2, " +
        std::string(accounts) + "}}\n";
    const Loaded loaded = load_config(text, "c", [](const char*) { return std::optional<std::string>(); });
    EXPECT_TRUE(loaded.ok()) << render(loaded.faults, text, "c");
    return Snapshot::compile(loaded.config);
  };
  Gates gates(told_now);
  gates.bound(*snapshot("accounts: [{key: k, name: x}, {key: l, name: y, max_concurrent: 1}]"));
  const auto most = [&](std::string_view name) { return gates.find(name) ? gates.find(name)->figures().most : -1; };
  EXPECT_EQ(most("a.x"), 2);
  EXPECT_EQ(most("a.y"), 1);
  EXPECT_EQ(most("demo"), -1);
  EXPECT_EQ(gates.server().figures().most, 7);
  EXPECT_EQ(gates.figures().size(), 3u);
  const Seat place = gates.of("a.y").take();
  gates.bound(*snapshot("api_key: k"));
  EXPECT_EQ(most("a.y"), 0) << "it is open, and whoever is in there comes out";
  EXPECT_EQ(most("a"), 2);
}

}  // namespace
}  // namespace sluice
