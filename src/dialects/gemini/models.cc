// SPDX-License-Identifier: MIT
#include "dialects/gemini/models.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/text.h"

namespace sluice::gemini {
namespace {

enum class Line : std::uint8_t { any, pro, flash, lite };

struct Name {
  int version = 0;  // 2.5 -> 205, 3 -> 300
  Line line = Line::any;
  bool image = false;
};

int number(std::string_view& text) {
  int value = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9' && value < 1000) {
    value = value * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  return value;
}

// nullopt: no name of a Gemini with a version.
std::optional<Name> parse(std::string_view model) {
  const std::string text = lower(model);
  std::string_view rest = text;
  const auto at = rest.find("gemini-");
  if (at == std::string_view::npos) return std::nullopt;
  rest.remove_prefix(at + 7);
  Name name;
  const bool latest = rest.find("latest") != std::string_view::npos;
  if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
    name.version = number(rest) * 100;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      name.version += number(rest);
    }
  } else if (!latest) {
    return std::nullopt;
  }
  if (rest.find("lite") != std::string_view::npos) {
    name.line = Line::lite;
  } else if (rest.find("flash") != std::string_view::npos) {
    name.line = Line::flash;
  } else if (rest.find("pro") != std::string_view::npos) {
    name.line = Line::pro;
  }
  name.image = rest.find("image") != std::string_view::npos;
  if (latest && name.version == 0) name.version = name.line == Line::pro ? 301 : 307;
  return name;
}

struct ThinkingRow {
  int from;   // the oldest version
  Line line;  // any: whatever no earlier row has taken
  ModelRules rules;
};

// Newest first; the first row that fits counts.
constexpr ThinkingRow thinking_rows[] = {
    {400, Line::any, {.control = Control::level}},
    {307, Line::flash, {.control = Control::level}},
    {307, Line::lite, {.control = Control::level}},
    {301, Line::pro, {.control = Control::level}},
    {300, Line::pro, {.control = Control::level, .medium = false}},
    {300, Line::any, {.control = Control::level, .minimal = true}},
    {205, Line::pro, {.control = Control::budget, .least = 128, .most = 32768}},
    {205, Line::lite, {.control = Control::budget, .least = 512, .most = 24576, .off = true}},
    {205, Line::any, {.control = Control::budget, .least = 0, .most = 24576, .off = true}},
    {0, Line::any, {.control = Control::none}},
};

constexpr std::string_view efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};

std::size_t rank(std::string_view effort) {
  const auto* at = std::ranges::find(efforts, effort);
  return at == std::end(efforts) ? 3 : static_cast<std::size_t>(at - std::begin(efforts));
}

}  // namespace

ModelRules model_rules(std::string_view model) {
  const auto name = parse(model);
  if (!name) {
    ModelRules rules;
    if (lower(model).find("gemma") != std::string::npos) rules.control = Control::none;
    rules.signatures = lower(model).find("gemma") == std::string::npos;
    return rules;
  }
  ModelRules rules = std::ranges::find_if(thinking_rows, [&](const ThinkingRow& row) {
                       return name->version >= row.from && (row.line == Line::any || row.line == name->line);
                     })->rules;
  if (name->image) rules.control = Control::none;
  const bool third = name->version >= 300;
  rules.signatures = third;
  rules.format_with_tools = third;
  rules.mixed_tools = third;
  rules.media_in_results = third;
  rules.media_resolution = third;
  rules.ids = third;
  rules.json_schema = name->version >= 200;
  rules.public_urls = name->version >= 205;
  rules.validated = name->version >= 205;
  rules.penalties = name->version < 205;
  return rules;
}

std::int64_t budget_of(std::string_view effort, const ModelRules& rules) {
  constexpr std::int64_t budgets[] = {0, 512, 1024, 8192, 24576, 32768, 32768};
  const std::size_t at = rank(effort);
  if (at == 0) return rules.off ? 0 : rules.least;
  return std::clamp(at >= 5 ? rules.most : budgets[at], rules.least, rules.most);
}

std::string_view effort_of(std::int64_t budget) {
  if (budget <= 0) return "none";
  if (budget <= 512) return "minimal";
  if (budget <= 1024) return "low";
  if (budget <= 8192) return "medium";
  if (budget <= 24576) return "high";
  return "xhigh";
}

std::string_view level_of(std::string_view effort, const ModelRules& rules) {
  const std::size_t at = rank(effort);
  if (at <= 1) return rules.minimal ? "MINIMAL" : "LOW";
  if (at == 2) return "LOW";
  if (at == 3) return rules.medium ? "MEDIUM" : "HIGH";
  return "HIGH";
}

std::string_view bare_model(std::string_view model) {
  constexpr std::string_view vertex = "publishers/google/models/";
  if (const auto at = model.find(vertex); at != std::string_view::npos) return model.substr(at + vertex.size());
  if (model.starts_with("models/")) model.remove_prefix(7);
  return model;
}

}  // namespace sluice::gemini
