// Sessions on a loop of the test's own. SPDX-License-Identifier: MIT
#include "gateway/session.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "gateway/worker.h"

namespace sluice {
namespace {

std::vector<bool> told;

// Runs the loop until `reached`, 10 s at most.
void run_until(net::Loop& loop, const std::function<bool()>& reached) {
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::function<void()> look = [&] {
    reached() || std::chrono::steady_clock::now() > late ? loop.stop() : loop.post(look);
  };
  loop.post(look);
  loop.run();
  EXPECT_TRUE(reached());
}

TEST(Sessions, TellWhenExchangesBecomeManyAndFewAgain) {
  told.clear();
  Shared shared;
  shared.most_connections = 1000;
  shared.return_memory = [](bool at_once) { told.push_back(at_once); };
  auto loaded = load_config("auth: open\n", "test", [](const char*) { return std::optional<std::string>(); });
  ASSERT_TRUE(loaded.ok()) << loaded.faults.front().message;
  auto worker = Worker::make(shared, Snapshot::compile(loaded.config), Directory::of(loaded.config));
  ASSERT_TRUE(worker);
  std::vector<int> clients;
  // An exchange is open while its body is awaited.
  const auto open = [&](std::size_t count) {
    while (clients.size() < count) {
      int ends[2];
      ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
      clients.push_back(ends[0]);
      constexpr std::string_view head =
          "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: "
          "9\r\n\r\n";
      ASSERT_EQ(::write(ends[0], head.data(), head.size()), static_cast<ssize_t>(head.size()));
      (*worker)->accept(ends[1]);
    }
    run_until((*worker)->loop(), [&] { return shared.open_exchanges == static_cast<std::int64_t>(count); });
  };
  const auto leave = [&](std::size_t left) {
    for (; clients.size() > left; clients.pop_back()) ::close(clients.back());
    run_until((*worker)->loop(), [&] { return shared.open_exchanges == static_cast<std::int64_t>(left); });
  };
  open(127);
  EXPECT_EQ(told, std::vector<bool>());
  open(128);
  EXPECT_EQ(told, std::vector<bool>({true}));
  open(140);
  leave(128);
  EXPECT_EQ(told, std::vector<bool>({true}));  // still many
  leave(127);
  EXPECT_EQ(told, std::vector<bool>({true, false}));
  open(128);
  EXPECT_EQ(told, std::vector<bool>({true, false, true}));
  leave(0);
  EXPECT_EQ(told, std::vector<bool>({true, false, true, false}));
}

}  // namespace
}  // namespace sluice
