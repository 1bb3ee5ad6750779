// SPDX-License-Identifier: MIT
#include "policy/caller.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

struct Field {
  std::string_view name, value;
};
using Fields = std::vector<Field>;

std::string name_of(std::string_view peer, std::string_view host, const Fields& fields,
                    std::string_view auth = "local") {
  const auto caller = identify(auth, call_origin(peer, host, fields));
  return caller ? caller->name : "refused";
}

TEST(Callers, OnThisMachineAreLocal) {
  for (const auto* peer : {"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"}) {
    for (const auto* host : {"localhost", "LOCALHOST:8000", "app.localhost", "localhost.", "127.0.0.1:8000",
                             "[::1]:8000", "[::1]", "127.1.2.3"})
      EXPECT_EQ(name_of(peer, host, {{"User-Agent", "x"}}), "local") << peer << " " << host;
  }
}

TEST(Callers, FromElsewhereAreNot) {
  for (const auto* peer : {"10.0.0.1",
                           "128.0.0.1",
                           "::2",
                           "::ffff:10.0.0.1",
                           "fe80::1",
                           "",
                           "localhost",
                           "127.0.0.1 ",
                           "127.0.0",
                           "127.0.0.0.1",
                           "127.0.0.01",
                           "127.0.0.256",
                           "127..0.1",
                           "1::1",
                           "::1:",
                           ":::1",
                           "::1::1",
                           "1:2:3:4:5:6:7:8:9",
                           "::g",
                           "::00001",
                           "::ffff:127.0.0.1:1",
                           "1:2:3:4:5:6:7:127.0.0.1",
                           ":1"})
    EXPECT_EQ(name_of(peer, "localhost", {}), "refused") << peer;
}

TEST(Callers, WithAForeignHostAreNotLocal) {
  for (const auto* host :
       {"", "example.com", "localhost.example.com", "notlocalhost", "127.0.0.1.example.com", "[::1", "[::2]", "0.0.0.0",
        "localhost:80:80", "localhost:x", "[::1]x", "127.0.0.1@evil", "2130706433"})
    EXPECT_EQ(name_of("127.0.0.1", host, {}), "refused") << host;
}

TEST(Callers, ThroughAProxyAreNotLocal) {
  for (const auto* name : {"Forwarded", "via", "X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-ANYTHING"})
    EXPECT_EQ(name_of("127.0.0.1", "localhost", {{"Accept", "*/*"}, {name, ""}}), "refused") << name;
  EXPECT_EQ(name_of("127.0.0.1", "localhost", {{"X-Forward", "1"}, {"Viaduct", "1"}}), "local");
}

TEST(Callers, FromAForeignPageAreNotLocal) {
  for (const auto* origin : {"https://example.com", "null", "", "http://localhost.example.com", "file://", "localhost",
                             "http://10.0.0.1", "chrome-extension://abc"})
    EXPECT_EQ(name_of("127.0.0.1", "localhost", {{"Origin", origin}}), "refused") << origin;
  for (const auto* origin : {"http://localhost:3000", "https://127.0.0.1", "http://[::1]:8000"})
    EXPECT_EQ(name_of("127.0.0.1", "localhost", {{"origin", origin}}), "local") << origin;
  EXPECT_EQ(name_of("127.0.0.1", "localhost", {{"Origin", "http://localhost"}, {"Origin", "http://evil.test"}}),
            "refused");
}

TEST(Callers, AreAllWelcomeWhenTheGatewayIsOpen) {
  EXPECT_EQ(name_of("10.0.0.1", "example.com", {{"Via", "1.1 x"}}, "open"), "open");
  EXPECT_EQ(name_of("127.0.0.1", "localhost", {}, "open"), "local");
  const auto key = [](std::string_view peer) { return identify("open", CallOrigin{.peer = peer})->tenant; };
  EXPECT_EQ(key("10.0.0.1"), "open 10.0.0.1");
  EXPECT_NE(key("10.0.0.1"), key("10.0.0.2"));
  EXPECT_NE(key("::ffff:10.0.0.1"), key("::ffff:10.0.0.2"));
  EXPECT_EQ(key("2001:db8::1"), "open 2001:db8:0:0::/64");
  EXPECT_EQ(key("2001:db8::1"), key("2001:db8::ffff:1"));
}

TEST(Callers, AreToldWhyAndHowToOpenTheGateway) {
  const auto refused = identify("local", CallOrigin{.peer = "10.0.0.1", .host = "localhost"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::unauthorized);
  EXPECT_NE(refused.error()->message.find("it came from another machine"), std::string::npos);
  EXPECT_NE(refused.error()->message.find("`auth: open`"), std::string::npos);
  EXPECT_EQ(refused.error()->detail, "peer 10.0.0.1, it came from another machine");
}

}  // namespace
}  // namespace sluice
