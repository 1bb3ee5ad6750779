// SPDX-License-Identifier: MIT
#include "policy/caller.h"

#include <fmt/format.h>

#include "base/ip.h"
#include "base/text.h"

namespace sluice {
namespace {

bool is_loopback(std::string_view text) {
  const auto ip = parse_ip(text);
  return ip && ip->loopback();
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

// Why the call is not local; empty when it is.
std::string why_not_local(const CallOrigin& from) {
  if (!is_loopback(from.peer)) return "it came from another machine";
  if (!from.relayed_by.empty()) return fmt::format("a proxy relayed it (field {})", visible_ascii(from.relayed_by, 40));
  if (!is_local_name(from.host)) return fmt::format("it asked for the host \"{}\"", visible_ascii(from.host, 80));
  if (!from.origin.empty()) return fmt::format("the web page {} sent it", visible_ascii(from.origin, 80));
  return {};
}

}  // namespace

std::string neighbourhood(std::string_view peer) {
  const auto ip = parse_ip(peer);
  if (!ip || ip->v4()) return std::string(peer);
  const auto& groups = ip->groups;
  return fmt::format("{:x}:{:x}:{:x}:{:x}::/64", groups[0], groups[1], groups[2], groups[3]);
}

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
  if (why.empty()) return Caller{.name = "local", .tenant = "local"};
  if (auth == "open") return Caller{.name = "open", .tenant = "open " + neighbourhood(from.peer)};
  return fail(
      Fault::unauthorized,
      fmt::format("This gateway serves only programs on its own machine, and this call does not count as one: {}. "
                  "To serve others, list `keys` in config.yaml; to serve everybody who reaches its port, put the line "
                  "`auth: open` there.",
                  why),
      fmt::format("peer {}, {}", from.peer, why));
}

}  // namespace sluice
