// SPDX-License-Identifier: MIT
#include "gauges.h"

#include <algorithm>
#include <map>
#include <string>

#include "net/loop.h"

namespace sluice {

Gauges gauges(Shared& shared) {
  Gauges out{.open_connections = shared.open_connections.load(),
             .open_exchanges = shared.open_exchanges.load(),
             .open_streams = shared.open_streams.load(),
             .idle_upstream_connections = shared.idle_upstream.load(),
             .mirrors = shared.mirrors.running(),
             .mirrors_dropped = shared.mirrors.dropped_so_far()};
  // Every backend that was called, also those of which nothing rests: a series must not come and go.
  std::map<std::string, std::int64_t> resting;
  std::map<std::string, double> quota_left;
  for (const HealthBook::Row& row : shared.health.rows(net::Loop::clock_ns() / 1'000'000)) {
    resting[row.account] += row.view.ready ? 0 : 1;
    if (!row.view.headroom) continue;
    double& least = quota_left.try_emplace(row.account, 1).first->second;
    least = std::min(least, *row.view.headroom);
  }
  for (const auto& [backend, told] : shared.gates.figures())
    out.capped.push_back({.backend = backend, .most = told.most, .running = told.running, .waiting = told.waiting});
  out.resting.assign(resting.begin(), resting.end());
  out.quota_left.assign(quota_left.begin(), quota_left.end());
  out.probes = shared.standings.probes();
  return out;
}

}  // namespace sluice
