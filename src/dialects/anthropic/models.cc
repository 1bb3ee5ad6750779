// SPDX-License-Identifier: MIT
#include "dialects/anthropic/models.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace sluice::anthropic {
namespace {

constexpr ModelRules legacy = {};
constexpr ModelRules sonnet_3_5 = {.max_output = 8192};
constexpr ModelRules sonnet_3_7 = {.max_output = 64000, .thinks = true, .budget = true};
constexpr ModelRules opus_4 = {.max_output = 32000, .thinks = true, .budget = true, .one_of_temperature_top_p = true};
constexpr ModelRules sonnet_4 = {.max_output = 64000, .thinks = true, .budget = true, .one_of_temperature_top_p = true};
constexpr ModelRules opus_4_1 = {
    .max_output = 32000, .thinks = true, .budget = true, .structured = true, .one_of_temperature_top_p = true};
constexpr ModelRules line_4_5 = {
    .max_output = 64000, .thinks = true, .budget = true, .structured = true, .one_of_temperature_top_p = true};
constexpr ModelRules line_4_6 = {.max_output = 128000,
                                 .thinks = true,
                                 .adaptive = true,
                                 .budget = true,
                                 .prefill = false,
                                 .structured = true,
                                 .one_of_temperature_top_p = true};
constexpr ModelRules opus_4_7 = {.max_output = 128000,
                                 .thinks = true,
                                 .adaptive = true,
                                 .sampling = false,
                                 .prefill = false,
                                 .structured = true,
                                 .xhigh = true,
                                 .shows_thinking = false,
                                 .newest_version = true};

constexpr ModelRules with_system(ModelRules rules) {
  rules.system_in_messages = true;
  return rules;
}
constexpr ModelRules opus_4_8 = with_system(opus_4_7);

// The 5 line, and the assumption for whatever comes after it.
constexpr ModelRules always_thinking(Off off, bool forced_tool, bool preserved) {
  ModelRules rules = opus_4_8;
  rules.off = off;
  rules.forced_tool = forced_tool;
  rules.preserved_thinking = preserved;
  return rules;
}
struct Row {
  std::string_view name;  // up to its version: longer names first
  ModelRules rules;
};

constexpr std::array rows = std::to_array<Row>({
    {"claude-sonnet-5-5", always_thinking(Off::between_tools, false, true)},
    {"claude-opus-5-5", always_thinking(Off::refused, false, true)},
    {"claude-haiku-5-5", always_thinking(Off::taken, true, true)},
    {"claude-fable-5", always_thinking(Off::refused, true, false)},
    {"claude-opus-5", always_thinking(Off::taken, true, false)},
    {"claude-sonnet-5", opus_4_7},
    {"claude-opus-4-8", opus_4_8},
    {"claude-opus-4-7", opus_4_7},
    {"claude-opus-4-6", line_4_6},
    {"claude-sonnet-4-6", line_4_6},
    {"claude-opus-4-5", line_4_5},
    {"claude-sonnet-4-5", line_4_5},
    {"claude-haiku-4-5", line_4_5},
    {"claude-opus-4-1", opus_4_1},
    {"claude-opus-4", opus_4},
    {"claude-sonnet-4", sonnet_4},
    {"claude-4-opus", opus_4},
    {"claude-4-sonnet", sonnet_4},
    {"claude-3-7-sonnet", sonnet_3_7},
    {"claude-3-5", sonnet_3_5},
    {"claude-3", legacy},
    {"claude-2-1", legacy},
    {"claude-2", legacy},
    {"claude-instant-1-2", legacy},
    {"claude-instant-1", legacy},
    {"claude-instant", legacy},
});

// Whoever speaks Anthropic's dialect without being Claude decides for itself.
constexpr ModelRules look_alike = {.thinks = true, .budget = true, .structured = true};

// "us.anthropic.claude-sonnet-4.5-v1:0" -> "claude-sonnet-4-5-v1:0"; empty when it is no Claude.
std::string plain_name(std::string_view model) {
  const std::string name = lower(model);
  const auto at = name.find("claude");
  if (at == std::string::npos) return {};
  std::string out = name.substr(at);
  std::ranges::replace(out, '.', '-');
  return out;
}

// A row's name must end where a version ends: "claude-opus-4" is neither "claude-opus-41" nor "claude-opus-4-9", but
// it is "claude-opus-4-0", "claude-opus-4-20250514" and "claude-opus-4@20250514".
bool is_row(std::string_view name, std::string_view row) {
  if (!name.starts_with(row)) return false;
  const std::string_view rest = name.substr(row.size());
  if (rest.empty()) return true;
  if (rest.front() != '-') return rest.front() < '0' || rest.front() > '9';
  const auto end = rest.find_first_not_of("0123456789", 1);
  const std::size_t digits = (end == std::string_view::npos ? rest.size() : end) - 1;
  return digits == 0 || digits > 2 || rest.substr(1, digits) == "0";
}

}  // namespace

ModelRules model_rules(std::string_view model) {
  const std::string name = plain_name(model);
  if (name.empty()) return look_alike;
  for (const Row& row : rows) {
    if (is_row(name, row.name)) return row.rules;
  }
  return always_thinking(Off::refused, false, true);
}

bool takes_prefill(const ChatRequest& request, std::string_view model) {
  const bool thinks = request.reasoning.mode != ReasoningMode::unset && request.reasoning.mode != ReasoningMode::off;
  const bool effort = !request.reasoning.effort.empty() && request.reasoning.effort != "none";
  const bool formed = request.format && request.format->kind != FormatKind::text;
  const bool forced = request.tool_choice && (request.tool_choice->kind == ChoiceKind::required ||
                                              request.tool_choice->kind == ChoiceKind::one);
  return model.contains("claude") && model_rules(model).prefill && !thinks && !effort && !formed && !forced;
}

}  // namespace sluice::anthropic
