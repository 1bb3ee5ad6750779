// Tools and the choice among them, in the words of one model. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dialects/anthropic/models.h"
#include "dialects/anthropic/request_parts.h"

namespace sluice::anthropic {

// Chat's member that stands for a tool here: no unknown one.
inline constexpr std::string_view web_search_options = "web_search_options";

struct Tools {
  std::vector<std::string> redeclared;  // names that the history calls though no tool is declared
  RawJson web_search;                   // the vendor's own tool, for a client that asks for search outside of its tools
  std::string only;                     // not empty: of the declared tools this one alone is offered
  std::string choice;                   // auto, any, tool, none; empty: nothing is said
  std::string choice_name;              // of choice "tool"
  std::optional<bool> parallel_off;     // disable_parallel_tool_use
  std::optional<std::string> hint;      // an instruction in place of a choice that the model refuses
};

[[nodiscard]] Tools plan_tools(const ChatRequest& request, const Dialogue& dialogue, const ModelRules& rules, bool own,
                               bool as_said, bool manual_thinking, Notes& notes);
// "tools" and "tool_choice" into the open object.
void write_tools(json::Writer& out, const ChatRequest& request, const Tools& tools, const ModelRules& rules, bool own,
                 bool as_said, PartRules& parts, Notes& notes);

}  // namespace sluice::anthropic
