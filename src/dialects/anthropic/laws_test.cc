// How the laws judge this dialect. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

namespace sluice::laws {
namespace {

constexpr auto request = Kind::request;
constexpr auto reply = Kind::reply;

std::optional<std::string> nothing(json::Value) {
  return std::nullopt;
}
std::optional<std::string> as_it_is(json::Value value) {
  return std::string(value.raw());
}
// A null says as much as its absence.
std::optional<std::string> no_null(json::Value value) {
  return value.is_null() ? nothing(value) : as_it_is(value);
}
std::optional<std::string> no_false(json::Value value) {
  return value.boolean() == false ? nothing(value) : as_it_is(value);
}
std::optional<std::string> no_empty_text(json::Value value) {
  return value.equals("") ? nothing(value) : as_it_is(value);
}
std::optional<std::string> no_empty(json::Value value) {
  const bool empty = value.is_null() || (value.size() == 0 && (value.is_array() || value.is_object()));
  return empty ? nothing(value) : as_it_is(value);
}

const Register judge_anthropic({
    .dialect = DialectId::anthropic,
    .spellings =
        {
            {request, "/*", no_null},
            {request, "/messages/*/content/*/*", no_null},
            {request, "/messages/*/content/*/is_error", no_false},
            {request, "/messages/*/content/*/content", no_empty},
            {request, "/messages/*/content/*/citations", no_empty},
            {request, "/tools/*/*", no_null},
            {request, "/tools/*/description", no_empty_text},
            {request, "/metadata", no_empty},
            {request, "/stop_sequences", no_empty},
            {reply, "/*", no_null},
            {reply, "/content/*/*", no_null},
            {reply, "/content/*/citations", no_empty},
        },
    .forms =
        {
            {request, "/model"},  // in other dialects' paths
            {request, "/stream"},
            {request, "/service_tier"},
            {request, "/thinking/type"},
            {request, "/thinking/budget_tokens"},
            {request, "/thinking/display"},
            {request, "/output_config/effort"},
            {request, "/output_config/format/type"},
            {request, "/output_format/type"},
            {request, "/cache_control/type"},
            {request, "/system/*/type"},
            {request, "/system/*/cache_control/type"},
            {request, "/tools/*/type"},
            {request, "/tools/*/cache_control/type"},
            {request, "/tool_choice/type"},
            {request, "/tool_choice/disable_parallel_tool_use"},
            {request, "/messages/*/role"},
            {request, "/messages/*/content/*/type"},
            {request, "/messages/*/content/*/is_error"},
            {request, "/messages/*/content/*/source/type"},
            {request, "/messages/*/content/*/source/media_type"},
            {request, "/messages/*/content/*/cache_control/type"},
            {request, "/messages/*/content/*/citations/*/type"},
            {request, "/messages/*/content/*/content/*/type"},
            {request, "/messages/*/content/*/content/*/source/type"},
            {request, "/messages/*/content/*/content/*/source/media_type"},
            {reply, "/type"},
            {reply, "/role"},
            {reply, "/stop_reason"},
            {reply, "/usage/**"},
            {reply, "/content/*/type"},
            {reply, "/content/*/citations/*/type"},
            // Proofs travel in an envelope.
            {reply, "/content/*/signature"},
            {reply, "/content/*/data"},
        },
    .carried =
        {
            {request, "/model"},
            {request, "/system"},
            {request, "/system/*"},
            {request, "/messages"},
            {request, "/messages/*"},
            {request, "/messages/*/content"},
            {request, "/max_tokens"},
            {reply, "/content"},
            {reply, "/stop_reason"},
            {reply, "/usage"},
        },
    .terminal_words = {"message_stop"},
});

}  // namespace
}  // namespace sluice::laws
