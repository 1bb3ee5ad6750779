// Waiting for a place under a cap: in line at one or several gates, on this exchange's own worker, until one of them
// has a place, the time is over or the client leaves. SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "config/snapshot.h"
#include "gateway/failover.h"
#include "policy/course.h"

namespace sluice {

// Until the step may be begun: its time has come, or a target that was at its cap has a place for it, which the step
// then is of. False: nobody lets it in, and the course must be asked for another step. Errors: client_gone.
[[nodiscard]] Task<Result<bool>> until_ready(Exchange& ex, net::Sleeper& sleeper, const std::vector<Target>& targets,
                                             Course& course, Course::Step& step, Company* company);

// Gives the exchange its place among those that the server has at once, for its whole life. Errors: client_gone,
// overloaded.
[[nodiscard]] Task<Result<bool>> take_place(Exchange& ex, net::Sleeper& sleeper, const std::vector<Target>& targets,
                                            Company* company);

}  // namespace sluice
