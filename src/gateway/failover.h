// What conversations and errands share of trying target after target. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "gateway/flight.h"
#include "policy/course.h"

namespace sluice {

// What is done about faults: by the exchange's route, else by its snapshot.
[[nodiscard]] const FailoverSettings& failover(const Exchange& ex);

// The way through these targets by those rules. The exchange has its deadline from here on.
[[nodiscard]] Course course_over(Exchange& ex, const std::vector<Target>& targets);

// Sleeps until then (the loop's time), keeping the client company if there is any. Errors: client_gone.
[[nodiscard]] Task<Result<bool>> sleep_until(Exchange& ex, net::Sleeper& sleeper, std::int64_t at_ms, Company* company);

// Tells the caller of the last fault when to come again, and its SDK not to, when the gateway has done it all.
void say_when(Error& error, const Course& course, Exchange& ex);

}  // namespace sluice
