// SPDX-License-Identifier: MIT
#include "policy/caller.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace sluice {
namespace {

// "127.0.0.1": four decimal numbers, no other spelling.
std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t address = 0, number = 0;
  int dots = 0, digits = 0;
  for (const char c : text) {
    if (c == '.') {
      if (digits == 0 || number > 255 || ++dots > 3) return std::nullopt;
      address = address << 8 | number;
      number = 0;
      digits = 0;
    } else {
      if (c < '0' || c > '9' || digits == 3 || (digits == 1 && number == 0)) return std::nullopt;
      number = number * 10 + static_cast<std::uint32_t>(c - '0');
      ++digits;
    }
  }
  if (dots != 3 || digits == 0 || number > 255) return std::nullopt;
  return address << 8 | number;
}

using Groups = std::array<std::uint16_t, 8>;

// The groups of one side of "::", appended at `size`; false when they are not well-formed or too many.
bool read_groups(std::string_view side, Groups& groups, std::size_t& size) {
  while (!side.empty()) {
    const auto end = std::min(side.find(':'), side.size());
    const auto part = side.substr(0, end);
    if (const auto v4 = parse_v4(part); v4 && end == side.size() && size <= 6) {
      groups[size++] = static_cast<std::uint16_t>(*v4 >> 16);
      groups[size++] = static_cast<std::uint16_t>(*v4);
      return true;
    }
    if (size == groups.size() || part.size() > 4) return false;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), groups[size++], 16);
    if (error != std::errc{} || stop != part.data() + part.size()) return false;
    if (end == side.size()) return true;
    side.remove_prefix(end + 1);
    if (side.empty()) return false;  // a colon with nothing behind it
  }
  return true;
}

std::optional<Groups> parse_v6(std::string_view text) {
  Groups head{}, tail{}, all{};
  std::size_t before = 0, after = 0;
  const auto gap = text.find("::");
  if (!read_groups(text.substr(0, gap), head, before)) return std::nullopt;
  if (gap == std::string_view::npos) return before == 8 ? std::optional(head) : std::nullopt;
  if (!read_groups(text.substr(gap + 2), tail, after) || before + after > 7) return std::nullopt;
  std::copy_n(head.begin(), before, all.begin());
  std::copy_n(tail.begin(), after, all.end() - static_cast<std::ptrdiff_t>(after));
  return all;
}

// An IPv4 peer of a socket that listens on both: "::ffff:10.0.0.1".
bool is_mapped(const Groups& groups) {
  return groups[5] == 0xffff && std::all_of(groups.begin(), groups.begin() + 5, [](auto group) { return group == 0; });
}

bool is_loopback(std::string_view text) {
  if (const auto v4 = parse_v4(text)) return *v4 >> 24 == 127;
  const auto v6 = parse_v6(text);
  return v6 && (*v6 == Groups{0, 0, 0, 0, 0, 0, 0, 1} || (is_mapped(*v6) && (*v6)[6] >> 8 == 127));
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
  const auto v6 = parse_v6(peer);
  if (!v6 || is_mapped(*v6)) return std::string(peer);
  return fmt::format("{:x}:{:x}:{:x}:{:x}::/64", (*v6)[0], (*v6)[1], (*v6)[2], (*v6)[3]);
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
    case 'x': return istarts_with(field, "x-forwarded-");
    default: return false;
  }
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
                  "To serve others, list `keys` in config.yaml; to serve everybody who reaches its port, put the line "
                  "`auth: open` there.",
                  why),
      fmt::format("peer {}, {}", from.peer, why));
}

}  // namespace sluice
