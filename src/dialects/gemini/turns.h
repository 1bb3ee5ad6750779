// The turns of a conversation as `systemInstruction` and `contents`. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/json.h"
#include "dialects/dialect.h"
#include "dialects/gemini/models.h"

namespace sluice::gemini {

// Both members into the open object. `system_hint`: one more system text, or empty. Errors: unsupported when nothing is
// left to be answered, or when the model cannot take what the question is about.
[[nodiscard]] Result<void> write_turns(json::Writer& out, const ChatRequest& request, const Destination& to,
                                       const ModelRules& rules, std::string_view system_hint, Notes& notes);

}  // namespace sluice::gemini
