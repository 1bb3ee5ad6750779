// SPDX-License-Identifier: MIT
#include "net/server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "net/rig_test.h"

namespace sluice::net {
namespace {

constexpr std::array<std::size_t, 8> sizes = {10, 40'000, 50'000, 66'000, 200, 33'000, 300'000, 0};

std::string body_of(std::size_t request) {
  std::string body;
  while (body.size() < sizes[request]) body += std::to_string(request) + ":" + std::to_string(body.size()) + ",";
  body.resize(sizes[request]);
  return body;
}

std::string all_requests() {
  std::string out;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    out += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(sizes[i]) +
           "\r\n\r\n" + body_of(i);
  }
  return out;
}

// Reads requests until the client closes, as the gateway does; how many were right.
Task<int> read_requests(ServerConnection& client) {
  const ServerConnection::Patience patience;
  for (int right = 0;; ++right) {
    const auto head = co_await client.receive_head(patience);
    if (!head || !*head) co_return right;
    const auto body = co_await client.receive_body(patience, 1 << 20);
    const auto request = static_cast<std::size_t>(right);
    if (!body || request >= sizes.size() || *body != body_of(request)) co_return -1;
    if (client.head().target != "/" + std::to_string(right)) co_return -1;
    client.release_request();
  }
}

TEST(ServerConnection, ReadsLargeAndSmallRequestsHoweverTheyArrive) {
  const std::string wire = all_requests();
  for (const std::size_t piece : {std::size_t{0}, std::size_t{1000}, std::size_t{40'000}, std::size_t{65'536}}) {
    rig::Rig rig;
    Scratch scratch;
    const rig::Pair pair = rig::pair(false);
    std::jthread peer([&] {
      const std::size_t step = piece == 0 ? wire.size() : piece;
      for (std::size_t at = 0; at < wire.size(); at += step)
        rig::write_all(pair.b, std::string_view(wire).substr(at, step));
      ::close(pair.b);
    });
    Socket socket(*rig, pair.a);
    ASSERT_TRUE(socket.open());
    Sleeper sleeper(*rig);
    ServerConnection client(std::move(socket), sleeper, scratch);
    EXPECT_EQ(rig.run(read_requests(client)), static_cast<int>(sizes.size())) << piece;
  }
}

TEST(ServerConnection, HandsALargeRequestOnWithoutACopyAndGivesItsBufferBack) {
  rig::Rig rig;
  Scratch scratch;
  const rig::Pair pair = rig::pair(false);
  rig::write_all(pair.b, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n" + std::string(50'000, 'x'));
  Socket socket(*rig, pair.a);
  ASSERT_TRUE(socket.open());
  Sleeper sleeper(*rig);
  ServerConnection client(std::move(socket), sleeper, scratch);
  const char* const first = scratch.bytes.data();
  const auto read = [](ServerConnection& c) -> Task<std::string_view> {
    const ServerConnection::Patience patience;
    const auto head = co_await c.receive_head(patience);
    const auto body = co_await c.receive_body(patience, 1 << 20);
    co_return head && *head&& body ? *body : std::string_view();
  };
  const std::string_view body = rig.run(read(client));
  ASSERT_EQ(body.size(), 50'000u);
  EXPECT_TRUE(body.data() > first && body.data() < first + Scratch::size) << "the body was copied";
  EXPECT_NE(scratch.bytes.data(), first);
  client.release_request();
  const std::string other = scratch.take(0);
  EXPECT_EQ(scratch.bytes.data(), first);
  ::close(pair.b);
}

TEST(Scratch, LendsItsBufferAndTakesItBack) {
  Scratch scratch;
  const char* const first = scratch.bytes.data();
  scratch.bytes.replace(0, 5, "hello");
  std::string lent = scratch.take(5);
  EXPECT_EQ(lent, "hello");
  EXPECT_EQ(lent.data(), first);
  EXPECT_EQ(scratch.bytes.size(), Scratch::size);
  scratch.give_back(std::move(lent));
  scratch.give_back("something small");
  const std::string other = scratch.take(1);
  EXPECT_EQ(scratch.bytes.data(), first);
  EXPECT_EQ(scratch.bytes.size(), Scratch::size);
}

}  // namespace
}  // namespace sluice::net
