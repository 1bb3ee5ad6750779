// SPDX-License-Identifier: MIT
#include "dialects/cohere/usage.h"

#include <algorithm>

namespace sluice::cohere {
namespace {

using Count = std::optional<std::int64_t>;

// What is left of `all` without `part`, which the vendor counts into it.
Count without(Count all, Count part) {
  if (!all || !part) return all;
  return std::max<std::int64_t>(0, *all - *part);
}

void member(json::Writer& out, const json::Name& name, Count count) {
  if (count) out.member(name, *count);
}

}  // namespace

Usage read_usage(json::Value usage) {
  Usage out{.origin = DialectId::cohere};
  if (!usage.is_object()) return out;
  out.raw = std::string(usage.raw());
  const auto [tokens, billed, cached] = usage.pick("tokens", "billed_units", "cached_tokens");
  out.billed_input = billed["input_tokens"].integer();
  out.billed_output = billed["output_tokens"].integer();
  const Count input = tokens["input_tokens"].integer();
  const Count output = tokens["output_tokens"].integer();
  out.cache_read = cached.integer();
  out.reasoning = tokens["reasoning_tokens"].integer();
  out.input = input ? without(input, out.cache_read) : out.billed_input;
  out.output = without(output ? output : out.billed_output, out.reasoning);
  return out;
}

bool write_usage(json::Writer& out, const Usage& usage) {
  if (usage.origin == DialectId::cohere && !usage.raw.empty()) {
    out.member_raw("usage", usage.raw);
    return true;
  }
  if (!usage.known()) return false;
  const bool in = usage.input || usage.cache_read;
  const bool said = usage.output || usage.reasoning;
  const Count input = in ? Count(usage.total_input()) : std::nullopt;
  const Count output = said ? Count(usage.total_output()) : std::nullopt;
  out.key("usage").begin_object();
  out.key("billed_units").begin_object();
  member(out, "input_tokens", usage.billed_input ? usage.billed_input : input);
  member(out, "output_tokens", usage.billed_output ? usage.billed_output : output);
  out.end_object();
  out.key("tokens").begin_object();
  member(out, "input_tokens", input);
  member(out, "output_tokens", output);
  member(out, "reasoning_tokens", usage.reasoning);
  out.end_object();
  member(out, "cached_tokens", usage.cache_read);
  out.end_object();
  return true;
}

}  // namespace sluice::cohere
