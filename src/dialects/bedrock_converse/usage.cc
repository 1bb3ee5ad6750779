// SPDX-License-Identifier: MIT
#include "dialects/bedrock_converse/usage.h"

#include <algorithm>

namespace sluice::bedrock_converse {

Usage read_usage(json::Value usage) {
  Usage out{.origin = DialectId::bedrock_converse};
  if (!usage.is_object()) return out;
  out.raw = std::string(usage.raw());
  const auto [input, output, cached, written, details] =
      usage.pick("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "cacheDetails");
  out.input = input.integer();
  out.output = output.integer();
  out.cache_read = cached.integer();
  out.cache_write_5m = written.integer();
  for (const json::Value detail : details.elements()) {
    if (detail["ttl"].equals("1h")) out.cache_write_1h = detail["inputTokens"].integer();
  }
  if (out.cache_write_5m && out.cache_write_1h) {
    out.cache_write_5m = std::max<std::int64_t>(0, *out.cache_write_5m - *out.cache_write_1h);
  }
  return out;
}

void write_usage(json::Writer& out, const Usage& usage) {
  if (usage.origin == DialectId::bedrock_converse && !usage.raw.empty()) {
    out.member_raw("usage", usage.raw);
    return;
  }
  if (!usage.known()) return;
  out.key("usage").begin_object();
  out.member("inputTokens", usage.input.value_or(0) + usage.tool_input.value_or(0));
  out.member("outputTokens", usage.total_output());
  out.member("totalTokens", usage.total_input() + usage.total_output());
  if (usage.cache_read) out.member("cacheReadInputTokens", *usage.cache_read);
  if (usage.cache_write_5m || usage.cache_write_1h) {
    out.member("cacheWriteInputTokens", usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0));
    out.key("cacheDetails").begin_array();
    const auto detail = [&](std::string_view ttl, const std::optional<std::int64_t>& tokens) {
      if (tokens) out.begin_object().member("ttl", ttl).member("inputTokens", *tokens).end_object();
    };
    detail("1h", usage.cache_write_1h);
    detail("5m", usage.cache_write_5m);
    out.end_array();
  }
  out.end_object();
}

}  // namespace sluice::bedrock_converse
