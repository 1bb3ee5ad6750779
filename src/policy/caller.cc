// SPDX-License-Identifier: MIT
#include "policy/caller.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace sluice {
namespace {

using Address4 = std::array<unsigned char, 4>;
using Address6 = std::array<unsigned char, 16>;

template <class Address>
std::optional<Address> parse(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return std::nullopt;
  text.copy(terminated.data(), text.size());
  Address address;
  if (inet_pton(family, terminated.data(), address.data()) != 1) return std::nullopt;
  return address;
}

bool is_loopback(std::string_view text) {
  if (const auto four = parse<Address4>(AF_INET, text)) return (*four)[0] == 127;
  const auto six = parse<Address6>(AF_INET6, text);
  if (!six) return false;
  constexpr Address6 one = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr Address6 mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  return *six == one || std::memcmp(six->data(), mapped.data(), 13) == 0;
}

// The host of "host", "host:port", "[v6]" or "[v6]:port"; empty for anything else.
std::string_view without_port(std::string_view host) {
  const bool bracket = host.starts_with('[');
  const auto end = host.find(bracket ? ']' : ':');
  if (end == std::string_view::npos) return bracket ? std::string_view{} : host;
  const auto rest = host.substr(bracket ? end + 1 : end);
  if (!rest.empty() && (rest[0] != ':' || rest.find_first_not_of("0123456789", 1) != std::string_view::npos)) return {};
  return host.substr(bracket, end - bracket);
}

bool is_local_name(std::string_view host) {
  host = without_port(host);
  if (host.ends_with('.')) host.remove_suffix(1);
  constexpr std::string_view localhost = "localhost";
  if (iequals(host, localhost)) return true;
  if (host.size() > localhost.size() && iequals(host.substr(host.size() - localhost.size() - 1), ".localhost"))
    return true;
  return is_loopback(host);
}

// Whose limits an address counts against. One IPv6 host may use a whole /64.
std::string neighbourhood(std::string_view peer) {
  auto six = parse<Address6>(AF_INET6, peer);
  constexpr Address6 mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!six || std::memcmp(six->data(), mapped.data(), 12) == 0) return std::string(peer);
  std::memset(six->data() + 8, 0, 8);
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, six->data(), text.data(), text.size());
  return std::string(text.data()) + "/64";
}

// Why the call is not local; empty when it is.
std::string why_not_local(const CallOrigin& from) {
  if (!is_loopback(from.peer)) return "it came from another machine";
  if (!from.relayed_by.empty()) return fmt::format("a proxy relayed it (field {})", visible_ascii(from.relayed_by, 40));
  if (!is_local_name(from.host)) return fmt::format("it asked for the host \"{}\"", visible_ascii(from.host, 80));
  if (!from.origin.empty()) return fmt::format("the web page {} sent it", visible_ascii(from.origin, 80));
  return {};
}

}  // namespace

namespace caller_detail {

bool names_a_relay(std::string_view field) {
  if (field.empty()) return false;
  switch (lower(field[0])) {
    case 'f': return iequals(field, "forwarded");
    case 'v': return iequals(field, "via");
    case 'x': return field.size() > 12 && iequals(field.substr(0, 12), "x-forwarded-");
    default: return false;
  }
}

bool is_origin(std::string_view field) {
  return iequals(field, "origin");
}

bool is_local_origin(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return is_local_name(origin.substr(scheme.size()));
  }
  return false;
}

}  // namespace caller_detail

Result<Caller> identify(std::string_view auth, const CallOrigin& from) {
  const std::string why = why_not_local(from);
  if (why.empty()) return Caller{.name = "local", .key = "local"};
  if (auth == "open") return Caller{.name = "open", .key = "open " + neighbourhood(from.peer)};
  return fail(
      Fault::unauthorized,
      fmt::format("This gateway serves only programs on its own machine, and this call does not count as one: {}. "
                  "To serve everybody who reaches its port, put the line `auth: open` into config.yaml.",
                  why),
      fmt::format("peer {}, {}", from.peer, why));
}

}  // namespace sluice
