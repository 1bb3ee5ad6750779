// How the laws judge openai_responses. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

namespace sluice::laws {
namespace {

constexpr auto request = Kind::request;
constexpr auto reply = Kind::reply;
using json::Value;
using Text = std::optional<std::string>;

Text as_it_is(Value value) {
  return std::string(value.raw());
}
// A null says as much as its absence.
Text no_null(Value value) {
  return value.is_null() ? std::nullopt : as_it_is(value);
}
Text no_empty(Value value) {
  const bool empty =
      value.is_null() || value.equals("") || (value.size() == 0 && (value.is_array() || value.is_object()));
  return empty ? std::nullopt : as_it_is(value);
}

// Messages may leave out what they are; reasoning without content may say so.
Text item(Value value) {
  if (!value.is_object()) return as_it_is(value);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  if (!value["type"]) w.member("type", "message");
  for (const auto [key, inner] : value.members()) {
    if (key != "content" || inner.size() > 0 || inner.is_string() || !value["type"].equals("reasoning")) {
      w.member_raw(key, inner.raw());
    }
  }
  w.end_object();
  return out;
}

// Of what the upstream did not say, the writer makes what every client needs.
std::function<Text(Value)> made(std::string made_text) {
  return [made_text](Value value) -> Text {
    if (value.raw() == made_text || value.equals("")) return std::nullopt;
    return as_it_is(value);
  };
}

Text made_id(Value value) {
  return value.text().contains("_sluice_exchange-1_") ? std::nullopt : as_it_is(value);
}

// A call's own object, where a service did not write it as text.
Text arguments(Value value) {
  return value.is_object() ? json::quote(value.raw()) : as_it_is(value);
}

const Register judge_responses({
    .dialect = DialectId::openai_responses,
    .spellings =
        {
            {request, "/**", no_null},
            {request, "/input/*", item},
            {request, "/input/*/arguments", arguments},
            {request, "/input/*/encrypted_content", no_empty},
            {request, "/input/*/summary", no_empty},
            {request, "/input/*/content/*/annotations", no_empty},
            {request, "/input/*/content/*/logprobs", no_empty},
            {request, "/input/*/output/*/annotations", no_empty},
            {request, "/input/*/output/*/logprobs", no_empty},
            {request, "/text", no_empty},
            {request, "/reasoning", no_empty},
            {request, "/tools/*/description", no_empty},
            {reply, "/*", no_null},
            {reply, "/object", made("\"response\"")},
            {reply, "/id", made("\"resp_exchange-1\"")},
            {reply, "/model", made("\"asked-model\"")},
            {reply, "/created_at", made("1700000000")},
            {reply, "/output/*", item},
            {reply, "/output/*/**", no_null},
            {reply, "/output/*/id", made_id},
            {reply, "/output/*/arguments", arguments},
            {reply, "/output/*/encrypted_content", no_empty},
            {reply, "/output/*/summary", no_empty},
            {reply, "/output/*/content/*/annotations", no_empty},
            {reply, "/output/*/content/*/logprobs", no_empty},
        },
    .forms =
        {
            {request, "/model"},
            {request, "/stream"},
            {request, "/**/type"},
            {request, "/**/role"},
            {request, "/service_tier"},
            {request, "/parallel_tool_calls"},
            {request, "/tool_choice/**"},
            {request, "/tool_choice"},
            {request, "/**/strict"},
            {request, "/reasoning/effort"},
            {request, "/reasoning/summary"},
            {request, "/text/format/name"},
            {request, "/input/**/detail"},
            {request, "/input/**/prompt_cache_breakpoint/**"},
            // Names that only this API's items have.
            {request, "/input/*/id"},
            {request, "/input/*/status"},
            {request, "/input/*/call_id"},
            // What is asked here is what Sluice does for everybody.
            {request, "/store"},
            {request, "/background"},
            {request, "/truncation"},
            {request, "/include/*"},
            {request, "/stream_options/include_obfuscation"},
            {reply, "/object"},
            {reply, "/created_at"},
            {reply, "/completed_at"},
            {reply, "/status"},
            {reply, "/service_tier"},
            {reply, "/usage/**"},
            {reply, "/incomplete_details/reason"},
            {reply, "/output/**/type"},
            {reply, "/output/**/role"},
            {reply, "/output/*/id"},
            {reply, "/output/*/status"},
            {reply, "/output/*/call_id"},
            {reply, "/output/*/output_format"},
            {reply, "/output/*/content/*/logprobs/**/bytes/**"},  // the token's own bytes, said again
            // The question, said again.
            {reply, "/background"},
            {reply, "/conversation/**"},
            {reply, "/frequency_penalty"},
            {reply, "/instructions/**"},
            {reply, "/instructions"},
            {reply, "/max_output_tokens"},
            {reply, "/max_tool_calls"},
            {reply, "/metadata/**"},
            {reply, "/output_text"},
            {reply, "/parallel_tool_calls"},
            {reply, "/presence_penalty"},
            {reply, "/previous_response_id"},
            {reply, "/prompt/**"},
            {reply, "/prompt_cache_key"},
            {reply, "/prompt_cache_options/**"},
            {reply, "/prompt_cache_retention"},
            {reply, "/reasoning/**"},
            {reply, "/safety_identifier"},
            {reply, "/store"},
            {reply, "/temperature"},
            {reply, "/text/**"},
            {reply, "/tool_choice/**"},
            {reply, "/tool_choice"},
            {reply, "/tools/**"},
            {reply, "/top_logprobs"},
            {reply, "/top_p"},
            {reply, "/truncation"},
            {reply, "/user"},
        },
    .carried =
        {
            {request, "/model"},
            {request, "/instructions"},
            {request, "/input"},
            {request, "/input/*/content"},
            {request, "/tools"},
            {request, "/tools/*/name"},
            {request, "/tools/*/description"},
            {request, "/tools/*/parameters"},
            {request, "/max_output_tokens"},
            {reply, "/output"},
            {reply, "/usage"},
        },
    .terminal_words = {"response.completed", "response.incomplete"},
});

}  // namespace
}  // namespace sluice::laws
