// Where a thing of the canonical conversation stands in the body it was read from: a Note must point into the client's
// own words ("/seed" in openai_chat, "/generationConfig/seed" in gemini). SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/chat.h"
#include "model/reply.h"

namespace sluice {

enum class Field : std::uint8_t {
  model,
  system,
  max_output,
  temperature,
  top_p,
  top_k,
  min_p,
  presence_penalty,
  frequency_penalty,
  seed,
  logit_bias,
  logprobs,
  top_logprobs,
  n,
  stop,
  tools,
  tool_choice,
  parallel_tools,
  format,
  reasoning,  // the object of its settings
  effort,
  budget,
  display,
  cache_key,
  cache_auto,
  metadata,
  user,
  service_tier,
  verbosity,
  modalities,
  safety,
  usage_in_stream,
};

// Pointer to a setting in the form of the request's origin (spellings such as max_output_field are followed).
[[nodiscard]] std::string pointer_to(const ChatRequest& request, Field field);
// Pointer to turn `turn`; system turns at the front point into the field for system text where the origin has one.
[[nodiscard]] std::string pointer_to_turn(const ChatRequest& request, std::size_t turn);
[[nodiscard]] std::string pointer_to_part(const ChatRequest& request, std::size_t turn, std::size_t part);
// Pointer to a part inside a tool result.
[[nodiscard]] std::string pointer_to_result_part(const ChatRequest& request, std::size_t turn, std::size_t part,
                                                 std::size_t inner);
// Where the proof on that part stood, and the citations of that text.
[[nodiscard]] std::string pointer_to_seal(const ChatRequest& request, std::size_t turn, std::size_t part);
[[nodiscard]] std::string pointer_to_citations(const ChatRequest& request, std::size_t turn, std::size_t part);
[[nodiscard]] std::string pointer_to_tool(const ChatRequest& request, std::size_t tool);
// Where it was said that calls of that tool hold to its schema.
[[nodiscard]] std::string pointer_to_strict(const ChatRequest& request, std::size_t tool);

// The same for an answer, in the form of the reply's origin.
[[nodiscard]] std::string pointer_to_choice(const Reply& reply, std::size_t choice);
[[nodiscard]] std::string pointer_to_message(const Reply& reply, std::size_t choice);
[[nodiscard]] std::string pointer_to_part(const Reply& reply, std::size_t choice, std::size_t part);
[[nodiscard]] std::string pointer_to_citations(const Reply& reply, std::size_t choice, std::size_t part);
[[nodiscard]] std::string pointer_to_logprobs(const Reply& reply, std::size_t choice);
[[nodiscard]] std::string pointer_to_stop_sequence(const Reply& reply, std::size_t choice);
[[nodiscard]] std::string pointer_to_stop_detail(const Reply& reply, std::size_t choice);

// How many turns at the front are system or developer text: what other dialects keep in a field of its own.
[[nodiscard]] std::size_t leading_system(const ChatRequest& request);

}  // namespace sluice
