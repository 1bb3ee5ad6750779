// The admin API over HTTP. SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "gateway/doors.h"
#include "gateway/exchange.h"

namespace sluice {

// From this machine, or from where `admin.from` says; then it is up to the admin key.
[[nodiscard]] Task<Result<bool>> serve_admin(Exchange& ex, const Entry& entry);

}  // namespace sluice
