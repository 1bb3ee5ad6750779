// The clocks of one call, as far as they are not the target's own: what its request asks for, and what was learnt.
// Pure. Not here: who waits by them (gateway/flight.h). SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace sluice {

// The value of a request's field x-sluice-timeouts: "first_token=20s, total=2m", with the names of `timeouts`. Errors:
// bad_request.
[[nodiscard]] Result<TimeoutChanges> read_timeouts(std::string_view field);

// One clock as a request asks for it: shorter as it likes, longer up to `most`, which is `own` where nothing else is
// said. Zero is no limit.
[[nodiscard]] Millis within(Millis own, std::optional<Millis> asked, std::optional<Millis> most);
[[nodiscard]] Timeouts within(const Timeouts& own, const TimeoutChanges& asked, const TimeoutChanges& most);

// How long a target may take to its first token, when 99 of 100 of its streams needed `p99`: four times as long, at
// least a second, and never longer than the clock that is configured.
[[nodiscard]] Millis first_token_clock(const Timeouts& clocks, std::optional<double> p99_ms);

}  // namespace sluice
