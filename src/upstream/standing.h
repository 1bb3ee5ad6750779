// How each backend has done so far: its last good answer and its last fault. Keyed by name, so that a reload keeps it.
// Not here: breakers (policy). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sluice {

struct Standing {
  bool failing = false;            // the last call ended in a fault of the backend
  std::int64_t last_good_ms = 0;   // Unix time of the last good answer, 0 = never
  std::int64_t last_error_ms = 0;  // Unix time of the last fault, 0 = never
  std::string last_error;          // fault and detail
};

// Safe from any thread.
class Standings {
 public:
  void worked(std::string_view backend, std::int64_t unix_ms);
  void failed(std::string_view backend, const Error& error, std::int64_t unix_ms);
  [[nodiscard]] Standing of(std::string_view backend) const;

 private:
  Standing& at(std::string_view backend);
  mutable std::mutex mutex_;
  std::map<std::string, Standing, std::less<>> backends_;
};

}  // namespace sluice
