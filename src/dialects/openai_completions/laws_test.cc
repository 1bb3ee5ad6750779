// How the laws judge openai_completions: its spelling table. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

namespace sluice::openai_completions {
namespace {

using json::Value;
using laws::Kind;
using Text = std::optional<std::string>;

Text no_null(Value value) {
  return value.is_null() ? std::nullopt : Text(value.raw());
}
Text never(Value) {
  return std::nullopt;
}
// Usage is always asked for, so that tokens can be counted.
Text stream_options(Value value) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  for (const auto [key, inner] : value.members()) {
    if (key != "include_usage") writer.member_raw(key, inner.raw());
  }
  writer.end_object();
  return out == "{}" ? std::nullopt : Text(out);
}
// Of what the upstream did not say, the writer makes what every client needs.
std::function<Text(Value)> made(std::string text) {
  return [text](Value value) -> Text {
    return value.raw() == text || value.equals("") ? std::nullopt : Text(value.raw());
  };
}

const laws::Register judge({
    .dialect = DialectId::openai_completions,
    .spellings =
        {
            {Kind::request, "/**", no_null},
            {Kind::request, "/stream_options", stream_options},
            {Kind::reply, "/**", no_null},
            {Kind::reply, "/object", never},
            {Kind::reply, "/created", made("1700000000")},
            {Kind::reply, "/id", made("\"cmpl-exchange-1\"")},
            {Kind::reply, "/model", made("\"asked-model\"")},
        },
    .forms =
        {
            {Kind::request, "/model"},
            {Kind::request, "/stream"},
            {Kind::request, "/n"},
            {Kind::request, "/echo"},  // for the answer
            {Kind::request, "/logprobs"},
            {Kind::reply, "/object"},
            {Kind::reply, "/created"},
            {Kind::reply, "/choices/*/index"},
            {Kind::reply, "/choices/*/finish_reason"},
            {Kind::reply, "/usage/**"},
        },
    .carried =
        {
            {Kind::request, "/prompt"},
            {Kind::request, "/prompt/*"},
            {Kind::request, "/max_tokens"},
            {Kind::reply, "/choices/*/text"},
        },
    .terminal_words = {"[DONE]", "\"finish_reason\":\"", "\"finish_reason\": \""},
    .narrow = true,
});

}  // namespace
}  // namespace sluice::openai_completions
