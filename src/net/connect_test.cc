// SPDX-License-Identifier: MIT
#include "net/connect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "net/dns.h"
#include "net/name_server_test.h"
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
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(socket->peer(), "127.0.0.1");
}

TEST_F(Connecting, ReachesLocalhostOverTheFamilyThatAnswers) {
  const rig::Peer peer(rig::echo);  // IPv4 only: ::1 refuses
  auto socket = connect_to({.host = "localhost", .port = peer.port});
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
}

TEST_F(Connecting, WhatMayGoToPublicAddressesOnlyReachesNobodyHere) {
  std::atomic<int> calls{0};
  const rig::Peer canary([&](int) { ++calls; });
  for (const char* host : {"127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "0.0.0.0", "127.0.0.2", "127.1",
                           "2130706433", "0x7f.0.0.1", "0177.0.0.1"}) {
    const auto socket = connect_to({.host = host, .port = canary.port, .public_only = true}, 1000);
    ASSERT_FALSE(socket) << host;
    const Fault fault = socket.error()->fault;
    EXPECT_TRUE(fault == Fault::forbidden || fault == Fault::upstream_unreachable || fault == Fault::upstream_timeout)
        << host;
  }
  const auto named = connect_to({.host = "localhost", .port = canary.port, .public_only = true});
  EXPECT_EQ(named.error()->fault, Fault::forbidden);
  EXPECT_THAT(named.error()->detail, HasSubstr("is loopback"));
  const Origin over_proxy{
      .host = "example.com", .port = 80, .proxy = Proxy{.host = "127.0.0.1", .port = canary.port}, .public_only = true};
  EXPECT_EQ(connect_to(over_proxy).error()->fault, Fault::forbidden);
  EXPECT_EQ(calls, 0);
}

TEST_F(Connecting, NamesTheAddressThatRefused) {
  const std::uint16_t port = rig::free_port();
  const auto socket = connect_to({.host = "127.0.0.1", .port = port});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error()->fault, Fault::upstream_unreachable);
  EXPECT_THAT(socket.error()->detail, HasSubstr("127.0.0.1: Connection refused"));
  EXPECT_THAT(socket.error()->detail, HasSubstr(std::to_string(port)));
}

// 127.0.0.2 on the port of `peer`: nobody there, or somebody whose queue is full, so that he never answers.
struct Silent {
  explicit Silent(std::uint16_t port) {
    const socklen_t size = parse_address("127.0.0.2")->fill(at, port);
    if (bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener, 0) != 0) std::abort();
    for (int& fd : callers) {
      fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      connect(fd, reinterpret_cast<sockaddr*>(&at), size);
    }
  }
  ~Silent() {
    for (const int fd : callers) close(fd);
    close(listener);
  }
  sockaddr_storage at{};
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::array<int, 8> callers{};
};

TEST_F(Connecting, GoesOnToTheNextAddressAtOnceWhenOneRefuses) {
  rig::NameServer names;
  names.set("two.test", {.addresses = {"127.0.0.2", "127.0.0.1"}});
  resolver = std::move(*Resolver::make(*rig, {.servers = names.address()}));
  const rig::Peer peer(rig::echo);
  auto socket = connect_to({.host = "two.test", .port = peer.port}, 1000);
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(socket->peer(), "127.0.0.1");
}

TEST_F(Connecting, GivesAnAddressThatIsSilentOnlyItsShareOfTheTime) {
  rig::NameServer names;
  names.set("two.test", {.addresses = {"127.0.0.2", "127.0.0.1"}});
  resolver = std::move(*Resolver::make(*rig, {.servers = names.address()}));
  const rig::Peer peer(rig::echo);
  const Silent silent(peer.port);
  const auto alone = connect_to({.host = "127.0.0.2", .port = peer.port}, 100);
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error()->fault, Fault::upstream_timeout);
  EXPECT_THAT(alone.error()->detail, HasSubstr("127.0.0.2: no answer"));
  const std::int64_t before = rig->now_ms();
  auto socket = connect_to({.host = "two.test", .port = peer.port}, 3200);
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(socket->peer(), "127.0.0.1");
  EXPECT_GE(rig->now_ms() - before, 1500);
  EXPECT_LT(rig->now_ms() - before, 3000);
}

TEST_F(Connecting, SpeaksVerifiedTlsWithNameAndProtocol) {
  certificates.make("good", "DNS:localhost");
  TlsPeer peer(*TlsServer::make(certificates.path("good.pem"), certificates.path("good.key")));
  auto socket =
      connect_to({.tls = true, .host = "localhost", .port = peer.peer.port, .ca_file = certificates.path("ca.pem")});
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(peer.alpn, "http/1.1");
  EXPECT_EQ(peer.sni, "localhost");
}

TEST_F(Connecting, ProvesANumericAddressWithoutNamingIt) {
  certificates.make("number", "IP:127.0.0.1");
  TlsPeer peer(*TlsServer::make(certificates.path("number.pem"), certificates.path("number.key")));
  auto socket =
      connect_to({.tls = true, .host = "127.0.0.1", .port = peer.peer.port, .ca_file = certificates.path("ca.pem")});
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(peer.sni, "");  // RFC 6066, section 3
}

TEST_F(Connecting, ResumesTheSessionOfTheSameOriginOnly) {
  certificates.make("good", "DNS:localhost");
  const auto server = *TlsServer::make(certificates.path("good.pem"), certificates.path("good.key"));
  TlsPeer peer(server);
  TlsPeer other(server);  // same tickets, other port: another origin
  const Origin origin{.tls = true, .host = "localhost", .port = peer.peer.port, .ca_file = certificates.path("ca.pem")};
  for (int i = 0; i < 3; ++i) {
    auto socket = connect_to(origin);
    ASSERT_TRUE(socket) << socket.error()->detail;
    EXPECT_EQ(ask(*socket, "hello"), "hello");  // tickets come with the first bytes in TLS 1.3
    EXPECT_EQ(SSL_session_reused(socket->ssl()), i > 0);
  }
  EXPECT_EQ(peer.resumed, 2);
  EXPECT_EQ(tls.sessions(), 1U);
  Origin second = origin;
  second.port = other.peer.port;
  auto socket = connect_to(second);
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(other.resumed, 0);
  EXPECT_EQ(tls.sessions(), 2U);
}

TEST_F(Connecting, LetsASocketOutliveTheSessionsOfItsLoop) {
  certificates.make("good", "DNS:localhost");
  TlsPeer peer(*TlsServer::make(certificates.path("good.pem"), certificates.path("good.key")));
  auto clients = std::make_unique<TlsClients>();
  sleeper.deadline(Loop::clock_ns() / 1'000'000 + 3000);
  const Origin origin{.tls = true, .host = "localhost", .port = peer.peer.port, .ca_file = certificates.path("ca.pem")};
  auto socket = rig.run(connect(*rig, sleeper, origin, *resolver, *clients));
  ASSERT_TRUE(socket) << socket.error()->detail;
  clients.reset();
  EXPECT_EQ(ask(*socket, "hello"), "hello");  // its tickets arrive now
}

TEST_F(Connecting, RefusesEveryCertificateThatProvesNothing) {
  struct Case {
    const char* name;
    const char* names;
    long from;
    long until;
    bool trusted;
    const char* why;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"other", "DNS:example.com", -3600, 3600, true, "hostname mismatch"},
           {"number", "IP:127.0.0.1", -3600, 3600, true, "hostname mismatch"},
           {"expired", "DNS:localhost", -7200, -3600, true, "expired"},
           {"early", "DNS:localhost", 3600, 7200, true, "not yet valid"},
           {"stranger", "DNS:localhost", -3600, 3600, false, "unable to get local issuer certificate"},
       }) {
    certificates.make(one.name, one.names, one.from, one.until);
    TlsPeer peer(*TlsServer::make(certificates.path(std::string(one.name) + ".pem"),
                                  certificates.path(std::string(one.name) + ".key")));
    const auto socket = connect_to({.tls = true,
                                    .host = "localhost",
                                    .port = peer.peer.port,
                                    .ca_file = one.trusted ? certificates.path("ca.pem") : ""});
    ASSERT_FALSE(socket) << one.name;
    EXPECT_EQ(socket.error()->fault, Fault::upstream_unreachable);
    EXPECT_THAT(socket.error()->detail, HasSubstr("localhost: TLS: certificate refused")) << one.name;
    EXPECT_THAT(socket.error()->detail, HasSubstr(one.why)) << one.name;
  }
}

TEST_F(Connecting, RefusesTlsOlderThanOneTwo) {
  certificates.make("good", "DNS:localhost");
  const auto server = *TlsServer::make(certificates.path("good.pem"), certificates.path("good.key"));
  const rig::Peer peer([&](int fd) {
    const Ssl ssl = server->begin();
    SSL_set_security_level(ssl.get(), 0);
    SSL_set_min_proto_version(ssl.get(), TLS1_VERSION);
    SSL_set_max_proto_version(ssl.get(), TLS1_1_VERSION);
    SSL_set_fd(ssl.get(), fd);
    EXPECT_NE(SSL_do_handshake(ssl.get()), 1);
  });
  const auto socket =
      connect_to({.tls = true, .host = "localhost", .port = peer.port, .ca_file = certificates.path("ca.pem")});
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error()->detail, HasSubstr("protocol version"));
}

TEST_F(Connecting, SaysWhenThePeerSpeaksNoTls) {
  const rig::Peer peer([](int fd) { rig::write_all(fd, "HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const auto socket = connect_to({.tls = true, .host = "127.0.0.1", .port = peer.port});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error()->fault, Fault::upstream_unreachable);
  EXPECT_THAT(socket.error()->detail, HasSubstr("TLS"));
}

TEST_F(Connecting, SaysWhenTheRootsCannotBeRead) {
  const rig::Peer peer(rig::echo);
  const auto socket = connect_to({.tls = true, .host = "127.0.0.1", .port = peer.port, .ca_file = "/nowhere/ca.pem"});
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error()->detail, HasSubstr("/nowhere/ca.pem"));
}

TEST_F(Connecting, EndsAtTheDeadlineWhileThePeerIsSilent) {
  const rig::Peer peer([](int fd) { rig::read_until(fd, "never"); });  // takes the hello, says nothing
  const auto socket = connect_to({.tls = true, .host = "127.0.0.1", .port = peer.port}, 60);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error()->fault, Fault::upstream_timeout);
}

TEST_F(Connecting, EndsWhenTheCallerIsCancelled) {
  const rig::Peer peer([](int fd) { rig::read_until(fd, "never"); });
  rig->post([this] { sleeper.cancel(); });
  const auto socket = connect_to({.tls = true, .host = "127.0.0.1", .port = peer.port});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error()->fault, Fault::client_gone);
}

// A proxy that takes CONNECT, answers with `answer`, and echoes when that begins with a 2xx.
struct HttpProxy {
  explicit HttpProxy(std::string with)
      : answer(std::move(with)), peer([this](int fd) {
          asked = rig::read_until(fd, "\r\n\r\n");
          rig::write_all(fd, answer);
          if (answer.find(" 2") < 12) rig::echo(fd);
        }) {}
  std::string answer;
  std::string asked;
  rig::Peer peer;
  [[nodiscard]] Proxy proxy(std::string user = "", std::string password = "") const {
    return {Proxy::Kind::http_connect, "127.0.0.1", peer.port, std::move(user), std::move(password)};
  }
};

TEST_F(Connecting, AsksAnHttpProxyForTheName) {
  HttpProxy proxy("HTTP/1.1 200 Connection established\r\nVia: 1.1 rig\r\n\r\n");
  auto socket = connect_to({.host = "api.invalid", .port = 443, .proxy = proxy.proxy("user", "pass:word")});
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(proxy.asked,
            "CONNECT api.invalid:443 HTTP/1.1\r\nHost: api.invalid:443\r\n"
            "Proxy-Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n\r\n");
}

TEST_F(Connecting, WritesIpv6ForAProxyInBrackets) {
  HttpProxy proxy("HTTP/1.0 200 OK\r\n\r\n");
  const auto socket = connect_to({.host = "2001:db8::1", .port = 8443, .proxy = proxy.proxy()});
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(proxy.asked, "CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\r\n");
}

TEST_F(Connecting, TellsWhyAnHttpProxyDidNotLetItThrough) {
  struct Case {
    const char* answer;
    const char* why;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "credentials (407)"},
           {"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway"},
           {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"},
           {"", "closed the connection"},
           {"HTTP/1.1 200 OK\r\n\r\nearly", "before the tunnel"},
       }) {
    HttpProxy proxy(one.answer);
    const auto socket = connect_to({.host = "a.invalid", .port = 443, .proxy = proxy.proxy("user", "hunter2")});
    ASSERT_FALSE(socket) << one.answer;
    EXPECT_EQ(socket.error()->fault, Fault::upstream_unreachable);
    EXPECT_THAT(socket.error()->detail, HasSubstr(one.why));
    EXPECT_THAT(socket.error()->detail + socket.error()->message, Not(HasSubstr("hunter2")));
  }
}

TEST_F(Connecting, NeverPutsAHostThatSplitsAHeadBeforeAProxy) {
  HttpProxy proxy("HTTP/1.1 200 OK\r\n\r\n");
  for (const char* host : {"a\r\nX: y", "a b", "a\n"}) {
    EXPECT_FALSE(connect_to({.host = host, .port = 443, .proxy = proxy.proxy()}));
  }
}

TEST_F(Connecting, SpeaksTlsThroughAProxy) {
  certificates.make("good", "DNS:api.invalid");
  const auto server = *TlsServer::make(certificates.path("good.pem"), certificates.path("good.key"));
  TlsPeer* inner = nullptr;
  const rig::Peer proxy([&](int fd) {
    rig::read_until(fd, "\r\n\r\n");
    rig::write_all(fd, "HTTP/1.1 200 OK\r\n\r\n");
    inner->serve(fd);
  });
  TlsPeer peer(server);
  inner = &peer;
  auto socket = connect_to({.tls = true,
                            .host = "api.invalid",
                            .port = 443,
                            .proxy = Proxy{Proxy::Kind::http_connect, "localhost", proxy.port, "", ""},
                            .ca_file = certificates.path("ca.pem")});
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(peer.sni, "api.invalid");
}

// A SOCKS5 proxy that wants `user` (empty: nobody), notes the target, and answers with `code`.
struct SocksProxy {
  SocksProxy(std::string user_, std::string password_, char code_, std::string bound_)
      : user(std::move(user_)),
        password(std::move(password_)),
        code(code_),
        bound(std::move(bound_)),
        peer([this](int fd) { serve(fd); }) {}
  std::string user, password;
  char code;
  std::string bound;  // address type and address of the answer
  std::string target;
  rig::Peer peer;

  void serve(int fd) {
    const std::string greeting = rig::read_exactly(fd, 2);
    if (greeting.size() < 2) return;  // the client found fault itself
    const std::string methods = rig::read_exactly(fd, static_cast<std::size_t>(greeting.at(1)));
    const char wanted = user.empty() ? 0 : 2;
    if (methods.find(wanted) == std::string::npos) return rig::write_all(fd, "\x05\xff");
    rig::write_all(fd, std::string("\x05") + wanted);
    if (wanted == 2) {
      std::string size = rig::read_exactly(fd, 2);
      const std::string name = rig::read_exactly(fd, static_cast<std::size_t>(size.at(1)));
      size = rig::read_exactly(fd, 1);
      const std::string word = rig::read_exactly(fd, static_cast<std::size_t>(size.at(0)));
      const bool right = name == user && word == password;
      rig::write_all(fd, std::string("\x01") + (right ? '\0' : '\1'));
      if (!right) return;
    }
    target = rig::read_exactly(fd, 4);
    if (target.at(3) == 3) target += rig::read_exactly(fd, 1);
    const int left = target.at(3) == 1 ? 4 : target.at(3) == 4 ? 16 : target.at(4);
    target += rig::read_exactly(fd, static_cast<std::size_t>(left) + 2);
    rig::write_all(fd, std::string("\x05") + code + '\0' + bound);
    if (code == 0) rig::echo(fd);
  }
  [[nodiscard]] Proxy proxy(std::string with_user = "", std::string with_password = "") const {
    return {Proxy::Kind::socks5, "127.0.0.1", peer.port, std::move(with_user), std::move(with_password)};
  }
};

const std::string bound4("\x01\x7f\x00\x00\x01\x00\x50", 7);

TEST_F(Connecting, LetsASocksProxyResolveTheName) {
  SocksProxy proxy("", "", 0, std::string("\x03\x04proxy", 6).substr(0, 2) + "prox" + std::string("\x00\x50", 2));
  auto socket = connect_to({.host = "api.invalid", .port = 443, .proxy = proxy.proxy()});
  ASSERT_TRUE(socket) << socket.error()->detail;
  EXPECT_EQ(ask(*socket, "hello"), "hello");
  EXPECT_EQ(proxy.target, std::string("\x05\x01\x00\x03\x0b", 5) + "api.invalid" + "\x01\xbb");
}

TEST_F(Connecting, GivesASocksProxyAddressesAsSuch) {
  SocksProxy proxy("user", "word", 0, bound4);
  auto four = connect_to({.host = "192.0.2.7", .port = 80, .proxy = proxy.proxy("user", "word")});
  ASSERT_TRUE(four) << four.error()->detail;
  EXPECT_EQ(ask(*four, "hello"), "hello");
  EXPECT_EQ(proxy.target, std::string("\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50", 10));
  four->close();
  auto six = connect_to({.host = "::1", .port = 80, .proxy = proxy.proxy("user", "word")});
  ASSERT_TRUE(six) << six.error()->detail;
  EXPECT_EQ(ask(*six, "hello"), "hello");
  EXPECT_EQ(proxy.target, std::string("\x05\x01\x00\x04", 4) + std::string(15, '\0') + std::string("\x01\x00\x50", 3));
}

TEST_F(Connecting, TellsWhyASocksProxyDidNotLetItThrough) {
  SocksProxy picky("user", "word", 0, bound4);
  const auto nobody = connect_to({.host = "a.invalid", .port = 80, .proxy = picky.proxy()});
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error()->detail, HasSubstr("wants a user and a password"));
  const auto wrong = connect_to({.host = "a.invalid", .port = 80, .proxy = picky.proxy("user", "hunter2")});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error()->detail, HasSubstr("other credentials"));
  EXPECT_THAT(wrong.error()->detail + wrong.error()->message, Not(HasSubstr("hunter2")));
  SocksProxy shut("", "", 5, bound4);
  const auto refused = connect_to({.host = "a.invalid", .port = 80, .proxy = shut.proxy()});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error()->detail, HasSubstr("connection refused"));
  const rig::Peer http([](int fd) { rig::write_all(fd, "HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const auto mistaken = connect_to(
      {.host = "a.invalid", .port = 80, .proxy = Proxy{Proxy::Kind::socks5, "127.0.0.1", http.port, "", ""}});
  ASSERT_FALSE(mistaken);
  EXPECT_THAT(mistaken.error()->detail, HasSubstr("does not speak SOCKS5"));
  const std::string endless(256, 'x');
  EXPECT_FALSE(connect_to({.host = "a.invalid", .port = 80, .proxy = shut.proxy(endless, "word")}));
}

}  // namespace
}  // namespace sluice::net
