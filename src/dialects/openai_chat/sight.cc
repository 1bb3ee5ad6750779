// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/sight.h"

#include <algorithm>

#include "base/json_quotes.h"
#include "base/text.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/usage.h"

namespace sluice::openai_chat {
namespace {

// What the member names of a chunk tell, at whatever depth, in one walk over its strings.
struct Names {
  bool text = false;         // a text that grows, and is not empty
  bool calls = false;        // tool calls
  bool whole = false;        // something that only a whole reading can judge
  bool other_index = false;  // an index that is not 0: a second choice, or a second call
  // Insides of the strings that differ from chunk to chunk: the text's first, then another's or the padding's.
  std::array<std::size_t, Alike::max_holes> holes = {};
  std::size_t hole_count = 0;  // more than fit in: this chunk is no model for others
  [[nodiscard]] std::span<const std::size_t> learnable() const {
    return std::span(holes).first(hole_count <= holes.size() ? hole_count : 0);
  }
};

Names names_in(std::string_view chunk) {
  Names out;
  const char* const end = chunk.data() + chunk.size();
  json::Quotes quotes(chunk);
  const auto hole = [&](const char* value) {
    if (out.hole_count < out.holes.size())
      out.holes[out.hole_count] = static_cast<std::size_t>(value + 1 - chunk.data());
    ++out.hole_count;
  };
  const auto text = [&](const char* value) {
    out.text = true;
    hole(value);
  };
  for (const char* quote = quotes.next(); quote < end; quote = quotes.next()) {
    const char* const begin = quote + 1;
    const char* const close = quotes.closing(begin);
    if (close == end) break;
    const char* p = close + 1;
    while (p < end && *p == ' ') ++p;
    if (p == end || *p != ':') continue;
    for (++p; p < end && *p == ' ';) ++p;
    if (p == end) break;
    const std::string_view name(begin, static_cast<std::size_t>(close - begin));
    const bool null = *p == 'n';
    const bool speaks = *p == '"' && p + 1 < end && p[1] != '"';
    switch (name.size()) {
      case 4:
        if (speaks && name == "text") text(p);  // the old text API's
        break;
      case 5:
        if (name == "index") {
          out.other_index |= *p != '0';
        } else if (name == "usage" || name == "error") {
          out.whole |= !null;
        }
        break;
      case 7:
        if (speaks && name == "content") text(p);
        break;
      case 9:
        if (speaks && (name == "arguments" || name == "reasoning")) text(p);
        out.whole |= !null && name == "base_resp";
        break;
      case 10: out.calls |= !null && name == "tool_calls"; break;
      case 13: out.whole |= !null && name == "finish_reason"; break;
      case 11:
        if (speaks && out.text && name == "obfuscation") hole(p);
        break;
      case 17:
        if (speaks && name == "reasoning_content") text(p);
        break;
      default: break;
    }
  }
  return out;
}

void add(std::vector<std::int64_t>& list, std::int64_t index) {
  if (std::ranges::find(list, index) == list.end()) list.push_back(index);
}

}  // namespace

bool Watch::complete() const {
  if (failed_) return false;
  if (done_) return true;
  return !finished_.empty() && std::ranges::all_of(seen_, [&](std::int64_t index) {
    return std::ranges::find(finished_, index) != finished_.end();
  });
}

Sight Watch::observe(const Frame& frame) {
  Sight sight;
  if (frame.comment || frame.data.empty() || done_ || failed_) {
    sight.terminal = complete();
    return sight;
  }
  const std::string_view data = frame.data;
  if (data.size() < 16 && trim(data) == "[DONE]") {
    done_ = sight.terminal = true;
    return sight;
  }
  const bool named_error = frame.event == "error";
  // A last frame without its line end may be cut, wherever it seems to end.
  const bool ended = frame.raw.empty() || frame.raw.back() == '\n' || frame.raw.back() == '\r';
  if (ended && !named_error) {
    if (const auto text = alike_.match(data); text && !text->empty()) {
      sight.content = true;
      sight.terminal = complete();
      return sight;
    }
  }
  const Names names = names_in(data);
  sight.content = names.text;
  const bool simple = ended && !named_error && (names.text || !names.calls) && !names.whole && !names.other_index &&
                      data.ends_with('}');
  if (simple && names.text) alike_.learn(data, names.learnable());
  if (!simple || seen_.empty()) read_whole(data, named_error, sight);
  sight.terminal = complete();
  return sight;
}

void Watch::read_whole(std::string_view data, bool named_error, Sight& sight) {
  json::Document doc;  // not kept: few frames of a stream come here, and a stream may last
  const auto root = doc.parse(data);
  if (!root || !root->is_object()) {
    if (trim(data).empty()) return;
    failed_ = true;
    sight.error = Error{.fault = Fault::upstream_broken,
                        .message = "The upstream's answer broke off before it was complete.",
                        .detail = "a chunk that is no JSON object"};
    return;
  }
  if (const json::Value usage = find_usage(*root)) sight.usage = read_usage(usage);
  sight.error = error_inside(*root, 0);
  if (!sight.error && named_error) sight.error = read_error(0, data);
  failed_ |= sight.error.has_value();
  const json::Value choices = (*root)["choices"];
  for (const json::Value choice : choices.elements()) {
    const std::int64_t index = choice["index"].integer().value_or(0);
    add(seen_, index);
    if (choice["finish_reason"].is_string() && !choice["finish_reason"].equals("")) add(finished_, index);
    const json::Value delta = choice["delta"];
    sight.content |= choice["text"].size() > 0 || delta["tool_calls"].size() > 0 || delta["content"].size() > 0 ||
                     delta["audio"].size() > 0 || delta["images"].size() > 0 || delta["reasoning_details"].size() > 0;
  }
  sight.only_usage = !sight.error && choices.size() == 0 && sight.usage && !(*root)["prompt_filter_results"];
}

}  // namespace sluice::openai_chat
