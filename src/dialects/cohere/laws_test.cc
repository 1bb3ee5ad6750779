// How the laws judge cohere. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

#include "dialects/cohere/message.h"

namespace sluice::laws {
namespace {

constexpr auto request = Kind::request;
constexpr auto reply = Kind::reply;

std::optional<std::string> as_it_is(json::Value value) {
  return std::string(value.raw());
}
// A null says as much as its absence.
std::optional<std::string> no_null(json::Value value) {
  return value.is_null() ? std::nullopt : as_it_is(value);
}
std::optional<std::string> no_empty(json::Value value) {
  const bool empty =
      value.is_null() || value.equals("") || (value.size() == 0 && (value.is_array() || value.is_object()));
  return empty ? std::nullopt : as_it_is(value);
}
// What other dialects are told of a document.
std::optional<std::string> document(json::Value data, bool title_apart) {
  const cohere::DocumentText said = cohere::document_text(data, title_apart);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().member("text", said.text);
  if (!said.title.empty()) writer.member("title", said.title);
  writer.end_object();
  return out;
}

const Register judge_cohere({
    .dialect = DialectId::cohere,
    .spellings =
        {
            {request, "/**", no_null},
            {request, "/documents", no_empty},
            {request, "/stop_sequences", no_empty},
            {request, "/messages/*/tool_plan", no_empty},
            {request, "/messages/*/tool_calls", no_empty},
            {request, "/messages/*/citations", no_empty},
            {request, "/messages/*/content",
             [](json::Value value) { return value.is_array() ? no_empty(value) : as_it_is(value); }},
            {request, "/tools/*/function/description", no_empty},
            {request, "/documents/*/data", [](json::Value value) { return document(value, true); }},
            {request, "/messages/*/content/*/document/data", [](json::Value value) { return document(value, false); }},
            {reply, "/**", no_null},
            {reply, "/message/content", no_empty},
            {reply, "/message/tool_plan", no_empty},
            {reply, "/message/tool_calls", no_empty},
            {reply, "/message/citations", no_empty},
        },
    .forms =
        {
            {request, "/model"},  // in other dialects' paths
            {request, "/stream"},
            {request, "/tool_choice"},
            {request, "/strict_tools"},
            {request, "/thinking/type"},
            {request, "/thinking/token_budget"},
            {request, "/**/type"},
            {request, "/messages/*/role"},
            {request, "/messages/*/tool_call_id"},
            {request, "/messages/*/tool_calls/*/id"},
            {request, "/messages/*/content/*/image_url/detail"},
            {reply, "/finish_reason"},
            {reply, "/usage/**"},
            {reply, "/message/role"},
            {reply, "/**/type"},
        },
    .carried =
        {
            {request, "/model"},
            {request, "/messages"},
            {request, "/messages/*"},
            {request, "/messages/*/content"},
            {request, "/messages/*/tool_plan"},
            {request, "/messages/*/tool_calls/*"},
            {request, "/tools"},
            {request, "/tools/*/function/name"},
            {request, "/tools/*/function/description"},
            {request, "/tools/*/function/parameters"},
            {request, "/documents"},
            {request, "/documents/*"},
            {request, "/max_tokens"},
            {reply, "/message"},
            {reply, "/message/content"},
            {reply, "/message/content/*"},
            {reply, "/message/tool_plan"},
            {reply, "/message/tool_calls/*"},
            {reply, "/finish_reason"},
            {reply, "/usage"},
        },
    .terminal_words = {"message-end"},
});

}  // namespace
}  // namespace sluice::laws
