// One worker's lines to the outside: resolver, TLS sessions, idle connections. Outlives reloads: a connection is known
// by where it goes, not by the snapshot that asked for it. SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "config/snapshot.h"
#include "net/client.h"
#include "net/connect.h"
#include "net/dns.h"
#include "net/pool.h"
#include "net/tls.h"

namespace sluice {

// Where a backend's connections go.
struct Line {
  net::Origin origin;
  std::string key;     // of the pool
  std::string host;    // as in the field Host
  std::string fields;  // lines of every request's head: Host, and the backend's own (its key among them)
};
[[nodiscard]] Line line_to(const Backend& backend, Environment environment);

class Lines {
 public:
  // `idle` counts idle connections. Error: internal, when the resolver cannot start.
  [[nodiscard]] static Result<std::unique_ptr<Lines>> make(net::Loop& loop, std::atomic<std::int64_t>& idle);

  // An idle connection of that line, or null.
  [[nodiscard]] std::unique_ptr<net::ClientConnection> idle(const Line& line) { return pool_.take(line.key); }
  // A new one; the sleeper's deadline is the connect clock. Errors: as net::connect.
  [[nodiscard]] Task<Result<std::unique_ptr<net::ClientConnection>>> connect(const Line& line, net::Sleeper& sleeper);
  // Takes back what may be used again, drops the rest.
  void give(const Line& line, std::unique_ptr<net::ClientConnection> connection);
  void clear() { pool_.clear(); }

 private:
  Lines(net::Loop& loop, std::unique_ptr<net::Resolver> resolver, std::atomic<std::int64_t>& idle)
      : loop_(loop), resolver_(std::move(resolver)), pool_(loop, {}, idle) {}
  net::Loop& loop_;
  std::unique_ptr<net::Resolver> resolver_;
  net::TlsClients tls_;
  net::Pool pool_;
};

}  // namespace sluice
