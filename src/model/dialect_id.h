// The wire formats Sluice knows by name. What they are: dialects/.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

enum class DialectId : std::uint8_t {
  openai_chat,
  openai_responses,
  anthropic,
  gemini,
  bedrock_converse,
  cohere,
  openai_completions,
};

[[nodiscard]] constexpr std::string_view name(DialectId id) {
  switch (id) {
    case DialectId::openai_chat: return "openai_chat";
    case DialectId::openai_responses: return "openai_responses";
    case DialectId::anthropic: return "anthropic";
    case DialectId::gemini: return "gemini";
    case DialectId::bedrock_converse: return "bedrock_converse";
    case DialectId::cohere: return "cohere";
    case DialectId::openai_completions: return "openai_completions";
  }
  return "";
}

}  // namespace sluice
