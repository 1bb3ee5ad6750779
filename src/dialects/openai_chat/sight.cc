// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/sight.h"

#include <emmintrin.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/usage.h"

namespace sluice::openai_chat {
namespace {

// Every quote of a text, in order: sixteen bytes are looked at once.
class Quotes {
 public:
  explicit Quotes(std::string_view text) : block_(text.data()), end_(text.data() + text.size()) { look(); }

  // The next one, or the end of the text.
  const char* next() {
    while (mask_ == 0) {
      if (end_ - block_ <= 16) return end_;
      block_ += 16;
      look();
    }
    const char* const at = block_ + __builtin_ctz(mask_);
    mask_ &= mask_ - 1;
    return at;
  }
  // The next one that closes the string whose inside begins at `inside`, or the end of the text.
  const char* closing(const char* inside) {
    for (;;) {
      const char* const quote = next();
      const char* slash = quote;
      while (slash > inside && slash[-1] == '\\') --slash;
      if (quote == end_ || (quote - slash) % 2 == 0) return quote;
    }
  }

 private:
  void look() {
    __m128i bytes = _mm_setzero_si128();
    if (end_ - block_ >= 16) {
      bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block_));
    } else if (block_ < end_) {
      std::memcpy(&bytes, block_, static_cast<std::size_t>(end_ - block_));
    }
    mask_ = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'))));
  }
  const char* block_;
  const char* end_;
  unsigned mask_ = 0;  // the quotes of the block that are still to come
};

// What the member names of a chunk tell, at whatever depth, in one walk over its strings.
struct Names {
  bool text = false;         // a text that grows, and is not empty
  bool calls = false;        // tool calls
  bool whole = false;        // something that only a whole reading can judge
  bool other_index = false;  // an index that is not 0: a second choice, or a second call
};

Names names_in(std::string_view chunk) {
  Names out;
  const char* const end = chunk.data() + chunk.size();
  Quotes quotes(chunk);
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
      case 5:
        if (name == "index") {
          out.other_index |= *p != '0';
        } else if (name == "usage" || name == "error") {
          out.whole |= !null;
        }
        break;
      case 7: out.text |= speaks && name == "content"; break;
      case 9:
        out.text |= speaks && (name == "arguments" || name == "reasoning");
        out.whole |= !null && name == "base_resp";
        break;
      case 10: out.calls |= !null && name == "tool_calls"; break;
      case 13: out.whole |= !null && name == "finish_reason"; break;
      case 17: out.text |= speaks && name == "reasoning_content"; break;
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
  const Names names = names_in(data);
  sight.content = names.text;
  // A last frame without its line end may be cut, wherever it seems to end.
  const bool ended = frame.raw.empty() || frame.raw.back() == '\n' || frame.raw.back() == '\r';
  const bool simple = ended && !named_error && (names.text || !names.calls) && !names.whole && !names.other_index &&
                      data.ends_with('}');
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
    sight.content |= delta["tool_calls"].size() > 0 || delta["content"].size() > 0 || delta["audio"].size() > 0 ||
                     delta["images"].size() > 0 || delta["reasoning_details"].size() > 0;
  }
  sight.only_usage = !sight.error && choices.size() == 0 && sight.usage && !(*root)["prompt_filter_results"];
}

}  // namespace sluice::openai_chat
