// SPDX-License-Identifier: MIT
#include "upstream/standing.h"

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

Standing Standings::of(std::string_view backend) const {
  const std::scoped_lock lock(mutex_);
  const auto found = backends_.find(backend);
  return found == backends_.end() ? Standing{} : found->second;
}

}  // namespace sluice
