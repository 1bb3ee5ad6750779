// What a request says about thinking, in the words that its target model takes: modes, efforts and budgets are three
// vocabularies, and each model knows some of them (models.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dialects/anthropic/models.h"
#include "dialects/dialect.h"

namespace sluice::anthropic {

struct Thinking {
  std::string type;                    // enabled, adaptive, disabled, between_tools; empty: nothing is said
  std::optional<std::int64_t> budget;  // of enabled
  std::string display;                 // empty: nothing is said
  std::string effort;                  // for output_config; empty: nothing is said
  bool drop_mismatched = false;  // ask the vendor to drop thinking that does not fit its place instead of refusing

  [[nodiscard]] bool on() const { return type == "enabled" || type == "adaptive"; }
};

// `max_tokens` grows where a budget would eat all of it. `as_said`: the client speaks this dialect and meant this very
// model, so its words stand. Notes: restated and lost.
[[nodiscard]] Thinking plan_thinking(const ChatRequest& request, const ModelRules& rules, const Destination& to,
                                     bool as_said, std::optional<std::int64_t>& max_tokens, Notes& notes);

// "thinking": {…} into the open object, if anything is said.
void write_thinking(json::Writer& out, const Thinking& thinking, const ReasoningAsk& ask, Notes& notes);

}  // namespace sluice::anthropic
