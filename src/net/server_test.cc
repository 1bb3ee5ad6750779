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

// The same, every other body in chunks, taken piece by piece.
Task<int> take_requests(ServerConnection& client) {
  const ServerConnection::Patience patience;
  for (int right = 0;; ++right) {
    const auto head = co_await client.receive_head(patience);
    if (!head || !*head) co_return right;
    const auto request = static_cast<std::size_t>(right);
    if (client.head().target != "/" + std::to_string(right)) co_return -1;
    const auto begun = co_await client.begin_body(patience);
    if (!begun) co_return -2;
    client.release_head();
    std::string body;
    for (;;) {
      std::string_view piece;
      const auto got = client.take_body(piece);
      if (!got) co_return -3;
      if (*got == ServerConnection::Body::over) break;
      if (*got == ServerConnection::Body::piece) {
        body += piece;
        continue;
      }
      co_await client.sleeper().readable(client.socket().watch());
    }
    if (request >= sizes.size() || body != body_of(request) || !client.request_read()) co_return -4;
    client.release_request();
  }
}

TEST(ServerConnection, HandsABodyOnPieceByPiece) {
  std::string wire;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string body = body_of(i);
    wire += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n";
    if (i % 2 == 0) {
      wire += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      continue;
    }
    wire += "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size(); at += 30'000) {
      const std::string chunk = body.substr(at, 30'000);
      http1::append_chunk_size(wire, chunk.size());
      wire += chunk + "\r\n";
    }
    wire += "0\r\nTrailer: x\r\n\r\n";
  }
  for (const std::size_t piece : {std::size_t{0}, std::size_t{999}, std::size_t{40'000}, std::size_t{65'536}}) {
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
    EXPECT_EQ(rig.run(take_requests(client)), static_cast<int>(sizes.size())) << piece;
  }
}

TEST(Ear, WakesASleepThatWaitsForSomethingElse) {
  rig::Rig rig;
  const rig::Pair slept_on = rig::pair(false), heard = rig::pair(false);
  Socket one(*rig, slept_on.a), other(*rig, heard.a);
  Sleeper sleeper(*rig);
  const auto sleep = [](Sleeper& s, Socket& on, Socket& ear) -> Task<Woke> {
    s.deadline(s.loop().now_ms() + 5'000);
    const Ear listening(s, ear.watch());
    const Woke woke = co_await s.readable(on.watch());
    co_return woke;
  };
  std::thread peer([&] { rig::write_all(heard.b, "x"); });
  EXPECT_EQ(rig.run(sleep(sleeper, one, other)), Woke::ready);
  peer.join();
  EXPECT_TRUE(other.watch().readable);
  EXPECT_EQ(other.watch().reader, nullptr);
  ::close(slept_on.b);
  ::close(heard.b);
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
  EXPECT_TRUE(scratch.take(0).empty());
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
  EXPECT_EQ(scratch.take(1).size(), 1u);
  EXPECT_EQ(scratch.bytes.data(), first);
  EXPECT_EQ(scratch.bytes.size(), Scratch::size);
}

}  // namespace
}  // namespace sluice::net
