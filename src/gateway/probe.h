// Probes: cheap calls that no client asked for, by which a backend that rests after faults is found well again without
// a request being risked. One per backend that wants it, on one worker of the process. What they find goes to the
// HealthBook and the Standings. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/snapshot.h"

namespace sluice {

class Worker;

// Path and query of what a backend is asked for with GET; empty when a connection is all that is tried.
[[nodiscard]] std::string probe_path(const Backend& backend);
// What an answer of that status says against the backend; empty when it is alive: also when it refuses the question,
// the key, or says to come later, for then its calls may well be answered.
[[nodiscard]] std::string probe_verdict(int status);

// Everything on the worker's own thread, or before it runs.
class Prober {
 public:
  explicit Prober(Worker& worker);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  // Probes what this one says from now on.
  void use(const std::shared_ptr<const Snapshot>& snapshot);

 private:
  class Probe;
  Worker& worker_;
  std::vector<std::unique_ptr<Probe>> probes_;
};

}  // namespace sluice
