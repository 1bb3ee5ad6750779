// Tokens: the vendors' overlapping counts into disjoint buckets and back (protocols/mapping.md section 11).
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/json.h"
#include "model/reply.h"

namespace sluice::openai_chat {

// Of a `usage` object; takes every vendor's names. An unknown bucket stays absent.
[[nodiscard]] Usage read_usage(json::Value usage);
// The usage of a chunk or reply, wherever this vendor put it; absent when there is none.
[[nodiscard]] json::Value find_usage(json::Value root);
// The vendor's own object if it is of this dialect, else one made from the buckets.
void write_usage(json::Writer& out, const Usage& usage);

}  // namespace sluice::openai_chat
