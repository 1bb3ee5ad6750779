// How the laws judge Bedrock's Converse. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

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
bool is_empty(json::Value value) {
  return value.is_null() || (value.size() == 0 && (value.is_array() || value.is_object()));
}
std::optional<std::string> no_empty(json::Value value) {
  return is_empty(value) ? std::nullopt : as_it_is(value);
}
// Also of members that say nothing themselves.
std::optional<std::string> no_hollow(json::Value value) {
  for (const auto [key, inner] : value.members()) {
    if (!is_empty(inner)) return as_it_is(value);
  }
  return std::nullopt;
}

const Register judge_bedrock({
    .dialect = DialectId::bedrock_converse,
    .spellings =
        {
            {request, "/system", no_empty},
            {request, "/inferenceConfig", no_hollow},
            {request, "/inferenceConfig/stopSequences", no_empty},
            {request, "/additionalModelRequestFields", no_empty},
            {reply, "/output/message/content/*/*", no_null},
            {reply, "/*", no_null},
        },
    .forms =
        {
            {request, "/messages/*/role"},
            {request, "/messages/**/format"},
            {request, "/messages/**/status"},
            {request, "/messages/*/content/*/toolUse/type"},
            {request, "/**/cachePoint/type"},
            {request, "/outputConfig/textFormat/type"},
            {request, "/outputConfig/effort"},
            {request, "/serviceTier/type"},
            {request, "/additionalModelRequestFields/thinking/**"},
            {request, "/additionalModelRequestFields/reasoning_config/**"},
            {request, "/additionalModelRequestFields/reasoningConfig/**"},
            {request, "/additionalModelRequestFields/reasoning_effort"},
            {reply, "/stopReason"},
            {reply, "/usage/**"},
            {reply, "/serviceTier/type"},
            {reply, "/output/message/role"},
            {reply, "/output/message/content/*/toolUse/type"},
            {reply, "/output/message/content/*/toolUse/toolUseId"},
            // Proofs travel in an envelope.
            {reply, "/output/message/content/*/reasoningContent/reasoningText/signature"},
            {reply, "/output/message/content/*/reasoningContent/redactedContent"},
        },
    .carried =
        {
            {request, "/messages"},
            {request, "/messages/*"},
            {request, "/messages/*/content"},
            {request, "/messages/*/content/*/text"},
            {request, "/system"},
            {request, "/system/*/text"},
            {request, "/inferenceConfig/maxTokens"},
            {request, "/toolConfig/tools"},
            {request, "/toolConfig/tools/*/toolSpec/name"},
            {request, "/toolConfig/tools/*/toolSpec/description"},
            {request, "/toolConfig/tools/*/toolSpec/inputSchema/json"},
            {reply, "/output"},
            {reply, "/output/message"},
            {reply, "/output/message/content"},
            {reply, "/output/message/content/*/text"},
            {reply, "/stopReason"},
            {reply, "/usage"},
        },
    .terminal_words = {"messageStop"},
});

}  // namespace
}  // namespace sluice::laws
