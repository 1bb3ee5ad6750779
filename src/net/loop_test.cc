// SPDX-License-Identifier: MIT
#include "net/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "net/rig_test.h"

namespace sluice::net {
namespace {

std::int64_t now_ms() {
  return Loop::clock_ns() / 1'000'000;
}

Task<Woke> sleep_until_woken(Sleeper& sleeper) {
  const Woke woke = co_await sleeper.woken();
  co_return woke;
}

Task<Woke> sleep_until_readable(Sleeper& sleeper, Watch& watch) {
  const Woke woke = co_await sleeper.readable(watch);
  co_return woke;
}

TEST(Loop, RunsWhatOtherThreadsPostOnItsOwnThread) {
  rig::Rig rig;
  constexpr int threads = 4;
  constexpr int each = 2000;
  int ran = 0;  // not atomic: only the loop's thread touches it
  std::vector<std::jthread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < each; ++j) {
        rig->post([&] {
          if (++ran == threads * each) rig->stop();
        });
      }
    });
  }
  rig->run();
  EXPECT_EQ(ran, threads * each);
}

TEST(Loop, DropsWorkThatIsStillPostedWhenItDies) {
  const auto owned = std::make_shared<int>(1);
  {
    const rig::Rig rig;
    rig.loop->post([owned] { FAIL() << "ran"; });
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(Loop, WakesAReaderWhenBytesCome) {
  rig::Rig rig;
  const auto [a, b] = rig::pair();
  Watch* watch = rig->watch(a);
  Sleeper sleeper(*rig);
  std::jthread writer([peer = b] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    rig::write_all(peer, "x");
  });
  EXPECT_EQ(rig.run(sleep_until_readable(sleeper, *watch)), Woke::ready);
  EXPECT_GT(sleeper.slept_ns(), 10'000'000);
  writer.join();
  EXPECT_EQ(watch->reader, nullptr);
  rig->drop(watch);
  close(b);
}

TEST(Loop, EndsASleepAtItsDeadlineAndNotBefore) {
  rig::Rig rig;
  Sleeper sleeper(*rig);
  for (const int wait : {0, 1, 7, 30}) {
    const std::int64_t at = now_ms() + wait;
    sleeper.deadline(at);
    EXPECT_EQ(rig.run(sleep_until_woken(sleeper)), Woke::timeout);
    EXPECT_GE(now_ms(), at);
    EXPECT_LT(now_ms(), at + 500);  // generous: a busy machine
  }
}

TEST(Loop, RemembersADeadlineThatPassedWhileNobodySlept) {
  rig::Rig rig;
  Sleeper sleeper(*rig);
  sleeper.deadline(now_ms() + 5);
  rig.idle(40);
  EXPECT_LE(sleeper.deadline(), now_ms());
  EXPECT_EQ(rig.run(sleep_until_woken(sleeper)), Woke::timeout);
  const auto [a, b] = rig::pair();
  Watch* watch = rig->watch(a);
  sleeper.deadline(now_ms() + 5);
  rig.idle(40);
  EXPECT_EQ(rig.run(sleep_until_readable(sleeper, *watch)), Woke::timeout);
  rig->drop(watch);
  close(b);
}

TEST(Loop, EndsThisSleepOrTheNextOnCancelUntilCleared) {
  rig::Rig rig;
  Sleeper sleeper(*rig);
  sleeper.cancel();
  EXPECT_EQ(rig.run(sleep_until_woken(sleeper)), Woke::cancelled);
  sleeper.clear();
  rig->post([&] { sleeper.cancel(); });
  EXPECT_EQ(rig.run(sleep_until_woken(sleeper)), Woke::cancelled);
  sleeper.clear();
  rig->post([&] { sleeper.wake(); });
  EXPECT_EQ(rig.run(sleep_until_woken(sleeper)), Woke::ready);
  sleeper.wake();  // before the sleep: remembered once
  EXPECT_EQ(rig.run(sleep_until_woken(sleeper)), Woke::ready);
  sleeper.deadline(now_ms() + 5);
  EXPECT_EQ(rig.run(sleep_until_woken(sleeper)), Woke::timeout);
}

TEST(Loop, SaysThatThePeerLeftBeforeItWakesAnybody) {
  rig::Rig rig;
  const auto [a, b] = rig::pair();
  Watch* watch = rig->watch(a);
  struct Seen {
    int gone = 0;
    bool asleep = false;
    Sleeper sleeper;
  } seen{.sleeper = Sleeper(*rig)};
  watch->owner = &seen;
  watch->on_gone = [](void* self) {
    auto& here = *static_cast<Seen*>(self);
    ++here.gone;
    here.asleep = here.sleeper.asleep();
  };
  rig->post([peer = b] { close(peer); });
  EXPECT_EQ(rig.run(sleep_until_readable(seen.sleeper, *watch)), Woke::ready);
  EXPECT_EQ(seen.gone, 1);
  EXPECT_TRUE(seen.asleep);
  EXPECT_TRUE(watch->gone);
  rig->drop(watch);
}

// Two descriptors become ready in the same batch; whoever is met first drops the other, which must not be heard of.
TEST(Loop, ForgetsAWatchThatIsDroppedInsideTheBatch) {
  rig::Rig rig;
  struct One {
    Loop* loop = nullptr;
    Watch* own = nullptr;
    One* other = nullptr;
    int heard = 0;
  } first, second;
  const auto one = rig::pair();
  const auto two = rig::pair();
  first = {rig.loop.get(), rig->watch(one.a), &second};
  second = {rig.loop.get(), rig->watch(two.a), &first};
  for (One* each : {&first, &second}) {
    each->own->owner = each;
    each->own->on_readable = [](void* self) {
      auto& here = *static_cast<One*>(self);
      if (!here.own->readable) return;
      ++here.heard;
      here.loop->drop(std::exchange(here.other->own, nullptr));
      here.loop->drop(std::exchange(here.own, nullptr));
    };
  }
  rig::write_all(one.b, "x");
  rig::write_all(two.b, "x");
  rig.idle(30);
  EXPECT_EQ(first.heard + second.heard, 1);
  close(one.b);
  close(two.b);
}

TEST(Loop, LeavesADroppedDescriptorOpenWhenAsked) {
  rig::Rig rig;
  const auto [a, b] = rig::pair();
  rig->drop(rig->watch(a), false);
  rig::write_all(b, "x");
  rig.idle(10);
  EXPECT_EQ(rig::read_some(a), "x");
  close(a);
  close(b);
}

TEST(Loop, TellsForeignLibrariesAgainAndAgain) {
  rig::Rig rig;
  const auto [a, b] = rig::pair();
  int heard = 0;
  Watch* watch = rig->watch(a, false, 1);  // EPOLLIN, level-triggered
  watch->owner = &heard;
  watch->on_readable = [](void* self) { ++*static_cast<int*>(self); };
  rig::write_all(b, "x");
  rig.idle(20);
  EXPECT_GT(heard, 2);
  rig->drop(watch);
  close(b);
}

TEST(Loop, NeverResumesACoroutineThatDiedAsleep) {
  rig::Rig rig;
  const auto [a, b] = rig::pair();
  Watch* watch = rig->watch(a);
  Sleeper sleeper(*rig);
  sleeper.deadline(now_ms() + 10);
  {
    Task<Woke> task = sleep_until_readable(sleeper, *watch);
    task.start();
    EXPECT_EQ(watch->reader, &sleeper);
  }
  EXPECT_EQ(watch->reader, nullptr);
  EXPECT_FALSE(sleeper.asleep());
  rig::write_all(b, "x");
  rig.idle(40);  // ready, and past the deadline
  sleeper.cancel();
  rig->drop(watch);
  close(b);
}

TEST(Loop, LetsASleeperDieBeforeItsCoroutine) {
  rig::Rig rig;
  const auto [a, b] = rig::pair();
  Watch* watch = rig->watch(a);
  auto sleeper = std::make_unique<Sleeper>(*rig);
  Task<Woke> task = sleep_until_readable(*sleeper, *watch);
  task.start();
  sleeper.reset();
  EXPECT_EQ(watch->reader, nullptr);
  rig::write_all(b, "x");
  rig.idle(20);
  EXPECT_FALSE(task.done());
  rig->drop(watch);
  close(b);
}

TEST(Loop, LetsASleeperOutliveTheWatchItSleepsOn) {
  rig::Rig rig;
  const auto [a, b] = rig::pair();
  Watch* watch = rig->watch(a);
  Sleeper sleeper(*rig);
  Task<Woke> task = sleep_until_readable(sleeper, *watch);
  task.start();
  rig->drop(watch);
  rig.idle(10);  // the watch is freed now
  EXPECT_TRUE(sleeper.asleep());
  sleeper.cancel();
  EXPECT_TRUE(task.done());
  close(b);
}

struct Counted {
  static inline int alive = 0;
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) noexcept = default;
  ~Counted() { --alive; }
};

Task<Counted> deep(Sleeper& sleeper, int depth) {
  const Counted local;
  if (depth == 0) {
    const Woke woke = co_await sleeper.woken();
    (void)woke;
    co_return Counted{};
  }
  co_return co_await deep(sleeper, depth - 1);
}

TEST(Task, FreesEveryFrameWhetherItEndsOrIsDropped) {
  rig::Rig rig;
  for (const bool ends : {true, false}) {
    Sleeper sleeper(*rig);
    {
      Task<Counted> task = deep(sleeper, 50);
      EXPECT_EQ(Counted::alive, 0);  // starts when awaited, not before
      task.start();
      EXPECT_EQ(Counted::alive, 51);
      if (ends) {
        sleeper.wake();
        EXPECT_TRUE(task.done());
      }
    }
    EXPECT_EQ(Counted::alive, 0);
  }
}

Task<int> one_of(int value) {
  co_return value;
}

Task<int> sum_to(int count) {
  int sum = 0;
  for (int i = 1; i <= count; ++i) {
    const int one = co_await one_of(i);
    sum += one;
  }
  co_return sum;
}

// Were the awaiter resumed by a call instead of a jump, a million of them would overflow the stack. Debug builds and
// sanitizers do call, so the count is small there.
TEST(Task, ReturnsManyTimesWithoutGrowing) {
#ifdef NDEBUG
  constexpr int count = 1'000'000;
#else
  constexpr int count = 1000;
#endif
  rig::Rig rig;
  EXPECT_EQ(rig.run(sum_to(count)), static_cast<int>(std::int64_t{count} * (count + 1) / 2 % (std::int64_t{1} << 32)));
}

}  // namespace
}  // namespace sluice::net
