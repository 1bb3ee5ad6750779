// The pieces of reading a request. SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "dialects/openai_responses/items.h"
#include "model/chat.h"

namespace sluice::openai_responses {

// input: one string or a list of items, behind what stands in `out` already. What the assistant said or called between
// two words of others is one turn, however many items it was. Errors: bad_request in the vendor's words
// (input_read.cc).
[[nodiscard]] Result<void> read_input(json::Value input, ChatRequest& out);
// Errors: bad_request for what is no list of objects, and for a function without a name (tools_read.cc).
[[nodiscard]] Result<void> read_tools(json::Value tools, ChatRequest& out);
[[nodiscard]] ToolChoice read_tool_choice(json::Value choice);

}  // namespace sluice::openai_responses
