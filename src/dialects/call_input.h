// Arguments of a call as the object that some dialects demand. Undone in the answer by tool_return.h.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "model/chat.h"

namespace sluice {

// Nothing becomes {}, what is no object is wrapped as {"input": …} and `wrapped` says so (for custom tools that is
// their normal form).
[[nodiscard]] std::string call_input(const ToolCall& call, bool& wrapped);

}  // namespace sluice
