// SPDX-License-Identifier: MIT
#include "net/listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "net/rig_test.h"

namespace sluice::net {
namespace {

using ::testing::HasSubstr;

int dial(std::uint16_t port) {
  sockaddr_storage to;
  const socklen_t size = parse_address("127.0.0.1")->fill(to, port);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), size) == 0) return fd;
  close(fd);
  return -1;
}

struct Listening : ::testing::Test {
  rig::Rig rig;
  std::vector<int> accepted;
  std::vector<int> dialled;
  static void keep(void* self, int fd) { static_cast<Listening*>(self)->accepted.push_back(fd); }
  ~Listening() override {
    for (const int fd : accepted) close(fd);
    for (const int fd : dialled) close(fd);
  }
};

TEST_F(Listening, HandsOverEveryConnectionWithItsOptionsSet) {
  auto bound = Bound::make("127.0.0.1", 0, 1);
  ASSERT_TRUE(bound) << bound.error()->message;
  Listener listener(*rig, bound->take(0), keep, this);
  for (int i = 0; i < 300; ++i) dialled.push_back(dial(bound->port()));
  rig.idle(50);
  ASSERT_EQ(accepted.size(), 300U);
  int no_delay = 0;
  int keep_alive = 0;
  int idle = 0;
  socklen_t size = sizeof(int);
  getsockopt(accepted[7], IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  getsockopt(accepted[7], SOL_SOCKET, SO_KEEPALIVE, &keep_alive, &size);
  getsockopt(accepted[7], IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size);
  EXPECT_EQ(no_delay, 1);
  EXPECT_EQ(keep_alive, 1);
  EXPECT_EQ(idle, 60);
  EXPECT_TRUE(fcntl(accepted[7], F_GETFL) & O_NONBLOCK);
}

TEST_F(Listening, SpreadsConnectionsOverTheWorkers) {
  auto bound = Bound::make("127.0.0.1", 0, 2);
  ASSERT_TRUE(bound) << bound.error()->message;
  std::vector<int> first;
  std::vector<int> second;
  const auto into = [](void* list, int fd) { static_cast<std::vector<int>*>(list)->push_back(fd); };
  Listener one(*rig, bound->take(0), into, &first);
  Listener two(*rig, bound->take(1), into, &second);
  for (int i = 0; i < 200; ++i) dialled.push_back(dial(bound->port()));
  rig.idle(50);
  EXPECT_EQ(first.size() + second.size(), 200U);
  EXPECT_GT(first.size(), 40U);
  EXPECT_GT(second.size(), 40U);
  accepted = first;
  accepted.insert(accepted.end(), second.begin(), second.end());
}

TEST_F(Listening, RefusesAPortThatAnotherOfUsListensOn) {
  for (const int workers : {1, 4}) {
    const auto bound = Bound::make("127.0.0.1", 0, workers);
    ASSERT_TRUE(bound) << bound.error()->message;
    for (const int others : {1, 4}) {
      const auto again = Bound::make("127.0.0.1", bound->port(), others);
      ASSERT_FALSE(again) << workers << " and " << others;
      EXPECT_EQ(again.error()->fault, Fault::bad_request);
      EXPECT_THAT(again.error()->message, HasSubstr("Port " + std::to_string(bound->port())));
      EXPECT_THAT(again.error()->message, HasSubstr("PORT="));
      EXPECT_THAT(again.error()->message, HasSubstr("server.port"));
      // Any address stands in the way of one as well.
      EXPECT_FALSE(Bound::make("0.0.0.0", bound->port(), others));
    }
  }
}

TEST_F(Listening, TakesThePortAgainAtOnceAfterItsEnd) {
  std::uint16_t port = 0;
  {
    auto bound = Bound::make("127.0.0.1", 0, 2);
    ASSERT_TRUE(bound) << bound.error()->message;
    port = bound->port();
    Listener listener(*rig, bound->take(0), keep, this);
    for (int i = 0; i < 20; ++i) dialled.push_back(dial(port));
    rig.idle(30);
    for (const int fd : accepted) close(fd);  // our side first: TIME_WAIT
    accepted.clear();
  }
  EXPECT_TRUE(Bound::make("127.0.0.1", port, 2));
}

TEST_F(Listening, ListensOnEveryAddressOfAName) {
  auto bound = Bound::make("localhost", 0, 2);
  ASSERT_TRUE(bound) << bound.error()->message;
  EXPECT_THAT(bound->text(), HasSubstr("127.0.0.1:" + std::to_string(bound->port())));
  const auto descriptors = bound->take(1);
  EXPECT_FALSE(descriptors.empty());
  for (const int fd : descriptors) close(fd);
}

TEST_F(Listening, ListensOnBothFamiliesAtOnce) {
  auto bound = Bound::make("::", 0, 1);
  if (!bound) GTEST_SKIP() << "no IPv6 here: " << bound.error()->message;
  Listener listener(*rig, bound->take(0), keep, this);
  dialled.push_back(dial(bound->port()));  // IPv4
  rig.idle(30);
  EXPECT_EQ(accepted.size(), 1U);
}

TEST_F(Listening, SaysWhenTheHostIsNotOurs) {
  const auto elsewhere = Bound::make("192.0.2.1", 0, 1);
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error()->message, HasSubstr("no address of this machine"));
  const auto nonsense = Bound::make("not a host", 0, 1);
  ASSERT_FALSE(nonsense);
  EXPECT_THAT(nonsense.error()->message, HasSubstr("server.host"));
}

TEST_F(Listening, AcceptsWhatTheKernelTookBeforeItCloses) {
  auto bound = Bound::make("127.0.0.1", 0, 1);
  ASSERT_TRUE(bound) << bound.error()->message;
  Listener listener(*rig, bound->take(0), keep, this);
  for (int i = 0; i < 10; ++i) dialled.push_back(dial(bound->port()));
  listener.close();
  EXPECT_EQ(accepted.size(), 10U);
  EXPECT_EQ(dial(bound->port()), -1);
}

// As the successor of a process has them: the same sockets, under other numbers.
std::vector<int> copies(const std::vector<int>& sockets) {
  std::vector<int> out;
  for (const int fd : sockets) out.push_back(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  return out;
}

TEST_F(Listening, PassesItsQueueOnToWhoeverHasTheSameSocket) {
  auto bound = Bound::make("127.0.0.1", 0, 1);
  ASSERT_TRUE(bound) << bound.error()->message;
  const std::uint16_t port = bound->port();
  Listener first(*rig, bound->take(0), keep, this);
  auto again = Bound::adopt(copies(first.sockets()), 1);
  ASSERT_TRUE(again) << again.error()->message;
  for (int i = 0; i < 10; ++i) dialled.push_back(dial(port));
  first.close(true);
  EXPECT_EQ(accepted.size(), 0U);
  dialled.push_back(dial(port));
  Listener second(*rig, again->take(0), keep, this);
  rig.idle(30);
  EXPECT_EQ(accepted.size(), 11U);
}

TEST_F(Listening, AdoptsSocketsForMoreAndForFewerWorkers) {
  auto bound = Bound::make("127.0.0.1", 0, 3);
  ASSERT_TRUE(bound) << bound.error()->message;
  std::vector<int> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(bound->take(i).front());
  auto fewer = Bound::adopt(copies(sockets), 2);
  auto as_many = Bound::adopt(copies(sockets), 3);
  auto more = Bound::adopt(sockets, 5);
  ASSERT_TRUE(fewer && as_many && more);
  EXPECT_EQ(more->text(), bound->text());
  EXPECT_TRUE(more->is_at("127.0.0.1", bound->port()));
  EXPECT_FALSE(more->is_at("127.0.0.1", static_cast<std::uint16_t>(bound->port() + 1)));
  EXPECT_FALSE(more->is_at("0.0.0.0", bound->port()));
  EXPECT_TRUE(fewer->even());
  EXPECT_TRUE(as_many->even());
  EXPECT_FALSE(more->even());  // connections must be dealt
  const auto of_first = fewer->take(0);
  EXPECT_EQ(of_first.size(), 2U);
  for (const int fd : of_first) close(fd);
}

TEST_F(Listening, AdoptsSocketsOfSeveralPlaces) {
  auto one = Bound::make("127.0.0.1", 0, 1);
  auto two = Bound::make("127.0.0.2", 0, 1);
  ASSERT_TRUE(one && two);
  auto both = Bound::adopt({one->take(0).front(), two->take(0).front()}, 1);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->text(), one->text() + ", " + two->text());
  EXPECT_TRUE(both->even());
  EXPECT_FALSE(both->is_at("127.0.0.1", one->port()));
}

TEST_F(Listening, AdoptsNothingButListeningSockets) {
  EXPECT_FALSE(Bound::adopt({}, 1));
  const int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto refused = Bound::adopt({plain}, 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error()->message, HasSubstr("no listening TCP socket"));
  EXPECT_EQ(fcntl(plain, F_GETFD), -1) << "it was taken all the same";
}

TEST_F(Listening, ShedsWhatItHasNoDescriptorForAndGoesOn) {
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer itself opens pipes to look at memory";
#endif
  auto bound = Bound::make("127.0.0.1", 0, 1);
  ASSERT_TRUE(bound) << bound.error()->message;
  Listener listener(*rig, bound->take(0), keep, this);
  for (int i = 0; i < 5; ++i) dialled.push_back(dial(bound->port()));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int used = dup(0);
  close(used);
  const rlimit tight{static_cast<rlim_t>(used), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &tight);
  rig.idle(30);
  EXPECT_EQ(accepted.size(), 0U);
  EXPECT_EQ(listener.shed(), 0U);  // first it waits for room
  rig.idle(100);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(listener.shed(), 5U);
  char byte = 0;
  EXPECT_EQ(recv(dialled[0], &byte, 1, 0), 0);  // told at once, not left to hang
  dialled.push_back(dial(bound->port()));
  rig.idle(30);
  EXPECT_EQ(accepted.size(), 1U);
}

TEST_F(Listening, MayBeClosedByTheOneItHandsConnectionsTo) {
  auto bound = Bound::make("127.0.0.1", 0, 1);
  ASSERT_TRUE(bound) << bound.error()->message;
  struct Closer {
    std::unique_ptr<Listener> listener;
    std::vector<int> fds;
  } closer;
  closer.listener = std::make_unique<Listener>(
      *rig, bound->take(0),
      [](void* self, int fd) {
        static_cast<Closer*>(self)->fds.push_back(fd);
        static_cast<Closer*>(self)->listener->close();
      },
      &closer);
  for (int i = 0; i < 5; ++i) dialled.push_back(dial(bound->port()));
  rig.idle(30);
  EXPECT_EQ(closer.fds.size(), 5U);
  accepted = closer.fds;
}

}  // namespace
}  // namespace sluice::net
