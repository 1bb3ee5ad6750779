// generationConfig, thinkingConfig, tools and toolConfig <-> the settings of a request.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "dialects/dialect.h"
#include "dialects/gemini/models.h"
#include "dialects/gemini/names.h"

namespace sluice::gemini {

// generation.cc. Error: bad_request that names the field.
[[nodiscard]] Result<void> read_generation(json::Value config, ChatRequest& out);
// The value of "generationConfig", empty when nothing is to be said. `system_hint`: text that the system instruction
// must carry for what has no setting.
[[nodiscard]] std::string write_generation(const ChatRequest& request, const Destination& to, const ModelRules& rules,
                                           std::string& system_hint, Notes& notes);

// thinking.cc
void read_thinking(json::Value config, ReasoningAsk& out);
// "thinkingConfig": {…} into the open object, when anything is to be said.
void write_thinking(json::Writer& out, const ChatRequest& request, const ModelRules& rules, Notes& notes);

// tools.cc
[[nodiscard]] Result<void> read_tools(json::Value tools, ChatRequest& out);
[[nodiscard]] Result<void> read_tool_config(json::Value config, ChatRequest& out);
// "tools" and "toolConfig" into the open object. Error: unsupported for a name that the vendor refuses.
[[nodiscard]] Result<void> write_tools(json::Writer& out, const ChatRequest& request, const Destination& to,
                                       const ModelRules& rules, Notes& notes);

}  // namespace sluice::gemini
