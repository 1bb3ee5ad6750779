// SPDX-License-Identifier: MIT
#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

namespace sluice::net {

bool Address::loopback() const {
  if (!v6) return bytes[0] == 127;
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped.begin(), mapped.end(), bytes.begin())) return bytes[12] == 127;
  return bytes[15] == 1 && std::all_of(bytes.begin(), bytes.begin() + 15, [](std::uint8_t b) { return b == 0; });
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(family(), bytes.data(), out.data(), out.size());
  return out.data();
}

socklen_t Address::fill(sockaddr_storage& to, std::uint16_t port) const {
  to = {};
  if (v6) {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(to);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    in6.sin6_scope_id = scope;
    std::memcpy(&in6.sin6_addr, bytes.data(), 16);
    return sizeof in6;
  }
  auto& in4 = reinterpret_cast<sockaddr_in&>(to);
  in4.sin_family = AF_INET;
  in4.sin_port = htons(port);
  std::memcpy(&in4.sin_addr, bytes.data(), 4);
  return sizeof in4;
}

std::optional<Address> parse_address(std::string_view text) {
  Address out;
  std::string host(text);
  if (host.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET, host.c_str(), out.bytes.data()) == 1) return out;
  if (const auto percent = host.find('%'); percent != std::string::npos) {
    out.scope = if_nametoindex(host.c_str() + percent + 1);
    if (out.scope == 0) return std::nullopt;
    host.resize(percent);
  }
  out.v6 = true;
  if (inet_pton(AF_INET6, host.c_str(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

std::optional<Address> address_of(const sockaddr* from) {
  Address out;
  if (from->sa_family == AF_INET) {
    std::memcpy(out.bytes.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
    return out;
  }
  if (from->sa_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(from);
    out.v6 = true;
    out.scope = in6->sin6_scope_id;
    std::memcpy(out.bytes.data(), &in6->sin6_addr, 16);
    return out;
  }
  return std::nullopt;
}

}  // namespace sluice::net
