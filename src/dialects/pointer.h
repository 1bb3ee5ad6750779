// Where a thing of the canonical conversation stands in the body it was read from: a Note must point into the client's
// own words ("/seed" in openai_chat, "/generationConfig/seed" in gemini). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

// An RFC 6901 pointer that is put into words when a Note wants them: hardly any part of a conversation gets one. What
// it points into must outlive it.
class Pointer {
 public:
  Pointer() = default;
  Pointer(std::string text) : text_(std::move(text)) {}  // NOLINT(google-explicit-constructor): words are one, too
  Pointer(std::string_view text) : text_(text) {}        // NOLINT(google-explicit-constructor)
  Pointer(const char* text) : text_(text) {}             // NOLINT(google-explicit-constructor)

  [[nodiscard]] std::string text() const;
  operator std::string() const { return text(); }  // NOLINT(google-explicit-constructor)
  friend std::string operator+(const Pointer& pointer, std::string_view more) { return pointer.text().append(more); }
  friend std::string operator+(const Pointer& pointer, char more) { return pointer.text() + more; }
  friend bool operator==(const Pointer& pointer, std::string_view text) { return pointer.text() == text; }

 private:
  enum class Place : std::uint8_t { said, turn, part, result_part, tool, schema, choice, message, answer, citations };
  Pointer(const ChatRequest& request, Place place, std::size_t a, std::size_t b = 0, std::size_t c = 0)
      : request_(&request), place_(place), index_{a, b, c} {}
  Pointer(const Reply& reply, Place place, std::size_t a, std::size_t b = 0)
      : reply_(&reply), place_(place), index_{a, b} {}

  const ChatRequest* request_ = nullptr;
  const Reply* reply_ = nullptr;
  Place place_ = Place::said;
  std::array<std::size_t, 3> index_{};
  std::string text_;

  friend Pointer pointer_to_turn(const ChatRequest&, std::size_t);
  friend Pointer pointer_to_part(const ChatRequest&, std::size_t, std::size_t);
  friend Pointer pointer_to_result_part(const ChatRequest&, std::size_t, std::size_t, std::size_t);
  friend Pointer pointer_to_tool(const ChatRequest&, std::size_t);
  friend Pointer pointer_to_schema(const ChatRequest&, std::size_t);
  friend Pointer pointer_to_choice(const Reply&, std::size_t);
  friend Pointer pointer_to_message(const Reply&, std::size_t);
  friend Pointer pointer_to_part(const Reply&, std::size_t, std::size_t);
  friend Pointer pointer_to_citations(const Reply&, std::size_t, std::size_t);
};

// Pointer to a setting in the form of the request's origin (spellings such as max_output_field are followed).
[[nodiscard]] std::string pointer_to(const ChatRequest& request, Field field);
// Pointer to turn `turn`; system turns at the front point into the field for system text where the origin has one.
[[nodiscard]] Pointer pointer_to_turn(const ChatRequest& request, std::size_t turn);
[[nodiscard]] Pointer pointer_to_part(const ChatRequest& request, std::size_t turn, std::size_t part);
// Pointer to a part inside a tool result.
[[nodiscard]] Pointer pointer_to_result_part(const ChatRequest& request, std::size_t turn, std::size_t part,
                                             std::size_t inner);
// Where the proof on that part stood, and the citations of that text.
[[nodiscard]] std::string pointer_to_seal(const ChatRequest& request, std::size_t turn, std::size_t part);
[[nodiscard]] std::string pointer_to_citations(const ChatRequest& request, std::size_t turn, std::size_t part);
[[nodiscard]] Pointer pointer_to_tool(const ChatRequest& request, std::size_t tool);
// The schema of a tool's arguments.
[[nodiscard]] Pointer pointer_to_schema(const ChatRequest& request, std::size_t tool);
// Where it was said that calls of that tool hold to its schema.
[[nodiscard]] std::string pointer_to_strict(const ChatRequest& request, std::size_t tool);

// The same for an answer, in the form of the reply's origin.
[[nodiscard]] Pointer pointer_to_choice(const Reply& reply, std::size_t choice);
[[nodiscard]] Pointer pointer_to_message(const Reply& reply, std::size_t choice);
[[nodiscard]] Pointer pointer_to_part(const Reply& reply, std::size_t choice, std::size_t part);
[[nodiscard]] Pointer pointer_to_citations(const Reply& reply, std::size_t choice, std::size_t part);
[[nodiscard]] std::string pointer_to_logprobs(const Reply& reply, std::size_t choice);
[[nodiscard]] std::string pointer_to_stop_sequence(const Reply& reply, std::size_t choice);
[[nodiscard]] std::string pointer_to_stop_detail(const Reply& reply, std::size_t choice);
// The count of thoughts, in the form of whoever told the usage.
[[nodiscard]] std::string pointer_to_thought_tokens(const Reply& reply);

// How many turns at the front are system or developer text: what other dialects keep in a field of its own.
[[nodiscard]] std::size_t leading_system(const ChatRequest& request);

}  // namespace sluice
