// SPDX-License-Identifier: MIT
#include "dialects/anthropic/usage.h"

#include <algorithm>

namespace sluice::anthropic {

Usage read_usage(json::Value usage) {
  Usage out{.origin = DialectId::anthropic};
  if (!usage.is_object()) return out;
  out.raw = std::string(usage.raw());
  const auto [input, cache_read, written, writes, output, details] =
      usage.pick("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
                 "output_tokens", "output_tokens_details");
  out.input = input.integer();
  out.cache_read = cache_read.integer();
  out.cache_write_5m = writes["ephemeral_5m_input_tokens"].integer();
  out.cache_write_1h = writes["ephemeral_1h_input_tokens"].integer();
  if (const auto all = written.integer()) {
    out.cache_write_5m = std::max<std::int64_t>(0, *all - out.cache_write_1h.value_or(0));
  }
  out.output = output.integer();
  out.reasoning = details["thinking_tokens"].integer();
  if (out.output && out.reasoning) out.output = std::max<std::int64_t>(0, *out.output - *out.reasoning);
  return out;
}

RawJson merge_usage(std::string_view before, json::Value later) {
  if (!later.is_object()) return std::string(before);
  json::Document doc;
  const auto old = before.empty() ? Result<json::Value>(json::Value()) : doc.parse(before);
  if (!old) return std::string(later.raw());
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const auto [key, value] : old->members()) {
    const json::Value fresh = later[key];
    out.member_raw(key, fresh && !fresh.is_null() ? fresh.raw() : value.raw());
  }
  for (const auto [key, value] : later.members()) {
    if (!(*old)[key]) out.member_raw(key, value.raw());
  }
  out.end_object();
  return text;
}

void write_usage(json::Writer& out, const Usage& usage, const std::optional<std::string>& service_tier) {
  if (usage.origin == DialectId::anthropic && !usage.raw.empty()) {
    out.raw(usage.raw);
    return;
  }
  out.begin_object();
  // Both are required by the vendor's own types, so an unknown count has to be a number.
  out.member("input_tokens", usage.input.value_or(0) + usage.tool_input.value_or(0));
  if (usage.cache_write_5m || usage.cache_write_1h) {
    out.member("cache_creation_input_tokens", usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0));
    out.key("cache_creation").begin_object();
    out.member("ephemeral_5m_input_tokens", usage.cache_write_5m.value_or(0));
    out.member("ephemeral_1h_input_tokens", usage.cache_write_1h.value_or(0));
    out.end_object();
  }
  if (usage.cache_read) out.member("cache_read_input_tokens", *usage.cache_read);
  out.member("output_tokens", usage.total_output());
  if (usage.reasoning) {
    out.key("output_tokens_details").begin_object().member("thinking_tokens", *usage.reasoning).end_object();
  }
  if (service_tier) {
    if (const auto word = write_tier(*service_tier); !word.empty()) out.member("service_tier", word);
  }
  out.end_object();
}

std::string_view read_tier(std::string_view word) {
  return word == "standard" ? std::string_view("default") : word;
}

std::string_view write_tier(std::string_view word) {
  if (word == "default" || word == "standard") return "standard";
  if (word == "priority" || word == "batch") return word;
  return {};
}

}  // namespace sluice::anthropic
