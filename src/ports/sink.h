// Where finished Records go. SPDX-License-Identifier: MIT
#pragma once

#include "model/record.h"

namespace sluice {

// Called on a worker's thread, once per exchange. Must not block and must not throw: a sink that cannot keep up drops
// and counts what it dropped. `record` lives only during the call.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void take(const Record& record) = 0;
};

// Calls under a cap.
struct CappedCalls {
  std::string backend;  // empty: of the whole server
  std::int64_t most = 0;
  std::int64_t running = 0;
  std::int64_t waiting = 0;
};

// Live figures that are no events: read by the metrics page.
struct Gauges {
  std::int64_t open_connections = 0;
  std::int64_t open_exchanges = 0;
  std::int64_t open_streams = 0;
  std::int64_t idle_upstream_connections = 0;
  std::vector<std::pair<std::string, std::int64_t>> resting;  // targets that are not called now, by backend
  struct Probes {
    std::string backend;
    std::int64_t good = 0, failed = 0;
  };
  std::vector<Probes> probes;  // of backends that were probed
  std::vector<CappedCalls> capped;
  std::int64_t mirrors = 0;
  std::int64_t mirrors_dropped = 0;
  std::vector<std::pair<std::string, double>> quota_left;  // 0 to 1, of its tightest, by backend that tells it
};

}  // namespace sluice
