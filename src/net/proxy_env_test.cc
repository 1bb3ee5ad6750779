// SPDX-License-Identifier: MIT
#include "net/proxy_env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace sluice::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Variables = std::map<std::string, std::string>;

std::string chosen(const Variables& variables, std::string_view scheme, std::string_view host, std::uint16_t port) {
  const auto proxy = proxy_of(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      scheme, host, port);
  if (!proxy) return proxy.error()->message;
  if (!*proxy) return "direct";
  return (*proxy)->host + ":" + std::to_string((*proxy)->port);
}

TEST(ProxyEnvironment, ChoosesByScheme) {
  const Variables both{{"HTTPS_PROXY", "http://secure:1"}, {"http_proxy", "plain:2"}};
  EXPECT_EQ(chosen(both, "https", "api.example.com", 443), "secure:1");
  EXPECT_EQ(chosen(both, "http", "api.example.com", 80), "plain:2");
  EXPECT_EQ(chosen({}, "https", "api.example.com", 443), "direct");
  EXPECT_EQ(chosen({{"HTTPS_PROXY", ""}}, "https", "api.example.com", 443), "direct");
}

TEST(ProxyEnvironment, PrefersLowerCaseAndTheNarrowerVariable) {
  EXPECT_EQ(chosen({{"HTTPS_PROXY", "upper:1"}, {"https_proxy", "lower:2"}}, "https", "a.b", 443), "lower:2");
  EXPECT_EQ(chosen({{"ALL_PROXY", "all:1"}, {"HTTPS_PROXY", "own:2"}}, "https", "a.b", 443), "own:2");
  EXPECT_EQ(chosen({{"ALL_PROXY", "socks5://all:1"}}, "http", "a.b", 80), "all:1");
  EXPECT_EQ(chosen({{"all_proxy", "low:1"}, {"ALL_PROXY", "up:2"}}, "http", "a.b", 80), "low:1");
}

TEST(ProxyEnvironment, DoesNotBelieveAHeaderThatACgiServerTurnedIntoAVariable) {
  EXPECT_EQ(chosen({{"HTTP_PROXY", "p:1"}}, "http", "a.b", 80), "p:1");
  EXPECT_EQ(chosen({{"HTTP_PROXY", "p:1"}, {"REQUEST_METHOD", "GET"}}, "http", "a.b", 80), "direct");
  EXPECT_EQ(chosen({{"HTTP_PROXY", "p:1"}, {"REQUEST_METHOD", "GET"}, {"ALL_PROXY", "q:2"}}, "http", "a.b", 80), "q:2");
}

TEST(ProxyEnvironment, LeavesOutWhatNoProxyNames) {
  struct Row {
    const char* list;
    const char* host;
    std::uint16_t port;
    bool out;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"*", "anything.example", 443, true},
           {"a.example,*", "anything.example", 443, false},  // '*' only alone, as curl has it
           {"example.com", "example.com", 443, true},
           {"example.com", "api.example.com", 443, true},
           {"example.com", "notexample.com", 443, false},
           {"example.com", "example.com.evil", 443, false},
           {".example.com", "api.example.com", 443, true},
           {".example.com", "example.com", 443, true},
           {"api.example.com", "example.com", 443, false},
           {"EXAMPLE.com", "api.example.com", 443, true},
           {"example.com.", "api.example.com", 443, true},
           {"example.com", "api.example.com.", 443, true},
           {"a.b, example.com\tc.d", "example.com", 443, true},
           {"a.b, example.com\tc.d", "c.d", 443, true},
           {"example.com:8443", "example.com", 8443, true},
           {"example.com:8443", "example.com", 443, false},
           {"127.0.0.1", "127.0.0.1", 80, true},
           {"127.0.0.1:9001", "127.0.0.1", 9001, true},
           {"127.0.0.1:9001", "127.0.0.1", 9002, false},
           {"0.0.1", "127.0.0.1", 80, false},
           {"10.0.0.0/8", "10.1.2.3", 80, true},
           {"10.0.0.0/8", "11.1.2.3", 80, false},
           {"192.168.16.0/20", "192.168.31.255", 80, true},
           {"192.168.16.0/20", "192.168.32.0", 80, false},
           {"0.0.0.0/0", "8.8.8.8", 80, true},
           {"10.0.0.0/33", "10.0.0.1", 80, false},
           {"10.0.0.0/8", "10.example.com", 80, false},
           {"::1", "::1", 80, true},
           {"[::1]", "::1", 80, true},
           {"[::1]:80", "::1", 81, false},
           {"fd00::/8", "fd12::3", 80, true},
           {"fd00::/8", "fe12::3", 80, false},
           {"", "example.com", 80, false},
           {", ,.", "example.com", 80, false},
       }) {
    EXPECT_EQ(excepted(row.list, row.host, row.port), row.out) << row.list << " | " << row.host << ":" << row.port;
  }
  EXPECT_EQ(chosen({{"HTTPS_PROXY", "p:1"}, {"NO_PROXY", "b.c"}}, "https", "a.b.c", 443), "direct");
  EXPECT_EQ(chosen({{"HTTPS_PROXY", "p:1"}, {"NO_PROXY", "b.c"}, {"no_proxy", "x.y"}}, "https", "a.b.c", 443), "p:1");
}

TEST(ProxyEnvironment, ReadsEveryFormOfAProxy) {
  const auto full = parse_proxy("socks5h://us%40er:p%3Ass@Proxy.Example:9050/");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->kind, Proxy::Kind::socks5);
  EXPECT_EQ(full->user, "us@er");
  EXPECT_EQ(full->password, "p:ss");
  EXPECT_EQ(full->host, "proxy.example");
  EXPECT_EQ(full->port, 9050);
  const auto bare = parse_proxy("[::1]:3128");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->kind, Proxy::Kind::http_connect);
  EXPECT_EQ(bare->host, "::1");
  EXPECT_EQ(bare->port, 3128);
  EXPECT_EQ(parse_proxy("HTTP://10.0.0.1")->port, 1080);
}

TEST(ProxyEnvironment, RefusesNonsenseWithoutShowingIt) {
  for (const char* text : {"https://u:hunter2@p:1", "ftp://p", "http://u:hunter2@", "http://u:hunter2@p:0",
                           "http://u:hunter2@p:99999", "http://u:hunter2%@p:1", "http://u:hunter2@[::1", "a b:1"}) {
    const std::string why = chosen({{"HTTPS_PROXY", text}}, "https", "a.b", 443);
    EXPECT_THAT(why, HasSubstr("HTTPS_PROXY")) << text;
    EXPECT_THAT(why, Not(HasSubstr("hunter2"))) << text;
  }
}

}  // namespace
}  // namespace sluice::net
