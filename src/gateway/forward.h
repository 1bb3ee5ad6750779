// The second way through the gateway: operations that are no conversation. They go untouched to a backend that speaks
// the client's own dialect (vectors may come from others, too); bodies of any size stream through, both ways.
// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "gateway/doors.h"
#include "gateway/exchange.h"
#include "policy/caller.h"

namespace sluice {

// Serves it as serve() does a conversation, with the same promises.
[[nodiscard]] Task<Result<bool>> forward(Exchange& ex, const Entry& entry, const Caller& caller);

}  // namespace sluice
