// SPDX-License-Identifier: MIT
#include "config/url.h"

#include <algorithm>
#include <charconv>

namespace sluice {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::uint16_t own_port(std::string_view scheme) {
  if (scheme == "https") return 443;
  return scheme == "http" ? 80 : 1080;
}

bool host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':';
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return fail(Fault::bad_request, "an address starts with http:// or https://");
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "socks5" && url.scheme != "socks5h") {
    return fail(Fault::bad_request, "its scheme is not one of http, https, socks5");
  }
  std::string_view rest = text.substr(colon + 3);
  const auto stray = [](char c) { return c <= ' ' || c >= 0x7f || c == '?' || c == '#'; };
  if (std::ranges::any_of(rest, stray)) {
    return fail(Fault::bad_request, "an address may hold no query, fragment, white space or character beyond ASCII");
  }
  const auto slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const auto split = login.find(':');
    url.user = login.substr(0, split);
    if (split != std::string_view::npos) url.password = login.substr(split + 1);
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos)
      return fail(Fault::bad_request, "the bracket of the IPv6 address is not closed");
    url.host = lower(authority.substr(1, close - 1));
    authority.remove_prefix(close + 1);
    if (!authority.empty() && authority[0] != ':') return fail(Fault::bad_request, "only a port may follow the host");
    port = authority.empty() ? authority : authority.substr(1);
  } else {
    const auto split = authority.find(':');
    url.host = lower(authority.substr(0, split));
    if (url.host.find(':') != std::string::npos) return fail(Fault::bad_request, "an IPv6 address needs brackets");
    if (split != std::string_view::npos) port = authority.substr(split + 1);
  }
  if (url.host.empty()) return fail(Fault::bad_request, "the host is missing");
  if (!std::ranges::all_of(url.host, host_byte))
    return fail(Fault::bad_request, "the host holds characters no host has");
  url.port = own_port(url.scheme);
  if (!port.empty()) {
    unsigned value = 0;
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), value);
    if (code != std::errc() || end != port.data() + port.size() || value == 0 || value > 65535) {
      return fail(Fault::bad_request, "the port is not a number from 1 to 65535");
    }
    url.port = static_cast<std::uint16_t>(value);
  }
  return url;
}

}  // namespace sluice
