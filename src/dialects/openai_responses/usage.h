// Tokens: one object that counts cached and reasoning tokens twice, into disjoint buckets and back.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/json.h"
#include "model/reply.h"

namespace sluice::openai_responses {

// Of a `usage` object; nothing known when it is none.
[[nodiscard]] Usage read_usage(json::Value usage);
// The vendor's own object if it is of this dialect, else one made from the buckets; both objects of details are there,
// because clients' types demand them.
void write_usage(json::Writer& out, const Usage& usage);

}  // namespace sluice::openai_responses
