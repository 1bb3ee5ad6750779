// SPDX-License-Identifier: MIT
#include "upstream/lines.h"

#include "net/proxy_env.h"
#include "wire/http1.h"

namespace sluice {
namespace {

std::optional<net::Proxy> proxy_at(const Url& url) {
  net::Proxy out;
  out.kind = url.scheme.starts_with("socks") ? net::Proxy::Kind::socks5 : net::Proxy::Kind::http_connect;
  out.host = url.host;
  out.port = url.port;
  out.user = url.user;
  out.password = url.password;
  return out;
}

}  // namespace

Line line_to(const Backend& backend, Environment environment) {
  Line line;
  std::optional<std::string> kept;
  line.origin.tls = backend.url.scheme == "https";
  line.origin.host = backend.url.host;
  line.origin.port = backend.url.port;
  line.origin.ca_file = backend.ca_file;
  if (backend.proxy) {
    line.origin.proxy = proxy_at(*backend.proxy);
  } else if (backend.proxy_from_environment) {
    const auto get = [&](const char* name) -> const char* {
      kept = environment(name);
      return kept ? kept->c_str() : nullptr;
    };
    // A variable that cannot be read has kept the gateway from starting.
    if (auto proxy = net::proxy_of(get, backend.url.scheme, backend.url.host, backend.url.port))
      line.origin.proxy = std::move(*proxy);
  }
  line.key = net::origin_key(line.origin);
  const bool numeric6 = backend.url.host.find(':') != std::string::npos;
  line.host = numeric6 ? '[' + backend.url.host + ']' : backend.url.host;
  if (backend.url.port != (line.origin.tls ? 443 : 80)) line.host += ':' + std::to_string(backend.url.port);
  http1::append_field(line.fields, "host", line.host);
  for (const auto& [name, value] : backend.headers) http1::append_field(line.fields, name, value);
  return line;
}

Result<std::unique_ptr<Lines>> Lines::make(net::Loop& loop, std::atomic<std::int64_t>& idle) {
  TRY(auto resolver, net::Resolver::make(loop));
  return std::unique_ptr<Lines>(new Lines(loop, std::move(resolver), idle));
}

Task<Result<std::unique_ptr<net::ClientConnection>>> Lines::connect(const Line& line, net::Sleeper& sleeper) {
  CO_TRY(auto socket, co_await net::connect(loop_, sleeper, line.origin, *resolver_, tls_));
  co_return std::make_unique<net::ClientConnection>(std::move(socket));
}

void Lines::give(const Line& line, std::unique_ptr<net::ClientConnection> connection) {
  if (connection && connection->reusable()) pool_.give(line.key, std::move(connection));
}

}  // namespace sluice
