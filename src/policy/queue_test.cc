// SPDX-License-Identifier: MIT
#include "policy/queue.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using Verdict = Queue::Answer::Verdict;
using Waiters = std::vector<Queue::Waiter>;

constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();
constexpr QueueSettings one_of_ten{.most_running = 1, .most_waiting = 10};

TEST(Queue, WithoutACapNobodyWaits) {
  Queue queue;
  for (Queue::Waiter i = 0; i < 1000; ++i) ASSERT_EQ(queue.enter("a", i, 0, no_deadline, {}).verdict, Verdict::run);
  EXPECT_EQ(queue.running(), 1000u);
  EXPECT_EQ(queue.wait_ms({}), 0);
}

TEST(Queue, CallersTakeTurnsAndTheirOwnGoInOrder) {
  Queue queue;
  ASSERT_EQ(queue.enter("x", 100, 0, no_deadline, one_of_ten).verdict, Verdict::run);
  const struct {
    std::string_view caller;
    Queue::Waiter waiter;
  } come[] = {{"greedy", 1}, {"greedy", 2}, {"greedy", 3}, {"greedy", 4}, {"small", 5}, {"greedy", 6}, {"other", 7}};
  for (const auto& one : come)
    ASSERT_EQ(queue.enter(one.caller, one.waiter, 0, no_deadline, one_of_ten).verdict, Verdict::wait);
  Waiters order;
  while (queue.waiting() > 0) {
    const auto next = queue.ended(10, 0, one_of_ten);
    ASSERT_EQ(next.run.size(), 1u);
    order.push_back(next.run[0]);
  }
  EXPECT_EQ(order, (Waiters{1, 5, 7, 2, 3, 4, 6}));
  EXPECT_EQ(queue.running(), 1u);
  EXPECT_TRUE(queue.ended(10, 0, one_of_ten).run.empty());
  EXPECT_EQ(queue.running(), 0u);
}

TEST(Queue, RefusesWhenFullAndWhatWouldBeTooLate) {
  Queue queue;
  ASSERT_EQ(queue.enter("a", 0, 0, no_deadline, one_of_ten).verdict, Verdict::run);
  EXPECT_TRUE(queue.ended(1000, 0, one_of_ten).run.empty());  // one takes a second
  ASSERT_EQ(queue.enter("a", 0, 0, no_deadline, one_of_ten).verdict, Verdict::run);
  EXPECT_EQ(queue.wait_ms(one_of_ten), 1000);
  EXPECT_EQ(queue.enter("a", 1, 0, 1000, one_of_ten).verdict, Verdict::too_late);
  EXPECT_EQ(queue.enter("a", 1, 0, 1001, one_of_ten).verdict, Verdict::wait);
  EXPECT_EQ(queue.enter("a", 2, 0, no_deadline, one_of_ten).wait_ms, 2000);
  EXPECT_EQ(queue.enter("a", 3, 0, no_deadline, one_of_ten).wait_ms, 3000);
  EXPECT_EQ(queue.enter("b", 4, 0, no_deadline, one_of_ten).wait_ms, 2000) << "its turn comes after one of a's";
  for (Queue::Waiter i = 5; i <= 10; ++i)
    EXPECT_EQ(queue.enter("b", i, 0, no_deadline, one_of_ten).verdict, Verdict::wait);
  const auto refused = queue.enter("b", 11, 0, no_deadline, one_of_ten);
  EXPECT_EQ(refused.verdict, Verdict::full);
  EXPECT_EQ(refused.wait_ms, 11'000);
  EXPECT_EQ(queue.waiting(), 10u);
}

TEST(Queue, WhenFullNobodyHasMoreThanItsShareOfThePlaces) {
  Queue queue;
  ASSERT_EQ(queue.enter("a", 0, 0, no_deadline, one_of_ten).verdict, Verdict::run);
  for (Queue::Waiter i = 1; i <= 10; ++i)
    ASSERT_EQ(queue.enter("a", i, 0, no_deadline, one_of_ten).verdict, Verdict::wait);
  for (Queue::Waiter i = 11; i <= 15; ++i) {
    const auto answer = queue.enter("b", i, 0, no_deadline, one_of_ten);
    EXPECT_EQ(answer.verdict, Verdict::wait);
    EXPECT_EQ(answer.pushed_out, 21 - i) << "the newest of whom the most wait for";
    EXPECT_FALSE(queue.leave(21 - i));
  }
  EXPECT_EQ(queue.enter("b", 16, 0, no_deadline, one_of_ten).verdict, Verdict::full);
  EXPECT_EQ(queue.enter("a", 16, 0, no_deadline, one_of_ten).verdict, Verdict::full);
  EXPECT_EQ(queue.enter("c", 16, 0, no_deadline, one_of_ten).verdict, Verdict::wait);
  EXPECT_EQ(queue.waiting(), 10u);
  // As many callers as places: one each.
  for (Queue::Waiter i = 100; i < 120; ++i) (void)queue.enter(std::to_string(i), i, 0, no_deadline, one_of_ten);
  EXPECT_EQ(queue.waiting(), 10u);
}

TEST(Queue, GivesNoTurnAfterTheDeadline) {
  Queue queue;
  ASSERT_EQ(queue.enter("a", 0, 0, no_deadline, one_of_ten).verdict, Verdict::run);
  EXPECT_EQ(queue.enter("a", 1, 0, 500, one_of_ten).verdict, Verdict::wait);
  EXPECT_EQ(queue.enter("b", 2, 0, 500, one_of_ten).verdict, Verdict::wait);
  EXPECT_EQ(queue.enter("a", 3, 0, 5000, one_of_ten).verdict, Verdict::wait);
  const auto next = queue.ended(700, 700, one_of_ten);
  EXPECT_EQ(next.too_late, (Waiters{1}));
  EXPECT_EQ(next.run, (Waiters{3})) << "whoever came too late did not use its caller's turn";
  EXPECT_FALSE(queue.leave(1));
  EXPECT_EQ(queue.ended(700, 1400, one_of_ten).too_late, (Waiters{2}));
}

TEST(Queue, WhoeverLeavesTakesNoTurn) {
  Queue queue;
  ASSERT_EQ(queue.enter("a", 0, 0, no_deadline, one_of_ten).verdict, Verdict::run);
  for (Queue::Waiter i = 1; i <= 3; ++i)
    EXPECT_EQ(queue.enter("a", i, 0, no_deadline, one_of_ten).verdict, Verdict::wait);
  EXPECT_TRUE(queue.leave(1));
  EXPECT_FALSE(queue.leave(1));
  EXPECT_EQ(queue.ended(1, 0, one_of_ten).run, (Waiters{2}));
  EXPECT_FALSE(queue.leave(2)) << "has its turn, and must end it";
  EXPECT_TRUE(queue.leave(3));
  EXPECT_TRUE(queue.ended(1, 0, one_of_ten).run.empty());
  EXPECT_EQ(queue.running(), 0u);
}

TEST(Queue, AReloadChangesTheCap) {
  Queue queue;
  for (Queue::Waiter i = 0; i < 6; ++i) (void)queue.enter("a", i, 0, no_deadline, one_of_ten);
  EXPECT_EQ(queue.ended(1, 0, {.most_running = 3, .most_waiting = 10}).run, (Waiters{1, 2, 3}));
  EXPECT_TRUE(queue.ended(1, 0, one_of_ten).run.empty());
  EXPECT_TRUE(queue.ended(1, 0, one_of_ten).run.empty());
  EXPECT_EQ(queue.ended(1, 0, one_of_ten).run, (Waiters{4}));
  EXPECT_EQ(queue.ended(1, 0, {}).run, (Waiters{5})) << "no cap at all";
}

TEST(Queue, LosesNobodyUnderThreads) {
  Queue queue;
  const QueueSettings settings{.most_running = 3, .most_waiting = 50};
  std::atomic<std::uint64_t> waiters = 0;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto run = [&] {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
      };
      std::size_t turns = 0;
      for (int i = 0; i < 2000 || turns > 0; ++i) {
        if (i < 2000) {
          const auto waiter = ++waiters;
          const auto answer = queue.enter(std::to_string(t), waiter, 0, no_deadline, settings);
          if (answer.verdict == Verdict::run) run(), ++turns;
          if (i % 5 == 0 && answer.verdict == Verdict::wait) (void)queue.leave(waiter);
        }
        if (turns > 0 && (i % 2 == 0 || i >= 2000)) {
          --running;
          --turns;
          for ([[maybe_unused]] const auto next : queue.ended(1, 0, settings).run) run(), ++turns;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(queue.running(), 0u);
  EXPECT_EQ(queue.waiting(), 0u);
}

}  // namespace
}  // namespace sluice
