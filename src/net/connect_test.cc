// SPDX-License-Identifier: MIT
#include "net/connect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "net/dns.h"
#include "net/rig_test.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Connecting : ::testing::Test {
  rig::Rig rig;
  std::unique_ptr<Resolver> resolver = std::move(*Resolver::make(*rig));
  TlsClients tls;
  Sleeper sleeper{*rig};
  rig::Certificates certificates;

  Result<Socket> connect_to(const Origin& origin, int ms = 3000) {
    sleeper.deadline(Loop::clock_ns() / 1'000'000 + ms);
    return rig.run(connect(*rig, sleeper, origin, *resolver, tls));
  }
  // Sends and returns what comes back, at least one byte.
  std::string ask(Socket& socket, std::string bytes) { return rig.run(talk(sleeper, socket, std::move(bytes))); }

  static Task<std::string> talk(Sleeper& sleeper, Socket& socket, std::string bytes) {
    const iovec piece{bytes.data(), bytes.size()};
    const Io sent = socket.write({&piece, 1});
    if (sent.state != IoState::done || sent.size != bytes.size()) co_return "<not sent>";
    std::string out(4096, '\0');
    for (;;) {
      const Io io = socket.read(out.data(), out.size());
      if (io.state == IoState::done) {
        out.resize(io.size);
        co_return out;
      }
      if (io.state != IoState::again) co_return "<" + socket.error() + ">";
      const Woke woke = co_await sleeper.readable(socket.watch());
      if (woke != Woke::ready) co_return "<asleep>";
    }
  }
};

// Speaks TLS as `server` on accepted connections and echoes; counts resumed handshakes.
struct TlsPeer {
  explicit TlsPeer(std::shared_ptr<TlsServer> with, bool v6 = false)
      : server(std::move(with)), peer([this](int fd) { serve(fd); }, v6) {}
  std::shared_ptr<TlsServer> server;
  std::atomic<int> resumed{0};
  std::string alpn, sni;  // of the last handshake; read after the peer answered
  rig::Peer peer;

  void serve(int fd) {
    const Ssl ssl = server->begin();
    SSL_set_fd(ssl.get(), fd);
    if (SSL_do_handshake(ssl.get()) != 1) return;
    resumed += SSL_session_reused(ssl.get());
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl.get(), &protocol, &size);
    alpn.assign(reinterpret_cast<const char*>(protocol), size);
    const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    sni = name ? name : "";
    std::array<char, 4096> room;
    for (;;) {
      const int got = SSL_read(ssl.get(), room.data(), room.size());
      if (got <= 0) break;
      SSL_write(ssl.get(), room.data(), got);
    }
    SSL_shutdown(ssl.get());
  }
};

TEST_F(Connecting, ReachesANumericAddress) {
  const rig::Peer peer(rig::echo);
  auto socket = connect_to({.host = "127.0.0.1", .port = peer.port});
  ASSERT_TRUE(socket) << socket.error().detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(socket->peer(), "127.0.0.1");
}

TEST_F(Connecting, ReachesLocalhostOverTheFamilyThatAnswers) {
  const rig::Peer peer(rig::echo);  // IPv4 only: ::1 refuses
  auto socket = connect_to({.host = "localhost", .port = peer.port});
  ASSERT_TRUE(socket) << socket.error().detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
}

TEST_F(Connecting, NamesTheAddressThatRefused) {
  const std::uint16_t port = rig::free_port();
  const auto socket = connect_to({.host = "127.0.0.1", .port = port});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().fault, Fault::upstream_unreachable);
  EXPECT_THAT(socket.error().detail, HasSubstr("127.0.0.1: Connection refused"));
  EXPECT_THAT(socket.error().detail, HasSubstr(std::to_string(port)));
}

TEST_F(Connecting, SpeaksVerifiedTlsWithNameAndProtocol) {
  certificates.make("good", "DNS:localhost");
  TlsPeer peer(*TlsServer::make(certificates.path("good.pem"), certificates.path("good.key")));
  auto socket =
      connect_to({.tls = true, .host = "localhost", .port = peer.peer.port, .ca_file = certificates.path("ca.pem")});
  ASSERT_TRUE(socket) << socket.error().detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(peer.alpn, "http/1.1");
  EXPECT_EQ(peer.sni, "localhost");
}

}  // namespace
}  // namespace sluice::net
