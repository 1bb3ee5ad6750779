// SPDX-License-Identifier: MIT
#include "dialects/gemini/answer.h"

#include <algorithm>

#include "base/text.h"
#include "dialects/gemini/names.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

struct StopRow {
  std::string_view word;
  StopKind kind;
};
// Every word of the vendor's list; the first of a kind is the one that is written for it.
constexpr StopRow stops[] = {
    {"STOP", StopKind::end},
    {"MAX_TOKENS", StopKind::length},
    {"SAFETY", StopKind::content_filter},
    {"RECITATION", StopKind::content_filter},
    {"LANGUAGE", StopKind::content_filter},
    {"BLOCKLIST", StopKind::content_filter},
    {"PROHIBITED_CONTENT", StopKind::content_filter},
    {"SPII", StopKind::content_filter},
    {"IMAGE_SAFETY", StopKind::content_filter},
    {"IMAGE_PROHIBITED_CONTENT", StopKind::content_filter},
    {"IMAGE_RECITATION", StopKind::content_filter},
    {"IMAGE_OTHER", StopKind::content_filter},
    {"MALFORMED_FUNCTION_CALL", StopKind::malformed_tool},
    {"UNEXPECTED_TOOL_CALL", StopKind::malformed_tool},
    {"TOO_MANY_TOOL_CALLS", StopKind::malformed_tool},
    {"OTHER", StopKind::error},
    {"MALFORMED_RESPONSE", StopKind::error},
    {"MISSING_THOUGHT_SIGNATURE", StopKind::error},
    {"NO_IMAGE", StopKind::error},
    {"ESCALATION", StopKind::error},
    {"CONTINUATION", StopKind::length},
};

// Enums as numbers, for clients that asked for "enum-encoding=int".
constexpr std::string_view modalities[] = {"", "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT"};

bool is_modality(json::Value value, std::string_view word) {
  const auto number = value.integer();
  return number ? *number > 0 && *number < 6 && modalities[*number] == word : value.equals(word);
}

void read_modalities(json::Value details, std::optional<std::int64_t>& audio, std::optional<std::int64_t>& image) {
  for (const json::Value one : details.elements()) {
    const json::Value modality = one["modality"];
    if (is_modality(modality, "AUDIO")) audio = field(one, "tokenCount").integer();
    if (is_modality(modality, "IMAGE")) image = field(one, "tokenCount").integer();
  }
}

}  // namespace

Usage read_usage(json::Value usage, bool keep_raw) {
  Usage out{.origin = self};
  std::optional<std::int64_t> prompt, cached;
  for (const auto [key, value] : usage.members()) {
    if (is_name(key, "promptTokenCount")) {
      prompt = value.integer();
    } else if (is_name(key, "cachedContentTokenCount")) {
      cached = value.integer();
    } else if (is_name(key, "candidatesTokenCount")) {
      out.output = value.integer();
    } else if (is_name(key, "thoughtsTokenCount")) {
      out.reasoning = value.integer();
    } else if (is_name(key, "toolUsePromptTokenCount")) {
      out.tool_input = value.integer();
    } else if (is_name(key, "promptTokensDetails")) {
      read_modalities(value, out.audio_input, out.image_input);
    } else if (is_name(key, "candidatesTokensDetails")) {
      read_modalities(value, out.audio_output, out.image_output);
    }
  }
  // promptTokenCount holds what came from the cache.
  out.cache_read = cached;
  if (prompt) out.input = std::max<std::int64_t>(0, *prompt - cached.value_or(0));
  if (keep_raw) out.raw = std::string(usage.raw());
  return out;
}

std::string write_usage(const Usage& usage, std::string_view service_tier) {
  if (usage.origin == self && !usage.raw.empty()) return usage.raw;
  if (!usage.known()) return {};
  std::string out;
  json::Writer w(out);
  w.begin_object();
  const std::int64_t prompt = usage.total_input() - usage.tool_input.value_or(0);
  w.member("promptTokenCount", prompt);
  if (usage.cache_read) w.member("cachedContentTokenCount", *usage.cache_read);
  if (usage.output) w.member("candidatesTokenCount", *usage.output);
  if (usage.tool_input) w.member("toolUsePromptTokenCount", *usage.tool_input);
  if (usage.reasoning) w.member("thoughtsTokenCount", *usage.reasoning);
  w.member("totalTokenCount", usage.total_input() + usage.total_output());
  const auto modality = [&](std::string_view name, std::string_view word, std::optional<std::int64_t> count) {
    if (!count || *count == 0) return;
    w.key(name).begin_array().begin_object().member("modality", word).member("tokenCount", *count);
    w.end_object().end_array();
  };
  modality("promptTokensDetails", usage.audio_input.value_or(0) > 0 ? "AUDIO" : "IMAGE",
           usage.audio_input.value_or(0) > 0 ? usage.audio_input : usage.image_input);
  modality("candidatesTokensDetails", usage.audio_output.value_or(0) > 0 ? "AUDIO" : "IMAGE",
           usage.audio_output.value_or(0) > 0 ? usage.audio_output : usage.image_output);
  if (!service_tier.empty()) w.member("serviceTier", service_tier);
  w.end_object();
  return out;
}

std::string read_finish_reason(json::Value reason) {
  constexpr std::string_view numbered[] = {"FINISH_REASON_UNSPECIFIED",
                                           "STOP",
                                           "MAX_TOKENS",
                                           "SAFETY",
                                           "RECITATION",
                                           "OTHER",
                                           "LANGUAGE",
                                           "BLOCKLIST",
                                           "PROHIBITED_CONTENT",
                                           "SPII",
                                           "MALFORMED_FUNCTION_CALL",
                                           "IMAGE_SAFETY",
                                           "UNEXPECTED_TOOL_CALL",
                                           "TOO_MANY_TOOL_CALLS"};
  const auto number = reason.integer();
  if (!number) return reason.text();
  const bool known = *number >= 0 && static_cast<std::size_t>(*number) < std::size(numbered);
  return known ? std::string(numbered[*number]) : std::string(reason.raw());
}

StopKind stop_kind(std::string_view finish_reason, bool calls) {
  const auto* row = std::ranges::find(stops, finish_reason, &StopRow::word);
  const StopKind kind = row == std::end(stops) ? StopKind::unknown : row->kind;
  return calls && kind == StopKind::end ? StopKind::tool_calls : kind;
}

std::string finish_reason(const Stop& stop) {
  if (stop.origin == self) return stop.raw;
  switch (stop.kind) {
    case StopKind::end:
    case StopKind::stop_sequence:
    case StopKind::tool_calls: return "STOP";
    case StopKind::length:
    case StopKind::context_full: return "MAX_TOKENS";
    case StopKind::content_filter:
    case StopKind::refusal: return "SAFETY";
    case StopKind::pause: return "CONTINUATION";
    case StopKind::malformed_tool: return "MALFORMED_FUNCTION_CALL";
    case StopKind::error: return "OTHER";
    case StopKind::unknown: break;
  }
  return "STOP";  // an SDK waits for a reason; the answer did end
}

Stop blocked_stop(json::Value feedback) {
  return {.kind = StopKind::content_filter,
          .raw = field(feedback, "blockReason").text(),
          .origin = self,
          .detail = std::string(feedback.raw())};
}

std::optional<std::int64_t> read_time(std::string_view text) {
  const auto ms = parse_rfc3339(text);
  return ms ? std::optional(*ms / 1000) : std::nullopt;
}

namespace {

void write_token(json::Writer& w, json::Value token) {
  w.begin_object().member("token", token["token"].text());
  if (const json::Value p = token["logprob"]; p.is_number()) w.member_raw("logProbability", p.raw());
  w.end_object();
}

}  // namespace

RawJson read_logprobs(json::Value result) {
  const bool one_line = result.raw().find('\n') == std::string_view::npos;
  return one_line ? RawJson(result.raw()) : json::compact(result.raw());
}

std::string write_logprobs(const RawJson& logprobs, bool own) {
  std::string chosen = "[", top = "[";
  std::string_view rest = logprobs;
  std::size_t documents = 0;
  const auto add = [](std::string& list, std::string_view raw) {
    if (list.size() > 1) list += ',';
    list += raw;
  };
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    json::Document doc;
    const auto root = doc.parse(line);
    if (!root) continue;
    if (own) {
      if (++documents == 1 && rest.empty()) return std::string(line);
      for (const json::Value one : (*root)["chosenCandidates"].elements()) add(chosen, one.raw());
      for (const json::Value one : (*root)["topCandidates"].elements()) add(top, one.raw());
      continue;
    }
    for (const json::Value token : (*root)["content"].elements()) {
      std::string one;
      json::Writer w(one);
      write_token(w, token);
      add(chosen, one);
      std::string others;
      json::Writer list(others);
      list.begin_object().key("candidates").begin_array();
      for (const json::Value other : token["top_logprobs"].elements()) write_token(list, other);
      list.end_array().end_object();
      add(top, others);
    }
  }
  if (chosen.size() == 1) return {};
  std::string out = "{\"chosenCandidates\":" + chosen + ']';
  if (top.size() > 1) out += ",\"topCandidates\":" + top + ']';
  return out + '}';
}

}  // namespace sluice::gemini
