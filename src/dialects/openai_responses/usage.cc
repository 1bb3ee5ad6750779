// SPDX-License-Identifier: MIT
#include "dialects/openai_responses/usage.h"

#include <algorithm>

#include "dialects/openai_responses/openai_responses.h"

namespace sluice::openai_responses {
namespace {

std::int64_t without(std::int64_t all, std::int64_t part) {
  return std::max<std::int64_t>(0, all - part);
}

}  // namespace

Usage read_usage(json::Value usage) {
  Usage out{.origin = DialectId::openai_responses};
  if (!usage.is_object()) return out;
  out.raw = std::string(usage.raw());
  const auto [input, in, output, past] =
      usage.pick("input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details");
  out.cache_read = in["cached_tokens"].integer();
  out.cache_write_5m = in["cache_write_tokens"].integer();
  out.reasoning = past["reasoning_tokens"].integer();
  if (const auto all = input.integer()) {
    out.input = without(*all, out.cache_read.value_or(0) + out.cache_write_5m.value_or(0));
  }
  if (const auto all = output.integer()) out.output = without(*all, out.reasoning.value_or(0));
  return out;
}

void write_usage(json::Writer& out, const Usage& usage) {
  if (usage.origin == DialectId::openai_responses && !usage.raw.empty()) {
    out.raw(usage.raw);
    return;
  }
  out.begin_object().member("input_tokens", usage.total_input()).key("input_tokens_details").begin_object();
  out.member("cached_tokens", usage.cache_read.value_or(0));
  if (usage.cache_write_5m || usage.cache_write_1h) {
    out.member("cache_write_tokens", usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0));
  }
  out.end_object();
  out.member("output_tokens", usage.total_output()).key("output_tokens_details").begin_object();
  out.member("reasoning_tokens", usage.reasoning.value_or(0)).end_object();
  out.member("total_tokens", usage.total_input() + usage.total_output()).end_object();
}

std::optional<Usage> reply_usage(std::string_view body) {
  const auto members = json::scan_object(body);
  if (!members) return std::nullopt;
  const auto found = std::ranges::find(*members, "usage", &json::TopMember::key);
  if (found == members->end() || found->kind != json::Kind::object) return std::nullopt;
  json::Document doc;
  const auto root = doc.parse(found->raw);
  if (!root) return std::nullopt;
  Usage out = read_usage(*root);
  return out.known() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace sluice::openai_responses
