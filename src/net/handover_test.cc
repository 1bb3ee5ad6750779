// SPDX-License-Identifier: MIT
#include "net/handover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "net/supervisor.h"

namespace sluice::net {
namespace {

using Said = HandoverDoor::Said;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

struct Handover : ::testing::TestWithParam<bool> {
  Handover() : folder(std::filesystem::temp_directory_path() / ("sluice-door-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
    address = GetParam() ? "@sluice-test-" + std::to_string(::getpid()) : (folder / "door").string();
    auto made = Bound::make("127.0.0.1", 0, 1);
    EXPECT_TRUE(made);
    own.sockets = made->take(0);
  }
  ~Handover() override {
    for (const int fd : own.sockets) ::close(fd);
    std::filesystem::remove_all(folder);
  }
  [[nodiscard]] std::unique_ptr<HandoverDoor> open() const {
    auto door = HandoverDoor::open(address);
    EXPECT_TRUE(door) << (door ? "" : door.error()->message);
    return door ? *std::move(door) : nullptr;
  }
  // Lets the running process hear what comes, until it hears this.
  bool hears(HandoverDoor& door, Said wanted) const {
    for (int i = 0; i < 500; ++i) {
      pollfd on{.fd = door.guest() >= 0 ? door.guest() : door.listening(), .events = POLLIN, .revents = 0};
      ::poll(&on, 1, 10);
      if (door.turn(own) == wanted) return true;
    }
    return false;
  }
  std::filesystem::path folder;
  std::string address;
  Inherited own;
};

INSTANTIATE_TEST_SUITE_P(At, Handover, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "AName" : "APath"; });

TEST_P(Handover, GivesEverySocketAndFreesTheAddressOnceTheOtherServes) {
  const auto door = open();
  while (own.sockets.size() < 150) own.sockets.push_back(::dup(own.sockets.front()));  // more than fit into one packet
  own.activated = true;
  Inherited got;
  std::unique_ptr<HandoverDoor> next;
  std::thread successor([&] {
    auto before = Predecessor::meet(address, milliseconds(5000));
    if (!before || !*before) return;
    EXPECT_EQ((*before)->pid(), ::getpid());
    got = (*before)->take();
    EXPECT_TRUE((*before)->replace());
    next = open();  // the address is free by now
  });
  EXPECT_TRUE(hears(*door, Said::asked));
  EXPECT_TRUE(hears(*door, Said::serves));
  successor.join();
  EXPECT_TRUE(next);
  EXPECT_EQ(door->listening(), -1);
  EXPECT_EQ(got.sockets.size(), own.sockets.size());
  EXPECT_TRUE(got.activated);
  auto bound = Bound::adopt(got.sockets, 1);
  EXPECT_TRUE(bound);
}

TEST_P(Handover, GoesOnWhenTheSuccessorLeavesBeforeItServes) {
  const auto door = open();
  std::thread successor([&] { EXPECT_TRUE(Predecessor::meet(address, milliseconds(5000))); });
  EXPECT_TRUE(hears(*door, Said::asked));
  successor.join();
  EXPECT_TRUE(hears(*door, Said::left));
  std::thread another([&] { EXPECT_TRUE(Predecessor::meet(address, milliseconds(5000))); });
  EXPECT_TRUE(hears(*door, Said::asked));
  another.join();
}

TEST_P(Handover, MeetsNobodyWhereNobodyListens) {
  const auto none = Predecessor::meet(address, milliseconds(1000));
  ASSERT_TRUE(none) << none.error()->message;
  EXPECT_FALSE(none->has_value());
}

TEST_P(Handover, IsNotWaitedForWithoutEnd) {
  const auto door = open();  // and nobody turns it
  const auto silent = Predecessor::meet(address, milliseconds(100));
  ASSERT_FALSE(silent);
  EXPECT_THAT(silent.error()->message, HasSubstr("did not hand over"));
}

TEST_P(Handover, HasOneDoorPerAddress) {
  const auto door = open();
  const auto second = HandoverDoor::open(address);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error()->message, HasSubstr(address));
}

struct HandoverPath : Handover {};
INSTANTIATE_TEST_SUITE_P(At, HandoverPath, ::testing::Values(false));

TEST_P(HandoverPath, ReplacesWhatADeadProcessLeftAndNothingElse) {
  {
    const int dead = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
    address.copy(name.sun_path, address.size());
    ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    ::close(dead);
  }
  EXPECT_TRUE(std::filesystem::exists(address));
  EXPECT_TRUE(open());
  EXPECT_FALSE(std::filesystem::exists(address)) << "a door that closes takes its name along";
  std::ofstream(address) << "somebody's file";
  EXPECT_FALSE(HandoverDoor::open(address));
  EXPECT_TRUE(std::filesystem::exists(address));
}

TEST(Supervisor, ActivatesTheProcessItMeansOnly) {
  const auto sockets = activated_sockets({.listen_fds = "3", .listen_pid = "17", .notify_socket = {}}, 17);
  ASSERT_TRUE(sockets);
  EXPECT_EQ(sockets->sockets, (std::vector<int>{3, 4, 5}));
  EXPECT_TRUE(sockets->activated);
  for (const char* pid : {"18", "", "x"}) {
    const auto none = activated_sockets({.listen_fds = "3", .listen_pid = pid, .notify_socket = {}}, 17);
    EXPECT_TRUE(none && none->sockets.empty() && !none->activated) << pid;
  }
  for (const char* count : {"-1", "x", "1 ", "99999999999"})
    EXPECT_FALSE(activated_sockets({.listen_fds = count, .listen_pid = "17", .notify_socket = {}}, 17)) << count;
  EXPECT_TRUE(activated_sockets({}, 17)->sockets.empty());
}

TEST(Supervisor, IsToldByDatagram) {
  const std::string name = "@sluice-notify-" + std::to_string(::getpid());
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un here{.sun_family = AF_UNIX, .sun_path = {}};
  name.copy(here.sun_path, name.size());
  here.sun_path[0] = '\0';
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&here),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
            0);
  Notifier(name).tell("READY=1\nMAINPID=7");
  std::array<char, 64> packet{};
  const ssize_t got = recv(fd, packet.data(), packet.size(), MSG_DONTWAIT);
  EXPECT_EQ(std::string(packet.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))), "READY=1\nMAINPID=7");
  ::close(fd);
  Notifier(name).tell("nobody hears it");
  Notifier().tell("nor this");
  Notifier("relative/path").tell("nor this");
}

}  // namespace
}  // namespace sluice::net
