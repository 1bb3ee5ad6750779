// SPDX-License-Identifier: MIT
#include "base/ip.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

bool within(std::string_view network, std::string_view ip) {
  const auto all = parse_network(network);
  const auto one = parse_ip(ip);
  EXPECT_TRUE(all) << network;
  EXPECT_TRUE(one) << ip;
  return all && one && all->contains(*one);
}

TEST(Ips, AreReadInTheirOneSpelling) {
  EXPECT_EQ(write_ip(*parse_ip("10.0.0.255")), "10.0.0.255");
  EXPECT_EQ(write_ip(*parse_ip("::ffff:10.0.0.1")), "10.0.0.1");
  EXPECT_EQ(write_ip(*parse_ip("2001:DB8::1")), "2001:db8:0:0:0:0:0:1");
  EXPECT_TRUE(parse_ip("127.9.9.9")->loopback());
  EXPECT_TRUE(parse_ip("::1")->loopback());
  EXPECT_FALSE(parse_ip("::2")->loopback());
  for (const auto* wrong : {"", "localhost", "10.0.0", "10.0.0.0.0", "010.0.0.1", "256.0.0.1", "1::2::3", "::g", ":1",
                            "fe80::1%eth0", "10.0.0.1 ", "1:2:3:4:5:6:7:8:9", "2130706433", "0x7f.0.0.1"})
    EXPECT_FALSE(parse_ip(wrong)) << wrong;
}

TEST(Networks, HoldWhatBeginsLikeThem) {
  EXPECT_TRUE(within("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(within("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(within("10.1.2.3/8", "10.9.9.9"));
  EXPECT_TRUE(within("10.0.0.0/8", "::ffff:10.1.1.1"));
  EXPECT_TRUE(within("192.168.1.128/25", "192.168.1.200"));
  EXPECT_FALSE(within("192.168.1.128/25", "192.168.1.127"));
  EXPECT_TRUE(within("10.0.0.7", "10.0.0.7"));
  EXPECT_FALSE(within("10.0.0.7", "10.0.0.6"));
  EXPECT_TRUE(within("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(within("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(within("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(within("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(within("::/0", "203.0.113.9"));
  EXPECT_EQ(write_network(*parse_network("10.1.2.3/8")), "10.0.0.0/8");
  EXPECT_EQ(write_network(*parse_network("10.1.2.3/32")), "10.1.2.3");
  EXPECT_EQ(write_network(*parse_network("2001:db8:ffff::/32")), "2001:db8:0:0:0:0:0:0/32");
  for (const auto* wrong : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10/8",
                            "::/129", "::/x", "10.0.0.0/8/8", "10.0.0.*"})
    EXPECT_FALSE(parse_network(wrong)) << wrong;
}

TEST(Networks, AgreeWithArithmetic) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint32_t base = random(), bits = random() % 33;
    const std::uint32_t mask = bits == 0 ? 0 : ~0U << (32 - bits);
    const std::uint32_t other = random() % 2 ? random() : base ^ (1U << random() % 32);
    const auto text = [](std::uint32_t ip) {
      return write_ip({{0, 0, 0, 0, 0, 0xffff, static_cast<std::uint16_t>(ip >> 16), static_cast<std::uint16_t>(ip)}});
    };
    EXPECT_EQ(within(text(base) + '/' + std::to_string(bits), text(other)), ((base ^ other) & mask) == 0);
  }
}

}  // namespace
}  // namespace sluice
