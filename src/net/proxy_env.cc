// SPDX-License-Identifier: MIT
#include "net/proxy_env.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"
#include "net/address.h"

namespace sluice::net {
namespace {

constexpr std::uint16_t default_port = 1080;

std::optional<unsigned> number(std::string_view text, unsigned most) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || out > most) return std::nullopt;
  return out;
}

// Cuts ":port" off; brackets around IPv6 go as well. False when what stands there is no port.
bool cut_port(std::string_view& host, std::optional<std::uint16_t>& port) {
  std::string_view rest;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return false;
    rest = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (rest.empty()) return true;
    if (rest.front() != ':') return false;
    rest.remove_prefix(1);
  } else {
    const auto colon = host.find(':');
    if (colon == std::string_view::npos || host.find(':', colon + 1) != std::string_view::npos) return true;
    rest = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  const auto value = number(rest, 65535);
  if (!value || *value == 0) return false;
  port = static_cast<std::uint16_t>(*value);
  return true;
}

bool in_network(const Address& host, std::string_view network) {
  const auto slash = network.find('/');
  const auto base = parse_address(network.substr(0, slash));
  if (!base || base->v6 != host.v6) return false;
  const unsigned size = base->v6 ? 128 : 32;
  const auto bits = slash == std::string_view::npos ? size : number(network.substr(slash + 1), size);
  if (!bits) return false;
  for (unsigned i = 0; i * 8 < *bits; ++i) {
    const unsigned left = std::min(8U, *bits - i * 8);
    const unsigned mask = 0xffU << (8 - left) & 0xffU;
    if (((base->bytes[i] ^ host.bytes[i]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view text) {
  Proxy out;
  if (const auto colon = text.find("://"); colon != std::string_view::npos) {
    const std::string scheme = lower(text.substr(0, colon));
    text.remove_prefix(colon + 3);
    if (scheme == "socks5" || scheme == "socks5h") {
      out.kind = Proxy::Kind::socks5;
    } else if (scheme != "http") {
      return fail(Fault::bad_request, "its scheme is none of http, socks5 and socks5h.");
    }
  }
  text = text.substr(0, text.find('/'));
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = text.substr(0, at);
    text.remove_prefix(at + 1);
    const auto colon = who.find(':');
    const auto user = percent_decode(who.substr(0, colon));
    const auto password = percent_decode(colon == std::string_view::npos ? std::string_view{} : who.substr(colon + 1));
    if (!user || !password) return fail(Fault::bad_request, "its user or password is not well escaped.");
    out.user = *user;
    out.password = *password;
  }
  std::optional<std::uint16_t> port;
  if (!cut_port(text, port)) return fail(Fault::bad_request, "its port is not a number from 1 to 65535.");
  const bool legal = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || !legal || (text.find(':') != std::string_view::npos && !parse_address(text))) {
    return fail(Fault::bad_request, "it names no host.");
  }
  out.host = lower(text);
  out.port = port.value_or(default_port);
  return out;
}

bool excepted(std::string_view except, std::string_view host, std::uint16_t port) {
  if (trim(except) == "*") return true;
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto address = parse_address(host);
  while (!except.empty()) {
    const auto end = std::min(except.find_first_of(", \t"), except.size());
    std::string_view entry = except.substr(0, end);
    except.remove_prefix(std::min(end + 1, except.size()));
    std::optional<std::uint16_t> only;
    if (!cut_port(entry, only) || (only && *only != port)) continue;
    if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry.ends_with('.')) entry.remove_suffix(1);
    if (entry.empty()) continue;
    if (address) {
      if (in_network(*address, entry)) return true;
      continue;
    }
    if (iequals(entry, host)) return true;
    if (host.size() > entry.size() && host[host.size() - entry.size() - 1] == '.' &&
        iequals(host.substr(host.size() - entry.size()), entry)) {
      return true;
    }
  }
  return false;
}

Result<std::optional<Proxy>> proxy_of(const Environment& environment, std::string_view scheme, std::string_view host,
                                      std::uint16_t port) {
  const auto value = [&](const char* name) {
    const char* text = environment(name);
    return trim(text ? text : "");
  };
  const bool https = scheme == "https";
  const bool cgi = environment("REQUEST_METHOD") != nullptr;
  const char* name = nullptr;
  for (const char* each :
       {https ? "https_proxy" : "http_proxy", https ? "HTTPS_PROXY" : "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    if (value(each).empty() || (cgi && std::string_view(each) == "HTTP_PROXY")) continue;
    name = each;
    break;
  }
  if (!name) return std::nullopt;
  const std::string_view except = value("no_proxy").empty() ? value("NO_PROXY") : value("no_proxy");
  if (excepted(except, host, port)) return std::nullopt;
  auto proxy = parse_proxy(value(name));
  if (!proxy) {
    return fail(Fault::bad_request,
                std::string("The environment variable ") + name + " is no proxy: " + proxy.error()->message);
  }
  return std::move(*proxy);
}

}  // namespace sluice::net
