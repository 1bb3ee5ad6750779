// What the metrics page tells that no exchange has told: what is open, waits or rests now. SPDX-License-Identifier: MIT
#pragma once

#include "gateway/worker.h"
#include "telemetry/metrics.h"

namespace sluice {

[[nodiscard]] Gauges gauges(Shared& shared);

}  // namespace sluice
