// SPDX-License-Identifier: MIT
#include "dialects/pointer_within.h"

#include <charconv>

namespace sluice {

std::string pointer_to_mark(const ChatRequest& request, const Pointer& marked) {
  const std::string pointer = marked;
  if (request.origin != DialectId::bedrock_converse) return pointer + "/cache_control";
  const auto last = pointer.rfind('/') + 1;
  std::size_t index = 0;
  std::from_chars(pointer.data() + last, pointer.data() + pointer.size(), index);
  return pointer.substr(0, last) + std::to_string(index + 1) + "/cachePoint";
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
