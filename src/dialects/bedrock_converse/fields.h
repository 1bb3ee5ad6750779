// What stands in additionalModelRequestFields: each model's own parameters under the names that its vendor gave them.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "base/json.h"
#include "dialects/bedrock_converse/models.h"
#include "dialects/bedrock_converse/writing.h"
#include "model/chat.h"

namespace sluice::bedrock_converse {

// Reads the known ones into the request; the others are kept as they are. What belongs to thinking remembers where it
// stood.
void read_fields(json::Value fields, ChatRequest& request);

// What a request says about thinking, in the form of its target model.
struct Thinking {
  ThinkingForm form = ThinkingForm::none;
  std::string word;                    // of the form: enabled, adaptive, disabled; empty: nothing is said
  std::optional<std::int64_t> budget;  // tokens
  std::string effort, display;
  [[nodiscard]] bool on() const { return word == "enabled" || word == "adaptive"; }
};

// `max_tokens` grows where a budget would eat all of it. Notes: restated, lost and added.
[[nodiscard]] Thinking plan_thinking(const Writing& w, std::optional<std::int64_t>& max_tokens);
// "additionalModelRequestFields": {…} into the open object, if there is anything to say.
void write_fields(Writing& w, const Thinking& thinking);

}  // namespace sluice::bedrock_converse
