// How a connection to an upstream comes about: name -> addresses -> TCP (each address in turn) -> outbound proxy ->
// TLS. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "net/socket.h"

namespace sluice::net {

class Resolver;    // dns.h: one per loop
class TlsClients;  // tls.h: client contexts and their session caches, one per loop

struct Proxy {
  enum class Kind : std::uint8_t { http_connect, socks5 };  // socks5: names are resolved by the proxy
  Kind kind = Kind::http_connect;
  std::string host;
  std::uint16_t port = 0;
  std::string user, password;
};

// Where to connect. Everything that makes two connections exchangeable: the pool's key is made of it.
struct Origin {
  bool tls = false;
  std::string host;  // lower case, IPv6 without brackets
  std::uint16_t port = 0;
  std::optional<Proxy> proxy;
  std::string ca_file;       // more roots to trust; empty = the system's only
  bool public_only = false;  // whoever chose the host may not see what is near: egress.h. Not with a proxy, which looks
                             // names up itself
};

// A connected socket, TLS done. The sleeper's deadline bounds the whole of it; a cancel ends it with client_gone.
// Errors: upstream_unreachable (name, refused, proxy, certificate: `detail` says which), upstream_timeout, client_gone;
// forbidden, when it may go to public addresses only and the host has none.
[[nodiscard]] Task<Result<Socket>> connect(Loop& loop, Sleeper& sleeper, const Origin& origin, Resolver& resolver,
                                           TlsClients& tls);

}  // namespace sluice::net
