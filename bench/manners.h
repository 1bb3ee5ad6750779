// The dialects of the benchmark, one line each. SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "manner_anthropic.h"
#include "manner_bedrock_converse.h"
#include "manner_cohere.h"
#include "manner_gemini.h"
#include "manner_openai_chat.h"
#include "manner_openai_responses.h"

namespace bench {

inline constexpr OpenaiChat openai_chat;
inline constexpr OpenaiResponses openai_responses;
inline constexpr Anthropic anthropic;
inline constexpr Gemini gemini;
inline constexpr Cohere cohere;
inline constexpr BedrockConverse bedrock_converse;

inline constexpr std::array<const Manner*, 6> manners = {&openai_chat, &openai_responses, &anthropic,
                                                         &gemini,      &cohere,           &bedrock_converse};

// Of that dialect; null when there is none.
inline const Manner* manner(std::string_view name) {
  for (const Manner* one : manners) {
    if (one->name() == name) return one;
  }
  return nullptr;
}

}  // namespace bench
