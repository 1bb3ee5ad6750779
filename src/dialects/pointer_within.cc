// SPDX-License-Identifier: MIT
#include "dialects/pointer_within.h"

#include <charconv>

#include "dialects/pointer.h"

namespace sluice {

std::string pointer_to_mark(const ChatRequest& request, std::string_view pointer) {
  if (request.origin != DialectId::bedrock_converse) return std::string(pointer) + "/cache_control";
  const auto last = pointer.rfind('/') + 1;
  std::size_t index = 0;
  std::from_chars(pointer.data() + last, pointer.data() + pointer.size(), index);
  return std::string(pointer.substr(0, last)) + std::to_string(index + 1) + "/cachePoint";
}

std::string pointer_to_schema(const ChatRequest& request, std::size_t tool) {
  const std::string at = pointer_to_tool(request, tool);
  switch (request.origin) {
    case DialectId::openai_chat:
    case DialectId::openai_completions:
    case DialectId::cohere: return at + "/function/parameters";
    case DialectId::openai_responses: return at + "/parameters";
    case DialectId::anthropic: return at + "/input_schema";
    case DialectId::bedrock_converse: return at + "/toolSpec/inputSchema/json";
    case DialectId::gemini:
      return at + (request.tools[tool].schema_native.text.empty() ? "/parametersJsonSchema" : "/parameters");
  }
  return at;
}

std::string pointer_below_format(const ChatRequest& request, std::string_view member) {
  std::string pointer = pointer_to(request, Field::format);
  if (request.origin == DialectId::openai_chat) pointer += "/json_schema";
  if (member.empty()) return pointer;
  return pointer + '/' + std::string(member);
}

std::string pointer_to_format_schema(const ChatRequest& request) {
  if (request.origin == DialectId::gemini) {
    return pointer_to(request, Field::format) +
           (request.format->schema_native.text.empty() ? "/responseJsonSchema" : "/responseSchema");
  }
  return pointer_below_format(request, "schema");
}

}  // namespace sluice
