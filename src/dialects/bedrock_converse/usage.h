// Tokens of this dialect: what was cached is counted apart already. SPDX-License-Identifier: MIT
#pragma once

#include "base/json.h"
#include "model/reply.h"

namespace sluice::bedrock_converse {

[[nodiscard]] Usage read_usage(json::Value usage);
// "usage": {…} into the open object, when anything is known; three of its counts are required, so one that is not is a
// zero.
void write_usage(json::Writer& out, const Usage& usage);

}  // namespace sluice::bedrock_converse
