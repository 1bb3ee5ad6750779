// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/usage.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/json_scan.h"
#include "dialects/openai_chat/openai_chat.h"

namespace sluice::openai_chat {
namespace {

using Count = std::optional<std::int64_t>;

// Every count that some vendor reports, under all its names. Where two names of one count stand together, the one
// listed first wins.
enum Slot : std::uint8_t {
  prompt,
  completion,
  total,
  cached,
  written,
  written_5m,
  written_1h,
  reasoning,
  audio_in,
  image_in,
  audio_out,
  image_out,
  market_cost  // only that it stands there
};
constexpr std::size_t slots = market_cost + 1;
enum class Part : std::uint8_t { top, in, out, split };
struct Name {
  Part part;
  std::string_view name;
  Slot slot;
};
constexpr Name names[] = {
    {Part::top, "prompt_tokens", prompt},
    {Part::top, "completion_tokens", completion},
    {Part::top, "total_tokens", total},
    {Part::in, "cached_tokens", cached},
    {Part::top, "prompt_cache_hit_tokens", cached},
    {Part::top, "cached_tokens", cached},
    {Part::top, "num_cached_tokens", cached},
    {Part::top, "cache_read_input_tokens", cached},
    {Part::in, "cache_write_tokens", written},
    {Part::top, "cache_creation_input_tokens", written},
    {Part::split, "ephemeral_5m_input_tokens", written_5m},
    {Part::split, "ephemeral_1h_input_tokens", written_1h},
    {Part::out, "reasoning_tokens", reasoning},
    {Part::top, "reasoning_tokens", reasoning},
    {Part::in, "audio_tokens", audio_in},
    {Part::top, "audio_prompt_tokens", audio_in},
    {Part::in, "image_tokens", image_in},
    {Part::out, "audio_tokens", audio_out},
    {Part::out, "image_tokens", image_out},
    {Part::top, "market_cost", market_cost},
};

// The counts of one usage object, in one walk over its members.
struct Counts {
  std::array<Count, slots> count;
  std::array<std::uint8_t, slots> rank;

  Counts() { rank.fill(std::size(names)); }
  [[nodiscard]] const Count& operator[](Slot slot) const { return count[slot]; }

  void take(Part part, json::Value object) {
    for (const auto [name, value] : object.members()) {
      if (const std::size_t row = row_of(part, name); row < std::size(names)) set(row, value.integer());
      if (part != Part::top || !value.is_object()) continue;
      if (const auto inside = part_of(name)) take(*inside, value);
    }
  }

  // The same from the text of a plain object, at whose bracket `scan` stands. False leaves to a whole reading what is
  // not plain: names with escapes, numbers that are not whole, members that hold more than counts, and faults.
  [[nodiscard]] bool take(Part part, json::Scan& scan) {
    bool escaped = false;
    do {
      ++scan.at;
      scan.space();
      const std::size_t begin = scan.at + 1;
      if (scan.peek() != '"' || !scan.string(escaped) || escaped) return false;
      const std::string_view name = scan.text.substr(begin, scan.at - 1 - begin);
      scan.space();
      if (scan.peek() != ':') return false;
      ++scan.at;
      scan.space();
      const std::size_t row = row_of(part, name);
      switch (const std::size_t value = scan.at; scan.peek()) {
        case '{': {
          const auto inside = part == Part::top ? part_of(name) : std::nullopt;
          if (!inside || row < std::size(names) || !take(*inside, scan)) return false;
          break;
        }
        case '"':
          if (!scan.string(escaped)) return false;
          break;
        case 'n':
          if (!scan.word("null")) return false;
          break;
        default:
          if (!scan.number()) return false;
          if (row < std::size(names)) {
            const auto number = whole(scan.text.substr(value, scan.at - value));
            if (!number) return false;
            set(row, number);
          }
      }
      scan.space();
    } while (scan.peek() == ',');
    return scan.peek() == '}' && ++scan.at != 0;
  }

 private:
  static std::size_t row_of(Part part, std::string_view name) {
    std::size_t row = 0;
    while (row < std::size(names) && (names[row].part != part || names[row].name != name)) ++row;
    return row;
  }
  // Which part an object inside the usage is.
  static std::optional<Part> part_of(std::string_view name) {
    if (name == "prompt_tokens_details" || name == "prompt_token_details") return Part::in;
    if (name == "completion_tokens_details") return Part::out;
    if (name == "cache_creation") return Part::split;
    return std::nullopt;
  }
  static Count whole(std::string_view digits) {
    if (digits.size() > 18) return std::nullopt;
    std::int64_t out = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return std::nullopt;
      out = out * 10 + (c - '0');
    }
    return out;
  }
  void set(std::size_t row, Count number) {
    const Slot slot = names[row].slot;
    if (slot == market_cost) number = 0;
    if (!number || *number < 0 || row >= rank[slot]) return;
    count[slot] = number;
    rank[slot] = static_cast<std::uint8_t>(row);
  }
};

Usage usage_of(const Counts& n, std::string_view raw) {
  Usage u{.origin = DialectId::openai_chat, .raw = std::string(raw)};
  u.cache_read = n[cached];
  u.cache_write_5m = n[written_5m] ? n[written_5m] : n[written];
  u.cache_write_1h = n[written_1h];
  if (n[prompt]) {
    const std::int64_t read = u.cache_read.value_or(0);
    const std::int64_t kept = u.cache_write_5m.value_or(0) + u.cache_write_1h.value_or(0);
    // More from the cache than the whole prompt: this vendor does not count it into the prompt (xAI).
    u.input = read + kept > *n[prompt] ? *n[prompt] : *n[prompt] - read - kept;
  }
  u.reasoning = n[reasoning];
  const bool sums = n[prompt] && n[completion] && n[total];
  if (n[completion]) {
    const std::int64_t thought = u.reasoning.value_or(0);
    // Beside the completion: where the total says so, where this gateway's own figure of money does (Vercel), or where
    // they are far more than it. Somewhat more are the same ones, counted by another tokenizer (OpenRouter).
    const bool in_total = thought > 0 && sums && *n[total] == *n[prompt] + *n[completion] + thought;
    const bool apart = in_total || n[market_cost] || thought > *n[completion] + *n[completion] / 4;
    if (!apart && thought > *n[completion]) u.reasoning = n[completion];
    u.output = apart ? *n[completion] : *n[completion] - u.reasoning.value_or(0);
    // A total that the parts do not reach: what was heard, beside the prompt (Mistral), or thoughts that this vendor
    // counts nowhere else (Google).
    const std::int64_t rest = sums ? *n[total] - *n[prompt] - *n[completion] : 0;
    if (rest > 0 && rest == n[audio_in]) {
      *u.input += rest;
    } else if (rest > 0 && !u.reasoning) {
      u.reasoning = rest;
    }
  }
  u.audio_input = n[audio_in];
  u.image_input = n[image_in];
  u.audio_output = n[audio_out];
  u.image_output = n[image_out];
  return u;
}

}  // namespace

Usage read_usage(json::Value usage) {
  Counts n;
  n.take(Part::top, usage);
  return usage_of(n, usage.raw());
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

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

// Where `name`, which begins with a quote, stands last in front of `end`; npos when nowhere.
std::size_t last_before(std::string_view body, std::string_view name, std::size_t end) {
  while (const void* quote = memrchr(body.data(), '"', end)) {
    const auto at = static_cast<std::size_t>(static_cast<const char*>(quote) - body.data());
    if (body.size() - at > name.size() && body.data()[at + 1] == name[1] && body.substr(at, name.size()) == name)
      return at;
    end = at;
  }
  return std::string_view::npos;
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
      if (Counts n; scan.peek() == '{' && n.take(Part::top, scan) && is_ascii(body.substr(begin, scan.at - begin)) &&
                    at_top(body, scan.at)) {
        Usage known = usage_of(n, body.substr(begin, scan.at - begin));
        return known.known() ? std::optional(std::move(known)) : std::nullopt;
      }
      scan.at = begin;
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
