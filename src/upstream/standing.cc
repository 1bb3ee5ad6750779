// SPDX-License-Identifier: MIT
#include "upstream/standing.h"

#include <utility>

namespace sluice {

Standing& Standings::at(std::string_view backend) {
  const auto found = backends_.find(backend);
  return found != backends_.end() ? found->second : backends_[std::string(backend)];
}

void Standings::worked(std::string_view backend, std::int64_t unix_ms) {
  const std::scoped_lock lock(mutex_);
  Standing& standing = at(backend);
  standing.failing = false;
  standing.last_good_ms = unix_ms;
}

void Standings::failed(std::string_view backend, const Error& error, std::int64_t unix_ms) {
  const std::scoped_lock lock(mutex_);
  Standing& standing = at(backend);
  standing.failing = true;
  standing.last_error_ms = unix_ms;
  standing.last_error = fault_row(error.fault).name;
  const std::string& words = error.detail.empty() ? error.message : error.detail;
  if (!words.empty()) standing.last_error += ": " + words;
}

void Standings::probed(std::string_view backend, std::string why, std::int64_t took_ms, std::int64_t unix_ms) {
  const std::scoped_lock lock(mutex_);
  Probed& probe = at(backend).probe;
  ++(why.empty() ? probe.good : probe.failed);
  probe.alive = why.empty();
  probe.unix_ms = unix_ms;
  probe.took_ms = took_ms;
  probe.why = std::move(why);
}

std::vector<Gauges::Probes> Standings::probes() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Gauges::Probes> out;
  for (const auto& [name, standing] : backends_) {
    const Probed& probe = standing.probe;
    if (probe.unix_ms != 0) out.push_back({name, probe.good, probe.failed});
  }
  return out;
}

Standing Standings::of(std::string_view backend) const {
  const std::scoped_lock lock(mutex_);
  const auto found = backends_.find(backend);
  return found == backends_.end() ? Standing{} : found->second;
}

}  // namespace sluice
