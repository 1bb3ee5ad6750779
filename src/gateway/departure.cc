// SPDX-License-Identifier: MIT
#include "gateway/departure.h"

#include "gateway/worker.h"

namespace sluice {
namespace {

constexpr std::int64_t most_at_once = 1'000;

}  // namespace

bool reads_on(Exchange& ex, const Backend& backend) {
  if (backend.read_on.count() == 0 || ex.mirror || ex.worker.cutting()) return false;
  if (ex.left()) return true;
  auto& running = ex.worker.shared().read_on;
  if (running.fetch_add(1, std::memory_order_relaxed) >= most_at_once) {
    running.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  ex.left_by_ms = ex.worker.loop().now_ms() + backend.read_on.count();
  return true;
}

}  // namespace sluice
