// An IPv4 or IPv6 address: text <-> bytes <-> sockaddr. Names are the resolver's (dns.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::net {

struct Address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
  std::uint32_t scope = 0;               // interface of a link-local IPv6 address

  friend bool operator==(const Address&, const Address&) = default;

  [[nodiscard]] int family() const { return v6 ? AF_INET6 : AF_INET; }
  [[nodiscard]] bool loopback() const;  // 127.0.0.0/8, ::1, and IPv4 inside IPv6
  [[nodiscard]] std::string text() const;
  // Fills `to` and returns the size that the kernel wants to hear.
  [[nodiscard]] socklen_t fill(sockaddr_storage& to, std::uint16_t port) const;
};

// A numeric address, IPv6 without brackets ("::1", "fe80::1%eth0"); nullopt for anything else.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
// nullopt for families other than the two.
[[nodiscard]] std::optional<Address> address_of(const sockaddr* from);

}  // namespace sluice::net
