// How each backend has done so far: its last good answer and its last fault. Keyed by name, so that a reload keeps it.
// Not here: breakers (policy). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ports/sink.h"

namespace sluice {

// What probes have found, which are no calls.
struct Probed {
  std::int64_t good = 0, failed = 0;
  std::int64_t unix_ms = 0;  // of the last, 0 = none yet
  std::int64_t took_ms = 0;
  bool alive = false;
  std::string why;  // what was wrong with the last
};

struct Standing {
  bool failing = false;            // the last call ended in a fault of the backend
  std::int64_t last_good_ms = 0;   // Unix time of the last good answer, 0 = never
  std::int64_t last_error_ms = 0;  // Unix time of the last fault, 0 = never
  std::string last_error;          // fault and detail
  Probed probe;
};

// Safe from any thread.
class Standings {
 public:
  void worked(std::string_view backend, std::int64_t unix_ms);
  void failed(std::string_view backend, const Error& error, std::int64_t unix_ms);
  // `why` is empty when it is alive.
  void probed(std::string_view backend, std::string why, std::int64_t took_ms, std::int64_t unix_ms);
  [[nodiscard]] std::vector<Gauges::Probes> probes() const;
  [[nodiscard]] Standing of(std::string_view backend) const;

 private:
  Standing& at(std::string_view backend);
  mutable std::mutex mutex_;
  std::map<std::string, Standing, std::less<>> backends_;
};

}  // namespace sluice
