// Addresses of the internet and networks of them, as text has them. Not here: names (net/dns.h), ports (net/address.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// Eight groups of 16 bits. An address of IPv4 is the one that is mapped into IPv6 ("::ffff:10.0.0.1"): both are equal.
struct Ip {
  std::array<std::uint16_t, 8> groups{};
  bool operator==(const Ip&) const = default;
  [[nodiscard]] bool v4() const;
  [[nodiscard]] bool loopback() const;  // 127.0.0.0/8 or ::1
};

// "10.0.0.1", "::1", "::ffff:10.0.0.1": no zone, no other spelling of numbers, nothing around it.
[[nodiscard]] std::optional<Ip> parse_ip(std::string_view text);
// "10.0.0.1"; of IPv6 all eight groups, without leading zeros.
[[nodiscard]] std::string write_ip(const Ip& ip);

// The addresses that begin with the same bits.
struct Network {
  Ip first;
  int bits = 128;  // of the 128
  bool operator==(const Network&) const = default;
  [[nodiscard]] bool contains(const Ip& ip) const;
};

// "10.0.0.0/8", or one address. Bits behind the prefix are dropped: "10.1.2.3/8" is the same network.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);
[[nodiscard]] std::string write_network(const Network& network);

}  // namespace sluice
