// What a whole answer and a chunk of a stream share: usage, why it stopped, where the text comes from.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/reply.h"

namespace sluice::gemini {

// usageMetadata as disjoint buckets. `keep_raw`: with the vendor's own object.
[[nodiscard]] Usage read_usage(json::Value usage, bool keep_raw);
// The usageMetadata that says the same; empty when nothing is known.
[[nodiscard]] std::string write_usage(const Usage& usage, std::string_view service_tier);

// The vendor's word, also where it stands as a number; empty when there is none.
[[nodiscard]] std::string read_finish_reason(json::Value reason);
// The finish reason's meaning. Calls that were made turn a natural end into tool_calls.
[[nodiscard]] StopKind stop_kind(std::string_view finish_reason, bool calls);
// The finish reason for a meaning: the vendor's own word where it came from this dialect.
[[nodiscard]] std::string finish_reason(const Stop& stop);
// The stop of a blocked prompt, which has no candidates; detail is the whole promptFeedback.
[[nodiscard]] Stop blocked_stop(json::Value feedback);

// Adds to a stream's text that grounding may point into. Of an endless one the beginning is enough.
inline void grow_cited(std::string& text, std::string_view more) {
  constexpr std::size_t most = 1024 * 1024;
  if (text.size() < most) text += more;
}

// One text that grounding may point into.
struct Passage {
  std::string_view text;
  std::size_t part = 0;  // which part of the Content it was; passages of a stream all have 0
};
// A citation and the passage it stands in.
struct Found {
  std::size_t passage = 0;
  Citation citation;
};
// The supports of a groundingMetadata, UTF-8 byte offsets turned into code points, and the sources of a
// citationMetadata. What has no place that can be found has no offsets and stands in the last passage.
[[nodiscard]] std::vector<Found> read_citations(json::Value grounding, json::Value recitation,
                                                const std::vector<Passage>& passages);
// The groundingMetadata for citations of other dialects; `parts` are the texts with their citations, in order.
// Citations without an address are left out; empty when nothing is left.
[[nodiscard]] std::string write_grounding(const std::vector<std::pair<std::size_t, const Text*>>& parts);

// "2026-05-04T20:01:02.264968Z" -> Unix seconds.
[[nodiscard]] std::optional<std::int64_t> read_time(std::string_view text);

// logprobsResult in one line, for the model puts several documents together line by line.
[[nodiscard]] RawJson read_logprobs(json::Value result);
// logprobsResult <-> the logprobs of OpenAI's chat; several documents, one a line, are put together.
[[nodiscard]] std::string write_logprobs(const RawJson& logprobs, bool own);

}  // namespace sluice::gemini
