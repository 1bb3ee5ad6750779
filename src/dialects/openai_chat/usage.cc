// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/usage.h"

#include <algorithm>
#include <cstring>

#include "base/json_scan.h"
#include "dialects/openai_chat/openai_chat.h"

namespace sluice::openai_chat {
namespace {

using Count = std::optional<std::int64_t>;

Count first_of(std::initializer_list<json::Value> places) {
  for (const json::Value place : places) {
    if (const auto count = place.integer(); count && *count >= 0) return count;
  }
  return std::nullopt;
}

}  // namespace

Usage read_usage(json::Value usage) {
  const json::Value in =
      usage["prompt_tokens_details"] ? usage["prompt_tokens_details"] : usage["prompt_token_details"];
  const json::Value out = usage["completion_tokens_details"];
  const Count prompt = first_of({usage["prompt_tokens"]});
  const Count completion = first_of({usage["completion_tokens"]});
  const Count total = first_of({usage["total_tokens"]});

  Usage u{.origin = DialectId::openai_chat, .raw = std::string(usage.raw())};
  u.cache_read = first_of({in["cached_tokens"], usage["prompt_cache_hit_tokens"], usage["cached_tokens"],
                           usage["num_cached_tokens"], usage["cache_read_input_tokens"]});
  u.cache_write_5m = first_of({in["cache_write_tokens"], usage["cache_creation_input_tokens"]});
  if (const json::Value split = usage["cache_creation"]; split.is_object()) {
    u.cache_write_1h = first_of({split["ephemeral_1h_input_tokens"]});
    if (const auto five = first_of({split["ephemeral_5m_input_tokens"]})) u.cache_write_5m = five;
  }
  if (prompt) {
    const std::int64_t cached = u.cache_read.value_or(0);
    const std::int64_t written = u.cache_write_5m.value_or(0) + u.cache_write_1h.value_or(0);
    // More from the cache than the whole prompt: this vendor does not count it into the prompt (xAI).
    u.input = cached + written > *prompt ? *prompt : *prompt - cached - written;
  }
  u.reasoning = first_of({out["reasoning_tokens"], usage["reasoning_tokens"]});
  if (completion) {
    const std::int64_t thought = u.reasoning.value_or(0);
    const bool apart =
        thought > *completion || (thought > 0 && prompt && total && *total == *prompt + *completion + thought);
    u.output = apart ? *completion : *completion - thought;
    // A total that the parts do not reach: thoughts that this vendor counts nowhere else (Google).
    if (!u.reasoning && prompt && total && *total > *prompt + *completion) u.reasoning = *total - *prompt - *completion;
  }
  u.audio_input = first_of({in["audio_tokens"], usage["audio_prompt_tokens"]});
  u.image_input = first_of({in["image_tokens"]});
  u.audio_output = first_of({out["audio_tokens"]});
  u.image_output = first_of({out["image_tokens"]});
  return u;
}

json::Value find_usage(json::Value root) {
  if (const json::Value usage = root["usage"]; usage.is_object()) return usage;
  if (const json::Value usage = root["x_groq"]["usage"]; usage.is_object()) return usage;
  for (const json::Value choice : root["choices"].elements()) {
    if (const json::Value usage = choice["usage"]; usage.is_object()) return usage;
  }
  return {};
}

void write_usage(json::Writer& out, const Usage& usage) {
  if (usage.origin == DialectId::openai_chat && !usage.raw.empty()) {
    out.raw(usage.raw);
    return;
  }
  out.begin_object();
  out.member("prompt_tokens", usage.total_input());
  out.member("completion_tokens", usage.total_output());
  out.member("total_tokens", usage.total_input() + usage.total_output());
  const bool written = usage.cache_write_5m || usage.cache_write_1h;
  if (usage.cache_read || written || usage.audio_input || usage.image_input) {
    out.key("prompt_tokens_details").begin_object();
    if (usage.cache_read) out.member("cached_tokens", *usage.cache_read);
    if (written) {
      out.member("cache_write_tokens", usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0));
    }
    if (usage.audio_input) out.member("audio_tokens", *usage.audio_input);
    if (usage.image_input) out.member("image_tokens", *usage.image_input);
    out.end_object();
  }
  if (usage.reasoning || usage.audio_output || usage.image_output) {
    out.key("completion_tokens_details").begin_object();
    if (usage.reasoning) out.member("reasoning_tokens", *usage.reasoning);
    if (usage.audio_output) out.member("audio_tokens", *usage.audio_output);
    if (usage.image_output) out.member("image_tokens", *usage.image_output);
    out.end_object();
  }
  out.end_object();
}

namespace {

// Behind a value's first character: how far it goes, or npos. Strings are skipped, brackets counted.
std::size_t value_end(std::string_view text, std::size_t at) {
  json::Scan scan{text, at};
  int depth = 0;
  bool escaped = false;
  while (!scan.done()) {
    const char c = scan.peek();
    if (c == '"') {
      if (!scan.string(escaped)) return std::string_view::npos;
      continue;
    }
    ++scan.at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return scan.at;
  }
  return std::string_view::npos;
}

// True if nothing but one closing bracket more than opening ones follows: what stood before was at the top.
bool at_top(std::string_view text, std::size_t at) {
  json::Scan scan{text, at};
  int depth = 1;
  bool escaped = false;
  while (!scan.done()) {
    const char c = scan.peek();
    if (c == '"') {
      if (!scan.string(escaped)) return false;
      continue;
    }
    ++scan.at;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  return depth == 0;
}

// Where `name` stands last in front of `end`. The tail is looked at first: that is where it usually is.
std::size_t last_before(std::string_view body, std::string_view name, std::size_t end) {
  constexpr std::size_t tail = 2048;
  const std::size_t from = end > tail ? end - tail : 0;
  if (const auto at = body.substr(from, end - from).rfind(name); at != std::string_view::npos) return from + at;
  std::size_t best = std::string_view::npos;
  const char* p = body.data();
  const char* const stop = body.data() + std::min(from + name.size(), end);
  while (const void* hit = memmem(p, static_cast<std::size_t>(stop - p), name.data(), name.size())) {
    best = static_cast<std::size_t>(static_cast<const char*>(hit) - body.data());
    p = body.data() + best + 1;
  }
  return best;
}

}  // namespace

// An unescaped `"usage":` can only be a member name: inside a string its quotes would be escaped. So it is looked for
// from the end, where vendors put it, and the text in front is never walked.
std::optional<Usage> reply_usage(std::string_view body) {
  constexpr std::string_view name = "\"usage\"";
  bool seen = false;
  for (auto found = last_before(body, name, body.size()); found != std::string_view::npos;
       found = last_before(body, name, found)) {
    seen = true;
    json::Scan scan{body, found + name.size()};
    scan.space();
    if (scan.peek() == ':') {
      ++scan.at;
      scan.space();
      const std::size_t begin = scan.at;
      const std::size_t end = scan.peek() == '{' ? value_end(body, begin) : std::string_view::npos;
      if (end != std::string_view::npos && at_top(body, end)) {
        json::Document doc;
        const auto usage = doc.parse(body.substr(begin, end - begin));
        if (!usage) return std::nullopt;
        Usage known = read_usage(*usage);
        return known.known() ? std::optional(std::move(known)) : std::nullopt;
      }
    }
  }
  // Nowhere at the top: the odd places need a whole reading.
  if (!seen) return std::nullopt;
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root) return std::nullopt;
  const json::Value usage = find_usage(*root);
  if (!usage) return std::nullopt;
  Usage known = read_usage(usage);
  return known.known() ? std::optional(std::move(known)) : std::nullopt;
}

}  // namespace sluice::openai_chat
