// SPDX-License-Identifier: MIT
#include "dialects/output_cap.h"

#include "dialects/openai_chat/vendor.h"

namespace sluice {

std::string_view output_cap(DialectId dialect, const Destination& to) {
  switch (dialect) {
    case DialectId::openai_chat: {
      const bool newer = openai_chat::model_rules(to.model).reasoning ||
                         openai_chat::vendor(to.provider).max_field == "max_completion_tokens";
      return newer ? "/max_completion_tokens" : "/max_tokens";
    }
    case DialectId::openai_responses: return "/max_output_tokens";
    case DialectId::gemini: return "/generationConfig/maxOutputTokens";
    case DialectId::bedrock_converse: return "/inferenceConfig/maxTokens";
    case DialectId::anthropic:
    case DialectId::cohere:
    case DialectId::openai_completions: return "/max_tokens";
  }
  return "/max_tokens";
}

}  // namespace sluice
