// SPDX-License-Identifier: MIT
#include "net/egress.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

TEST(Egress, OnlyPublicAddressesAreLetThrough) {
  for (const std::string_view good : {"1.1.1.1",
                                      "8.8.8.8",
                                      "9.255.255.255",
                                      "11.0.0.0",
                                      "100.63.255.255",
                                      "100.128.0.1",
                                      "126.255.255.255",
                                      "128.0.0.1",
                                      "169.253.255.255",
                                      "169.255.0.1",
                                      "172.15.255.255",
                                      "172.32.0.1",
                                      "192.0.1.1",
                                      "192.167.255.255",
                                      "192.169.0.1",
                                      "198.17.255.255",
                                      "198.20.0.1",
                                      "203.0.112.255",
                                      "203.0.114.0",
                                      "223.255.255.255",
                                      "2606:4700:4700::1111",
                                      "2001:4860:4860::8888",
                                      "2a00::1",
                                      "::ffff:1.1.1.1",
                                      "64:ff9b::8.8.8.8",
                                      "2002:0808:0808::1",
                                      "2001:200::1"}) {
    const auto address = parse_address(good);
    ASSERT_TRUE(address) << good;
    EXPECT_EQ(why_not_public(*address), "") << good;
  }
  struct Row {
    std::string_view address, what;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"0.0.0.0", "this machine"},
           {"0.1.2.3", "this machine"},
           {"10.0.0.1", "private"},
           {"10.255.255.255", "private"},
           {"100.64.0.0", "shared by a provider"},
           {"100.127.255.255", "shared by a provider"},
           {"100.100.100.200", "metadata of a cloud"},
           {"127.0.0.1", "loopback"},
           {"127.1.2.3", "loopback"},
           {"127.255.255.255", "loopback"},
           {"168.63.129.16", "metadata of a cloud"},
           {"169.254.0.1", "link-local"},
           {"169.254.169.254", "link-local"},
           {"169.254.170.2", "link-local"},
           {"172.16.0.1", "private"},
           {"172.31.255.255", "private"},
           {"192.0.0.1", "reserved"},
           {"192.0.0.192", "reserved"},
           {"192.0.2.1", "for examples"},
           {"192.88.99.1", "reserved"},
           {"192.168.0.1", "private"},
           {"192.168.255.255", "private"},
           {"198.18.0.1", "for measurements"},
           {"198.19.255.255", "for measurements"},
           {"198.51.100.7", "for examples"},
           {"203.0.113.9", "for examples"},
           {"224.0.0.1", "multicast"},
           {"239.255.255.250", "multicast"},
           {"240.0.0.1", "reserved"},
           {"255.255.255.255", "reserved"},
           {"::", "reserved"},
           {"::1", "loopback"},
           {"::2", "reserved"},
           {"::127.0.0.1", "reserved"},
           {"::ffff:127.0.0.1", "loopback"},
           {"::ffff:10.0.0.1", "private"},
           {"::ffff:169.254.169.254", "link-local"},
           {"::ffff:7f00:1", "loopback"},
           {"::ffff:0:127.0.0.1", "reserved"},
           {"64:ff9b::127.0.0.1", "loopback"},
           {"64:ff9b::a9fe:a9fe", "link-local"},
           {"64:ff9b::192.168.1.1", "private"},
           {"64:ff9b:1::1", "a translator's"},
           {"64:ff9b:1:ffff::a00:1", "a translator's"},
           {"100::1", "reserved"},
           {"2001::1", "reserved"},
           {"2001:0:7f00:1::", "reserved"},
           {"2001:10::1", "reserved"},
           {"2001:20::1", "reserved"},
           {"2001:db8::1", "for examples"},
           {"2001:db8:ffff::1", "for examples"},
           {"2002:7f00:1::1", "loopback"},
           {"2002:a00:1::1", "private"},
           {"2002:a9fe:a9fe::", "link-local"},
           {"2002:c0a8:101::1", "private"},
           {"3fff::1", "for examples"},
           {"4000::1", "reserved"},
           {"5f00::1", "reserved"},
           {"fc00::1", "private"},
           {"fd00:ec2::254", "private"},
           {"fd12:3456:789a::1", "private"},
           {"fe80::1", "link-local"},
           {"febf::1", "link-local"},
           {"fec0::1", "private"},
           {"ff02::1", "multicast"},
           {"ff0e::1", "multicast"},
       }) {
    const auto address = parse_address(row.address);
    ASSERT_TRUE(address) << row.address;
    EXPECT_EQ(why_not_public(*address), row.what) << row.address;
  }
}

// Spellings that some resolvers take for an address are no address here: they are names, and what those lead to is
// judged.
TEST(Egress, OtherSpellingsOfNumbersAreNames) {
  for (const std::string_view odd :
       {"2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "0x7f.0.0.1", "127.1", "127.0.1", "127.0.0.01",
        "1.1.1.1.", "127.0.0.1%eth0", "[::1]", "::ffff:127.1", "0", "localhost", "127.0.0.1 ", "①②⑦.⓪.⓪.①"})
    EXPECT_FALSE(parse_address(odd)) << odd;
}

}  // namespace
}  // namespace sluice::net
