// What a vendor that speaks this dialect takes and refuses: one row each (protocols/vendors.md), and the rules that
// OpenAI's own models have. Rows decide what is written; reading takes every vendor's habits at once.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "dialects/pointer.h"

namespace sluice::openai_chat {

// How an effort of reasoning is asked for.
enum class EffortForm : std::uint8_t {
  word,      // reasoning_effort
  object,    // reasoning: {effort | max_tokens, exclude, enabled}
  thinking,  // thinking: {type: enabled | disabled}, beside reasoning_effort where `effort_words` are given
  enable,    // enable_thinking, thinking_budget
};

struct FieldSet {
  std::uint64_t bits = 0;
  constexpr FieldSet() = default;
  constexpr FieldSet(std::initializer_list<Field> fields) {
    for (const Field field : fields) bits |= std::uint64_t{1} << static_cast<unsigned>(field);
  }
  [[nodiscard]] constexpr bool has(Field field) const { return (bits >> static_cast<unsigned>(field) & 1U) != 0; }
};

// What a vendor's checker of tools' schemas takes.
enum class SchemaForm : std::uint8_t {
  any,
  object,    // an object that names its members, without alternatives at the root
  moonshot,  // and no tuples in `items`, no type beside anyOf, no $schema (moonshot_schema.h)
};

struct Vendor {
  std::string_view name;
  FieldSet refused;                                // settings that are a 400 or do nothing there
  std::span<const std::string_view> known_extras;  // unknown members that pass; empty with any_extra: all
  bool any_extra = true;
  bool developer = false;      // knows the role developer
  bool names = true;           // takes `name` on messages
  bool stream_options = true;  // takes stream_options.include_usage
  bool strict = false;         // takes `strict` on tools and schemas
  bool lists = false;          // takes text lists as content of system, assistant and tool messages
  bool custom_tools = false;
  bool allowed_tools = false;  // tool_choice of a subset
  bool forced_tools = true;    // tool_choice required or by name
  bool json_schema = true;
  bool cache_control = false;  // takes cache marks on parts
  bool nine_letter_ids = false;
  std::string_view max_field = "max_tokens";
  std::string_view reasoning_field = "reasoning_content";  // reasoning of earlier turns; empty: refused or of no use
  std::string_view prefill;            // the member of an assistant message at the end from which the model goes on
  bool reasoning_after_calls = false;  // wants that member, even empty, on every assistant message with calls
  bool reasoning_details = false;
  EffortForm effort = EffortForm::word;
  SchemaForm schemas = SchemaForm::any;  // of tools that other dialects' clients declare
};

// The row of that name; an unknown one is "compatible".
[[nodiscard]] const Vendor& vendor(std::string_view name);

// OpenAI's own models (openai-chat.md section 2). Anything that is not recognised has no rules.
struct ModelRules {
  bool reasoning = false;                     // max_completion_tokens only; no penalties, logit_bias, several choices
  bool stop = true;                           // takes stop
  bool sampling = true;                       // takes temperature, top_p, logprobs at its default effort
  bool sampling_at_none = false;              // … only while the effort is none
  bool tools_need_none = false;               // calls only with reasoning_effort none …
  bool tools_need_none_said = false;          // … which must stand there, because the default is another
  bool no_tools = false;                      // has no none: calls only through Responses
  std::span<const std::string_view> efforts;  // known words, lowest first
};
[[nodiscard]] ModelRules model_rules(std::string_view model);
// The nearest word that the model knows. Empty list: the word itself.
[[nodiscard]] std::string_view nearest_effort(const ModelRules& rules, std::string_view effort);

}  // namespace sluice::openai_chat
