// Why an answer stopped, in this vendor's words. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/json.h"
#include "model/reply.h"

namespace sluice::anthropic {

// From an object that holds stop_reason, stop_sequence and stop_details.
[[nodiscard]] Stop read_stop(json::Value holder);
// "stop_reason", "stop_sequence" and "stop_details" into the open object. `calls`: the answer holds tool calls, which
// decides where the source said nothing better.
void write_stop(json::Writer& out, const Stop& stop, bool calls);

}  // namespace sluice::anthropic
