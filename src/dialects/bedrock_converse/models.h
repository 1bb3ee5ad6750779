// What the models behind Bedrock take and refuse, by the vendor that made them: a table of facts (protocols: Bedrock,
// section 2). Of names that nobody knows (profiles, a customer's own) it is believed that they take everything.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "dialects/anthropic/models.h"

namespace sluice::bedrock_converse {

// How a model is told to think: each in its own member of additionalModelRequestFields.
enum class ThinkingForm : std::uint8_t {
  none,    // it thinks as it likes, or not at all
  claude,  // thinking, output_config.effort
  nova,    // reasoningConfig
  flat,    // reasoning_effort
  nested,  // reasoning.effort
};

struct ModelRules {
  ThinkingForm thinking = ThinkingForm::none;
  bool claude = false;           // then `claude_rules` hold as well
  bool structured = true;        // takes outputConfig.textFormat
  bool strict_tools = true;      // takes toolSpec.strict
  bool caches = true;            // takes cachePoint
  bool caches_long = true;       // and one that lives an hour
  bool must_call = true;         // takes toolChoice any
  bool must_call_one = true;     // takes toolChoice tool
  bool nine_letter_ids = false;  // ids of calls have exactly nine letters and digits
  bool grounds = false;          // has a tool that searches the web
  std::string_view top_k;        // where the parameter stands among the additional fields; empty: nowhere
  anthropic::ModelRules claude_rules = {};
};

[[nodiscard]] ModelRules model_rules(std::string_view model);

}  // namespace sluice::bedrock_converse
