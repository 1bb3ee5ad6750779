// SPDX-License-Identifier: MIT
#include "dialects/bedrock_converse/models.h"

#include <array>
#include <string>

#include "base/text.h"

namespace sluice::bedrock_converse {
namespace {

struct Row {
  std::string_view part;  // of the model's name; the first row that fits counts
  ModelRules rules;
};

// Models whose weights are open: they answer in a schema, and nothing of theirs is cached.
constexpr ModelRules open_weights = {.caches = false, .must_call_one = false};
constexpr ModelRules plain = {
    .structured = false, .strict_tools = false, .caches = false, .must_call = false, .must_call_one = false};

constexpr ModelRules thinking_as(ThinkingForm form, ModelRules rules) {
  rules.thinking = form;
  return rules;
}

constexpr ModelRules nova = {
    .structured = false, .strict_tools = false, .caches_long = false, .top_k = "inferenceConfig/topK"};
constexpr ModelRules nova_2 = [] {
  ModelRules rules = thinking_as(ThinkingForm::nova, nova);
  rules.grounds = true;
  return rules;
}();
constexpr ModelRules mistral = [] {
  ModelRules rules = open_weights;
  rules.nine_letter_ids = true;
  rules.top_k = "top_k";
  return rules;
}();

constexpr std::array rows = std::to_array<Row>({
    {"amazon.nova-2", nova_2},
    {"amazon.nova-premier", nova_2},
    {"amazon.nova", nova},
    {"amazon.titan", plain},
    {"meta.llama", plain},
    {"ai21.", plain},
    {"cohere.", plain},
    {"openai.gpt-oss", thinking_as(ThinkingForm::flat, open_weights)},
    {"openai.", thinking_as(ThinkingForm::nested, open_weights)},
    {"mistral.", mistral},
    {"deepseek.r1", plain},
    {"deepseek.", open_weights},
    {"qwen.", open_weights},
    {"moonshot", open_weights},
    {"minimax.", open_weights},
    {"zai.", open_weights},
    {"google.", open_weights},
    {"nvidia.", open_weights},
    {"writer.", plain},
});

ModelRules claude(std::string_view model) {
  const anthropic::ModelRules theirs = anthropic::model_rules(model);
  // This cloud refuses what the vendor itself takes.
  const bool refuses = model.contains("opus-4-7") || model.contains("opus-4-8");
  ModelRules rules = {.thinking = ThinkingForm::claude, .claude = true, .top_k = "top_k"};
  rules.structured = rules.strict_tools = theirs.structured && !refuses;
  rules.must_call = rules.must_call_one = theirs.forced_tool;
  rules.caches_long = theirs.structured;  // from the same line on
  rules.caches = theirs.thinks || model.contains("3-5");
  rules.claude_rules = theirs;
  return rules;
}

}  // namespace

ModelRules model_rules(std::string_view model) {
  const std::string name = lower(model);
  if (name.contains("claude")) return claude(name);
  for (const Row& row : rows) {
    if (name.contains(row.part)) return row.rules;
  }
  return {.top_k = "top_k"};
}

}  // namespace sluice::bedrock_converse
