// The canonical answer: choices of parts, why it stopped, what it cost in tokens.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/chat.h"

namespace sluice {

enum class StopKind : std::uint8_t {
  unknown,         // not said
  end,             // natural end
  stop_sequence,   // a stop sequence was hit
  tool_calls,      // waits for tool results
  length,          // max output reached
  context_full,    // context window reached
  content_filter,  // blocked by a filter
  refusal,         // the model declined
  pause,           // resend to continue
  malformed_tool,  // the model wrote a broken call
  error,
};
struct Stop {
  StopKind kind = StopKind::unknown;
  std::string raw;  // the vendor's word
  DialectId origin = DialectId::openai_chat;
  std::string sequence;  // which stop sequence, if said
  RawJson detail;        // vendor detail (stop_details, finishMessage), JSON text in the origin's form
  bool operator==(const Stop&) const = default;
};

// Disjoint buckets of tokens: their sum is everything that passed. Absent is unknown, not zero. input() and output()
// add up what is known.
struct Usage {
  std::optional<std::int64_t> input;  // plain input, neither cached nor written to a cache
  std::optional<std::int64_t> cache_read;
  std::optional<std::int64_t> cache_write_5m;  // also writes of unknown lifetime
  std::optional<std::int64_t> cache_write_1h;
  std::optional<std::int64_t> tool_input;  // input that server tools brought (Gemini toolUsePromptTokenCount)
  std::optional<std::int64_t> output;      // visible output
  std::optional<std::int64_t> reasoning;
  // Of which (subsets of the above, for pricing by modality):
  std::optional<std::int64_t> audio_input, image_input, audio_output, image_output;
  // What the vendor charges for where it counts that otherwise (Cohere's billed_units); absent: the buckets.
  std::optional<std::int64_t> billed_input, billed_output;
  bool estimated = false;
  DialectId origin = DialectId::openai_chat;
  RawJson raw;  // the vendor's usage object as it came, written back to its own dialect

  [[nodiscard]] bool known() const { return input || output || cache_read || reasoning; }
  [[nodiscard]] std::int64_t total_input() const {
    return input.value_or(0) + cache_read.value_or(0) + cache_write_5m.value_or(0) + cache_write_1h.value_or(0) +
           tool_input.value_or(0);
  }
  [[nodiscard]] std::int64_t total_output() const { return output.value_or(0) + reasoning.value_or(0); }
  bool operator==(const Usage&) const = default;
};

struct Choice {
  std::int64_t index = 0;
  std::vector<Part> parts;
  Stop stop;
  std::optional<RawJson> logprobs;  // in the origin's form; of Responses in Chat's
  Extras extras;                    // unknown members of the choice
  Extras message_extras;            // unknown members of the message inside it
  bool operator==(const Choice&) const = default;
};

struct Reply {
  DialectId origin = DialectId::openai_chat;
  std::string id;
  std::string model;                    // what the upstream said
  std::optional<std::int64_t> created;  // Unix seconds
  std::vector<Choice> choices;
  Usage usage;
  std::optional<std::string> service_tier;
  Extras extras;
  bool operator==(const Reply&) const = default;
};

}  // namespace sluice
