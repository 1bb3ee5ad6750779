// SPDX-License-Identifier: MIT
#include "net/socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>

#include "net/connect.h"
#include "net/dns.h"
#include "net/rig_test.h"
#include "net/seam_test.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

using ::testing::HasSubstr;

// Reads until the end; the state it ended with.
Task<IoState> read_all(Socket& socket, Sleeper& sleeper, std::string& to, std::size_t step) {
  std::string room(step, '\0');
  for (;;) {
    const Io io = socket.read(room.data(), room.size());
    if (io.state == IoState::done) {
      to.append(room.data(), io.size);
      continue;
    }
    if (io.state != IoState::again) co_return io.state;
    const Woke woke = co_await sleeper.readable(socket.watch());
    if (woke != Woke::ready) co_return IoState::again;
  }
}

// Writes all of it in random pieces; true when it went through.
Task<bool> write_all(Socket& socket, Sleeper& sleeper, std::string_view bytes, std::mt19937& random) {
  while (!bytes.empty()) {
    std::vector<iovec> pieces;
    std::string_view left = bytes;
    for (int i = std::uniform_int_distribution(1, 80)(random); i > 0 && !left.empty(); --i) {
      const auto size = std::min<std::size_t>(left.size(), std::uniform_int_distribution<std::size_t>(0, 9000)(random));
      pieces.push_back({const_cast<char*>(left.data()), size});
      left.remove_prefix(size);
    }
    // What is pending must be offered again at least as long as it was.
    pieces.push_back({const_cast<char*>(left.data()), left.size()});
    const Io io = socket.write(pieces);
    if (io.state == IoState::done) {
      bytes.remove_prefix(io.size);
      continue;
    }
    if (io.state != IoState::again) co_return false;
    const Woke woke = co_await sleeper.writable(socket.watch());
    if (woke != Woke::ready) co_return false;
  }
  co_return true;
}

Task<> keep(Task<bool> task, bool& out) {
  out = co_await std::move(task);
}
Task<> keep(Task<IoState> task, IoState& out, bool& over) {
  out = co_await std::move(task);
  over = true;
}
Task<> keep(Task<Result<bool>> task, std::string& why) {
  const auto result = co_await std::move(task);
  why = result ? "shaken" : result.error()->detail;
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

struct Sockets : ::testing::Test {
  rig::Rig rig;
  rig::Certificates certificates;
  TlsClients clients;
  Sleeper here{*rig};
  Sleeper there{*rig};
  Socket a;
  Socket b;
  std::mt19937 random{11};

  void plain() {
    const auto [one, two] = rig::pair();
    a = Socket(*rig, one);
    b = Socket(*rig, two);
  }
  void tls() {
    plain();
    certificates.make("good", "DNS:localhost");
    const auto server = *TlsServer::make(certificates.path("good.pem"), certificates.path("good.key"));
    a.secure(std::move(*clients.begin("localhost", 443, certificates.path("ca.pem"))));
    b.secure(server->begin());
    std::string first;
    std::string second;
    Task<> one = keep(a.shake(here), first);
    Task<> two = keep(b.shake(there), second);
    one.start();
    two.start();
    rig.idle(60);
    ASSERT_EQ(first, "shaken");
    ASSERT_EQ(second, "shaken");
  }
  // Sends `bytes` from a to b and closes a; b must have got all of it, then a clean end.
  void carries(const std::string& bytes, std::size_t step) {
    std::string got;
    IoState end = IoState::again;
    bool over = false;
    bool sent = false;
    Task<> reading = keep(read_all(b, there, got, step), end, over);
    Task<> writing = keep(write_all(a, here, bytes, random), sent);
    reading.start();
    writing.start();
    for (int i = 0; i < 400 && !writing.done(); ++i) rig.idle(8);
    EXPECT_TRUE(sent);
    a.close();
    for (int i = 0; i < 400 && !over; ++i) rig.idle(8);
    EXPECT_TRUE(got == bytes) << got.size() << " of " << bytes.size();
    EXPECT_EQ(end, IoState::eof);
  }
};

TEST_F(Sockets, CarryMoreThanTheKernelHolds) {
  for (const std::size_t step : {700U, 16384U, 100'000U}) {
    plain();
    carries(noise(3'000'000), step);
  }
}

TEST_F(Sockets, CarryTlsInAnyPieces) {
  for (const std::size_t step : {700U, 16384U, 100'000U}) {
    tls();
    carries(noise(3'000'000), step);
  }
}

TEST_F(Sockets, PutSmallPiecesInOneRecord) {
  tls();
  int records = 0;
  SSL_set_msg_callback(b.ssl(), [](int writing, int, int kind, const void* bytes, std::size_t, SSL*, void* count) {
    if (writing == 0 && kind == SSL3_RT_HEADER && *static_cast<const unsigned char*>(bytes) == SSL3_RT_APPLICATION_DATA)
      ++*static_cast<int*>(count);
  });
  SSL_set_msg_callback_arg(b.ssl(), &records);
  std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  std::string body(9000, 'x');
  const std::array<iovec, 3> pieces{iovec{head.data(), head.size()}, iovec{nullptr, 0},
                                    iovec{body.data(), body.size()}};
  const Io io = a.write(pieces);
  EXPECT_EQ(io.size, head.size() + body.size());
  std::string room(20'000, '\0');
  EXPECT_EQ(b.read(room.data(), room.size()).size, io.size);
  EXPECT_EQ(records, 1);
}

TEST_F(Sockets, KnowThatAShortReadLeftNothing) {
  plain();
  rig::write_all(b.watch().fd, "four");
  rig.idle(10);
  EXPECT_TRUE(a.watch().readable);
  std::array<char, 64> room;
  EXPECT_EQ(a.read(room.data(), room.size()).size, 4U);
  EXPECT_FALSE(a.watch().readable);
  EXPECT_EQ(a.read(room.data(), room.size()).state, IoState::again);
}

TEST_F(Sockets, NeverTakeACutTlsStreamForItsEnd) {
  tls();
  b.abort();
  std::array<char, 64> room;
  rig.idle(10);
  EXPECT_EQ(a.read(room.data(), room.size()).state, IoState::broken);
  EXPECT_NE(a.error(), "");
}

TEST_F(Sockets, TellAResetFromAnEnd) {
  for (const bool reset : {true, false}) {
    const rig::Peer peer([&](int fd) {
      rig::read_exactly(fd, 1);
      const linger now{.l_onoff = 1, .l_linger = 0};
      if (reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    });
    const auto resolver = *Resolver::make(*rig);
    here.deadline(Loop::clock_ns() / 1'000'000 + 3000);
    const Origin origin{.host = "127.0.0.1", .port = peer.port};
    auto socket = rig.run(connect(*rig, here, origin, *resolver, clients));
    ASSERT_TRUE(socket) << socket.error()->detail;
    char byte = 'x';
    const iovec piece{&byte, 1};
    ASSERT_EQ(socket->write({&piece, 1}).size, 1U);
    std::string got;
    const IoState end = rig.run(read_all(*socket, here, got, 100));
    EXPECT_EQ(end, reset ? IoState::broken : IoState::eof);
    rig.idle(10);  // a read may find the end before the loop has told of it
    EXPECT_TRUE(socket->gone());
    if (reset) EXPECT_THAT(socket->error(), HasSubstr("reset"));
  }
}

TEST_F(Sockets, BreakOnWritingToNobody) {
  plain();
  b.close();
  char byte = 'x';
  const iovec piece{&byte, 1};
  EXPECT_EQ(a.write({&piece, 1}).state, IoState::broken);
  EXPECT_THAT(a.error(), HasSubstr("pipe"));
}

TEST_F(Sockets, MoveWithEverythingTheyHold) {
  tls();
  Socket moved = std::move(a);
  EXPECT_FALSE(a.open());
  EXPECT_TRUE(moved.tls());
  std::string hello = "hello";
  const iovec piece{hello.data(), hello.size()};
  ASSERT_EQ(moved.write({&piece, 1}).size, 5U);
  std::array<char, 64> room;
  EXPECT_EQ(b.read(room.data(), room.size()).size, 5U);
  moved = Socket();
  EXPECT_EQ(b.read(room.data(), room.size()).state, IoState::eof);
}

TEST_F(Sockets, RefuseToBeShakenBySomebodyElse) {
  plain();
  certificates.make("other", "DNS:example.com");
  const auto server = *TlsServer::make(certificates.path("other.pem"), certificates.path("other.key"));
  a.secure(std::move(*clients.begin("localhost", 443, certificates.path("ca.pem"))));
  b.secure(server->begin());
  std::string first;
  std::string second;
  Task<> one = keep(a.shake(here), first);
  Task<> two = keep(b.shake(there), second);
  one.start();
  two.start();
  rig.idle(60);
  EXPECT_THAT(first, HasSubstr("certificate refused"));
  a.close();
  rig.idle(20);
}

// ---- fail at the Nth operation, for every N

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// Connects through a SOCKS5 proxy and has one word echoed.
Task<Result<std::string>> ask_once(Loop& loop, Sleeper& sleeper, Origin origin, Resolver& resolver, TlsClients& tls) {
  CO_TRY(Socket socket, co_await connect(loop, sleeper, origin, resolver, tls));
  std::string word = "hello";
  std::size_t sent = 0;
  while (sent < word.size()) {
    const iovec piece{word.data() + sent, word.size() - sent};
    const Io io = socket.write({&piece, 1});
    if (io.state == IoState::broken) co_return fail(Fault::upstream_broken, "", socket.error());
    sent += io.size;
    if (io.state != IoState::again) continue;
    const Woke woke = co_await sleeper.writable(socket.watch());
    if (woke != Woke::ready) co_return fail(Fault::upstream_timeout, "");
  }
  std::string out;
  while (out.size() < word.size()) {
    std::array<char, 64> room;
    const Io io = socket.read(room.data(), room.size());
    if (io.state == IoState::done) out.append(room.data(), io.size);
    if (io.state == IoState::broken) co_return fail(Fault::upstream_broken, "", socket.error());
    if (io.state == IoState::eof) co_return fail(Fault::upstream_broken, "", "end");
    if (io.state != IoState::again) continue;
    const Woke woke = co_await sleeper.readable(socket.watch());
    if (woke != Woke::ready) co_return fail(Fault::upstream_timeout, "");
  }
  co_return out;
}

struct Spoiled : ::testing::Test {
  // Says yes to everybody, without looking.
  rig::Peer proxy{[](int fd) {
    if (rig::read_exactly(fd, 4).size() < 4) return;
    rig::write_all(fd, std::string("\x05\x00", 2));
    if (rig::read_exactly(fd, 7 + 9).size() < 7 + 9) return;
    rig::write_all(fd, std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10));
    rig::echo(fd);
  }};
  rig::Rig rig;
  std::unique_ptr<Resolver> resolver = *Resolver::make(*rig);
  TlsClients clients;
  Sleeper sleeper{*rig};
  Origin origin{
      .host = "a.invalid", .port = 80, .proxy = Proxy{Proxy::Kind::socks5, "127.0.0.1", proxy.port, "user", "word"}};

  Result<std::string> ask() {
    sleeper.clear();
    sleeper.deadline(Loop::clock_ns() / 1'000'000 + 3000);
    auto out = rig.run(ask_once(*rig, sleeper, origin, *resolver, clients));
    rig.idle(1);
    return out;
  }
};

TEST_F(Spoiled, ByOneFailureAnywhereItEndsCleanlyAndTheNextOneWorks) {
  ASSERT_EQ(ask().value_or("no"), "hello");
  const std::size_t before = open_descriptors();
  for (const int code : {ECONNRESET, EMFILE, ENOMEM}) {
    int failed = 0;
    for (int n = 1;; ++n) {
      int calls = 0;
      {
        rig::Seam seam;
        seam.fail_at = n;
        seam.code = code;
        const auto answer = ask();
        calls = seam.calls;
        if (answer) {
          EXPECT_EQ(*answer, "hello");
        } else {
          ++failed;
          EXPECT_NE(answer.error()->detail, "") << n;
          EXPECT_TRUE(answer.error()->fault == Fault::upstream_unreachable ||
                      answer.error()->fault == Fault::upstream_broken)
              << n << ": " << answer.error()->detail;
        }
      }
      EXPECT_FALSE(sleeper.asleep());
      EXPECT_EQ(open_descriptors(), before) << "call " << n;
      if (calls < n) break;  // it ran to the end without meeting its failure
    }
    EXPECT_GE(failed, 8);
    EXPECT_EQ(ask().value_or("no"), "hello");
  }
}

TEST_F(Spoiled, ByInterruptionsItStillWorks) {
  for (int n = 4;; ++n) {  // after the calls that cannot be interrupted without having done something
    rig::Seam seam;
    seam.fail_at = n;
    seam.code = EINTR;
    const auto answer = ask();
    EXPECT_TRUE(answer) << n << ": " << answer.error()->detail;
    if (seam.calls < n) break;
  }
}

TEST_F(Spoiled, ByBytesThatTrickleItStillWorks) {
  for (const std::size_t most : {1U, 2U, 3U}) {
    rig::Seam seam;
    seam.most = most;
    EXPECT_EQ(ask().value_or("no"), "hello");
  }
}

}  // namespace
}  // namespace sluice::net
