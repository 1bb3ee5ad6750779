// What each Claude model takes and refuses: a table of facts (protocols: Anthropic Messages, section 5).
// Not here: what a request says about it (thinking.cc, request_write.cc).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "model/chat.h"

namespace sluice::anthropic {

enum class Off : std::uint8_t {
  taken,          // thinking may be switched off
  between_tools,  // refused, but {type: between_tools} is the nearest
  refused,        // the lowest effort is the nearest
};

struct ModelRules {
  std::int64_t max_output = 4096;
  bool thinks = false;                    // knows `thinking` at all
  bool adaptive = false;                  // knows adaptive thinking and output_config.effort
  bool budget = false;                    // takes {type: enabled, budget_tokens}
  bool sampling = true;                   // takes temperature, top_p, top_k
  bool forced_tool = true;                // takes tool_choice any and tool
  bool prefill = true;                    // takes an assistant turn at the end
  bool system_in_messages = false;        // takes role system inside messages
  bool structured = false;                // takes output_config.format and strict tools
  bool xhigh = false;                     // knows effort xhigh
  bool preserved_thinking = false;        // binds each thinking block to everything before it
  bool one_of_temperature_top_p = false;  // refuses both together
  bool shows_thinking = true;             // thinking text is shown unless asked otherwise
  bool newest_version = false;            // speaks anthropic-version 2026-10-21
  Off off = Off::taken;
};

// Whether a Claude goes on from an assistant turn at the end of this request. Thoughts, a form of the answer and a tool
// that must be called rule it out.
[[nodiscard]] bool takes_prefill(const ChatRequest& request, std::string_view model);

// The rules of a model by any of its names ("claude-opus-4-5-20251101", "anthropic/claude-haiku-4.5",
// "claude-sonnet-4@20250514"). A newer Claude that the table does not know gets the newest line's rules; what is no
// Claude (a look-alike server) gets the permissive ones.
[[nodiscard]] ModelRules model_rules(std::string_view model);

}  // namespace sluice::anthropic
