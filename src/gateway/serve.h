// The flow. Read serve.cc first. SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "gateway/exchange.h"

namespace sluice {

// Serves the request whose head the client connection holds. When it fails before the answer has begun, the caller
// speaks the error; afterwards the error has been spoken in-stream here. However it ends, the record is complete.
[[nodiscard]] Task<Result<bool>> serve(Exchange& ex);

}  // namespace sluice
