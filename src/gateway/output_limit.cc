// SPDX-License-Identifier: MIT
#include "gateway/output_limit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "dialects/output_cap.h"

namespace sluice {
namespace {

using Words = std::string_view;

std::optional<std::int64_t> number(Words text) {
  std::int64_t out = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
  return bad == std::errc() && end == text.data() + text.size() && out >= 0 ? std::optional(out) : std::nullopt;
}

constexpr std::array caps = {Words("max_tokens"), Words("max_completion_tokens"), Words("max_output_tokens")};
constexpr std::array counts = {Words("n"), Words("best_of")};
// Those that stand in an object.
struct Inner {
  Words object, cap, count, name;
};
constexpr std::array inner = {
    Inner{"generationConfig", "maxOutputTokens", "candidateCount", "generationConfig.maxOutputTokens"},
    Inner{"generation_config", "max_output_tokens", "candidate_count", "generation_config.max_output_tokens"},
    Inner{"inferenceConfig", "maxTokens", "", "inferenceConfig.maxTokens"}};

void take(OutputAsked& out, std::optional<std::int64_t> told, Words field) {
  if (!told || *told < 0 || (out.most && *out.most >= *told)) return;
  out.most = told;
  out.field = field;
}

void look_inside(OutputAsked& out, Words raw, const Inner& names) {
  json::Document doc;
  const auto root = doc.parse(raw);
  if (!root) return;
  // Google takes both spellings in either object.
  const bool google = names.object.starts_with("generation");
  take(out, (*root)[names.cap].integer(), names.name);
  if (!google) return;
  for (const Inner& one : inner) {
    if (one.count.empty()) continue;
    take(out, (*root)[one.cap].integer(), names.name);
    out.answers = std::max(out.answers, (*root)[one.count].integer().value_or(1));
  }
}

}  // namespace

OutputAsked output_asked(std::span<const json::TopMember> members) {
  OutputAsked out;
  for (const json::TopMember& member : members) {
    if (const auto* const cap = std::ranges::find(caps, Words(member.key)); cap != caps.end())
      take(out, number(member.raw), *cap);
    if (std::ranges::find(counts, Words(member.key)) != counts.end())
      out.answers = std::max(out.answers, number(member.raw).value_or(1));
    const auto* const at = std::ranges::find(inner, Words(member.key), &Inner::object);
    if (at != inner.end()) look_inside(out, member.raw, *at);
  }
  constexpr std::int64_t most_answers = 1'024;  // more are refused by every vendor
  out.answers = std::min(out.answers, most_answers);
  return out;
}

std::optional<std::int64_t> output_allowed(const Key* key, const OutputAsked& asked) {
  if (!key || key->max_output_tokens == 0) return std::nullopt;
  return std::max<std::int64_t>(key->max_output_tokens / asked.answers, 1);
}

Result<void> keep_output_limit(const Key& key, const OutputAsked& asked) {
  const auto most = output_allowed(&key, asked);
  if (!most || !asked.most || *asked.most <= *most) return {};
  Error error{.fault = Fault::bad_request, .param = std::string(asked.field)};
  error.message = error.param + " is " + std::to_string(*asked.most) + ", and this key may ask for at most " +
                  std::to_string(key.max_output_tokens) + " tokens of output" +
                  (asked.answers > 1 ? " in all answers together" : "") + ".";
  return fail(std::move(error));
}

json::Edit output_edit(DialectId dialect, const Destination& to, std::span<const json::TopMember> members,
                       std::int64_t most) {
  json::Edit out{.pointer = std::string(output_cap(dialect, to)), .value = std::to_string(most)};
  const bool snake = std::ranges::find(members, Words("generation_config"), &json::TopMember::key) != members.end();
  if (dialect == DialectId::gemini && snake) out.pointer = "/generation_config/max_output_tokens";
  return out;
}

}  // namespace sluice
