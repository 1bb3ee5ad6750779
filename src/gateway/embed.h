// An errand that asks for vectors, to a backend that does not take it in the client's words: read, asked in the
// backend's own words, and answered in the client's. Whoever takes it as it came gets it so (forward.cc).
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "gateway/errand.h"
#include "gateway/exchange.h"

namespace sluice {

// True when the backend gives vectors in words that are spoken here, and the operation asks for some.
[[nodiscard]] bool embeds(const Backend& backend, const VendorOperation& operation);

// One attempt at one target: the answer's body for the client. Errors: bad_request, unsupported, and those of a flight.
[[nodiscard]] Task<Result<std::string>> embed(Exchange& ex, const Errand& errand, const Target& target, Permit permit);

}  // namespace sluice
