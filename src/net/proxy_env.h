// Which outbound proxy the environment wants for an origin: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, as curl
// reads them. Not here: talking to it (proxy.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "net/connect.h"

namespace sluice::net {

// Like getenv: null when the variable is not set. The text has to last until the next call only.
using Environment = std::function<const char*(const char* name)>;

// The proxy for `scheme` ("http" or "https") to `host` (lower case, IPv6 without brackets) and `port`; none to go
// directly. The lower-case spelling of a variable wins; HTTP_PROXY in capitals is not believed where REQUEST_METHOD is
// set, since a CGI server makes it from a header. Error: bad_request that names the variable, never its value.
[[nodiscard]] Result<std::optional<Proxy>> proxy_of(const Environment& environment, std::string_view scheme,
                                                    std::string_view host, std::uint16_t port);

// "http://user:password@host:port", "socks5://…", "socks5h://…" or "host:port"; port 1080 when not said. Error:
// bad_request with a sentence that begins in lower case and holds nothing of `text`.
[[nodiscard]] Result<Proxy> parse_proxy(std::string_view text);

// True if NO_PROXY's list `except` names this host: "*", names with all below them, addresses, networks in CIDR form;
// each with ":port" for that port only.
[[nodiscard]] bool excepted(std::string_view except, std::string_view host, std::uint16_t port);

}  // namespace sluice::net
