// Cohere's usage <-> Usage. SPDX-License-Identifier: MIT
#pragma once

#include "base/json.h"
#include "model/reply.h"

namespace sluice::cohere {

// `tokens` count what passed and fill the buckets; `billed_units` are what is charged for, without the vendor's own
// prompt around the client's, and stand beside them. Where only those came, they fill the buckets.
[[nodiscard]] Usage read_usage(json::Value usage);
// The object, or nothing written and false when nothing is known.
bool write_usage(json::Writer& out, const Usage& usage);

}  // namespace sluice::cohere
