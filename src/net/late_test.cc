// SPDX-License-Identifier: MIT
#include "net/late.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "net/rig_test.h"
#include "net/socket.h"

namespace sluice::net {
namespace {

struct LateWrites : ::testing::Test {
  struct Step {
    std::function<void()> what;
    Watch* watch = nullptr;
  };
  rig::Rig rig;
  std::vector<std::unique_ptr<Step>> steps;

  ~LateWrites() override {
    for (const auto& step : steps) rig->drop(step->watch);
  }
  // Has the loop do all of it within one turn, in this order.
  void turn(std::vector<std::function<void()>> works) {
    for (auto& work : works) {
      const int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
      steps.push_back(std::make_unique<Step>(std::move(work), rig->watch(fd)));
      Step& step = *steps.back();
      step.watch->owner = &step;
      step.watch->on_readable = [](void* owner) {
        auto& mine = *static_cast<Step*>(owner);
        mine.watch->readable = false;
        std::exchange(mine.what, [] {})();
      };
    }
    rig.idle(20);
  }
  std::pair<Socket, int> connected() {
    const auto [one, two] = rig::pair();
    return {Socket(*rig, one), two};
  }
  static std::string there(int fd) {
    std::string out(100'000, '\0');
    const ssize_t got = recv(fd, out.data(), out.size(), MSG_DONTWAIT);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  static Io write(Socket& socket, std::string_view bytes) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return socket.write({&piece, 1});
  }
};

TEST_F(LateWrites, LeaveWhenTheTurnHasSeenToEverything) {
  auto [a, peer] = connected();
  auto [c, other] = connected();
  std::string first_seen = "not looked";
  std::string last_seen;
  turn({[&] { EXPECT_EQ(write(a, "one").size, 3U); }, [&] { first_seen = there(peer); },
        [&] {
          EXPECT_EQ(write(c, "last").size, 4U);
          last_seen = there(other);
        }});
  EXPECT_EQ(first_seen, "");
  EXPECT_EQ(last_seen, "last");  // nothing else waits: it need not either
  EXPECT_EQ(there(peer), "one");
  close(peer);
  close(other);
}

TEST_F(LateWrites, LeaveByEights) {
  auto [a, peer] = connected();
  std::vector<std::function<void()>> works(10, [&] { (void)write(a, "x"); });
  std::string seen;
  works.emplace_back([&] { seen = there(peer); });
  works.emplace_back([] {});
  turn(std::move(works));
  EXPECT_EQ(seen, "xxxxxxxx");
  EXPECT_EQ(there(peer), "xx");
  close(peer);
}

TEST_F(LateWrites, KeepTheirPlaceBesideLargeOnes) {
  auto [a, peer] = connected();
  const std::string large(5000, 'l');
  turn({[&] { (void)write(a, "small"); }, [&] { EXPECT_EQ(write(a, large).size, large.size()); },
        [&] { (void)write(a, "end"); }, [] {}});
  EXPECT_EQ(there(peer), "small" + large + "end");
  close(peer);
}

TEST_F(LateWrites, AreNotForAPeerThatIsBehind) {
  auto [a, peer] = connected();
  const std::string much(Late::most_bytes, 'm');
  std::string seen;
  std::vector<std::function<void()>> works;
  for (std::size_t sent = 0; sent < Late::most_unheard; sent += much.size()) {
    works.emplace_back([&] { (void)write(a, much); });
  }
  works.emplace_back([&] {
    (void)write(a, "now");  // with all that came before it
    seen = there(peer);
  });
  works.emplace_back([] {});
  turn(std::move(works));
  ASSERT_EQ(seen.size(), Late::most_unheard + 3);
  EXPECT_TRUE(seen.ends_with("now"));

  (void)there(peer);
  turn({[&] { (void)write(a, "took it"); }, [&] { EXPECT_EQ(there(peer), ""); }, [] {}});
  EXPECT_EQ(there(peer), "took it");

  rig::write_all(peer, "heard");
  rig.idle(5);
  std::array<char, 16> room;
  EXPECT_EQ(a.read(room.data(), room.size()).size, 5U);
  turn({[&] { (void)write(a, "late"); }, [&] { EXPECT_EQ(there(peer), ""); }, [] {}});
  EXPECT_EQ(there(peer), "late");
  close(peer);
}

TEST_F(LateWrites, LeaveBeforeTheirSocketDoes) {
  auto [a, peer] = connected();
  auto [c, other] = connected();
  auto [d, third] = connected();
  turn({[&] {
          (void)write(a, "bye");
          a.close();
          (void)write(c, "end");
          c.finish();
          (void)write(d, "never");
          d.abort();
        },
        [] {}});
  EXPECT_EQ(there(peer), "bye");
  EXPECT_EQ(there(other), "end");
  std::array<char, 8> room;
  EXPECT_EQ(recv(other, room.data(), room.size(), MSG_DONTWAIT), 0);
  EXPECT_EQ(there(third), "");
  close(peer);
  close(other);
  close(third);
}

// Fills what the kernel holds for the peer, behind the socket's back.
void fill(int fd) {
  const std::string much(64 * 1024, 'f');
  while (send(fd, much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0 || send(fd, "f", 1, MSG_DONTWAIT) > 0) {
  }
}

TEST_F(LateWrites, ThatTheKernelDoesNotTakeAreKeptForLater) {
  auto [a, peer] = connected();
  IoState next = IoState::done;
  turn({[&] {
          fill(a.watch().fd);
          EXPECT_EQ(write(a, "kept").size, 4U);
        },
        [] {}});
  EXPECT_FALSE(a.watch().writable);
  turn({[&] { next = write(a, "more").state; }, [] {}});
  EXPECT_EQ(next, IoState::again);
  std::string all;
  for (int i = 0; i < 100 && !all.ends_with("kept"); ++i) {
    all += there(peer);
    rig.idle(2);
  }
  EXPECT_TRUE(all.ends_with("fkept"));
  EXPECT_TRUE(a.watch().writable);
  close(peer);
}

TEST_F(LateWrites, ThatNobodyWillTakeEndAsAReset) {
  auto [a, peer] = connected();
  turn({[&] {
          fill(a.watch().fd);
          (void)write(a, "lost");
        },
        [] {}});
  a.close();
  EXPECT_FALSE(a.open());
  close(peer);
}

TEST_F(LateWrites, ToNobodyTellTheReader) {
  auto [a, peer] = connected();
  Sleeper sleeper(*rig);
  sleeper.deadline(Loop::clock_ns() / 1'000'000 + 5000);
  std::optional<Woke> woke;
  Task<> reading = [](Sleeper& by, Watch& watch, std::optional<Woke>& out) -> Task<> {
    watch.readable = false;
    out = co_await by.readable(watch);
  }(sleeper, a.watch(), woke);
  reading.start();
  turn({[&, fd = peer] {
          (void)write(a, "x");
          close(fd);
        },
        [] {}});
  ASSERT_TRUE(woke);
  EXPECT_EQ(*woke, Woke::ready);
  EXPECT_TRUE(a.gone());
}

}  // namespace
}  // namespace sluice::net
