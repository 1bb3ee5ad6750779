// SPDX-License-Identifier: MIT
#include "dialects/openai_completions/logprobs.h"

#include <algorithm>

#include "base/json.h"

namespace sluice::openai_completions {
namespace {

using json::Value;

struct Lists {
  std::string tokens, probabilities, tops, offsets;

  static void add(std::string& list, std::string_view item) {
    if (!list.empty()) list += ',';
    list += item;
  }
  // The lists stay side by side where a number is missing.
  static std::string_view number(Value value) { return value ? value.raw() : "null"; }
  static void join(std::string& list, Value items) {
    for (const Value one : items.elements()) add(list, one.raw());
  }
};

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

void add_chat(Lists& lists, Value token, std::int64_t& offset) {
  const std::string text = token["token"].text();
  Lists::add(lists.tokens, json::quote(text));
  Lists::add(lists.probabilities, Lists::number(token["logprob"]));
  std::string tops;
  json::Writer w(tops);
  w.begin_object();
  for (const Value top : token["top_logprobs"].elements()) {
    w.member_raw(top["token"].text(), Lists::number(top["logprob"]));
  }
  w.end_object();
  Lists::add(lists.tops, token["top_logprobs"].size() == 0 ? "null" : tops);
  Lists::add(lists.offsets, std::to_string(offset));
  offset += code_points(text);
}

}  // namespace

std::string write_logprobs(std::string_view lines, bool chat, std::int64_t& offset) {
  if (!chat && !lines.contains('\n')) return std::string(lines);
  Lists lists;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    json::Document doc;
    if (const auto one = doc.parse(lines.substr(0, end))) {
      if (chat) {
        for (const Value token : (*one)["content"].elements()) add_chat(lists, token, offset);
      } else {
        Lists::join(lists.tokens, (*one)["tokens"]);
        Lists::join(lists.probabilities, (*one)["token_logprobs"]);
        Lists::join(lists.tops, (*one)["top_logprobs"]);
        Lists::join(lists.offsets, (*one)["text_offset"]);
      }
    }
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  if (lists.tokens.empty()) return "null";
  const std::string tops = lists.tops.empty() ? "null" : '[' + lists.tops + ']';
  return R"({"tokens":[)" + lists.tokens + R"(],"token_logprobs":[)" + lists.probabilities + R"(],"top_logprobs":)" +
         tops + R"(,"text_offset":[)" + lists.offsets + "]}";
}

}  // namespace sluice::openai_completions
