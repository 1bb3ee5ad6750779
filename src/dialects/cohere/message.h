// One message of this dialect, in a history or in an answer. Parts stand in this order: the content, the plan in front
// of tool calls (a text that remembers "plan"), the calls. Citations stand beside the content and point into it.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "dialects/pointer.h"
#include "model/chat.h"
#include "model/notes.h"

namespace sluice::cohere {

inline constexpr DialectId self = DialectId::cohere;

// Memories of spelling (spare.h).
inline constexpr std::string_view plan_memory = "plan";          // a text that stands as tool_plan
inline constexpr std::string_view document_memory = "document";  // the `data` of a document, as it was written

struct MessageParts {
  std::vector<Part> parts;
  bool plain_string = false;
  Extras extras;  // members that nobody here knows
};
// Error: bad_request in the vendor's words; `place` ("messages[2]") opens them.
[[nodiscard]] Result<MessageParts> read_message(json::Value message, std::string_view place);

// An entry of a content list, and of tool_calls.
[[nodiscard]] Part read_content_part(json::Value part);
[[nodiscard]] Part read_tool_call(json::Value call);
[[nodiscard]] Citation read_citation(json::Value citation);

// A document's `data` as text that any model understands: its only text, or the whole as JSON. With `title_apart` the
// title is no part of it.
struct DocumentText {
  std::string text, title;
};
[[nodiscard]] DocumentText document_text(json::Value data, bool title_apart);
// `data` of a document part: as it was written, while the part still says the same.
[[nodiscard]] std::string document_data(const Part& part, std::string_view text, std::string_view title);
[[nodiscard]] bool is_document(const Part& part);
[[nodiscard]] bool is_plan(const Part& part);

// The content items of an answer or a history: text, thinking, and what came from here and nobody knows. False: the
// part has no place in a content list, and nothing was written.
bool write_content_part(json::Writer& out, const Part& part, const Pointer& pointer, Notes& notes);
void write_tool_call(json::Writer& out, const Part& part, std::string_view id, std::string_view name,
                     const Pointer& pointer, Notes& notes);
// "signature": … into the open object, when the part carries a proof.
void write_seal(json::Writer& out, const Part& part);
// The citation as it came, or told anew. `text`: what it stands in; `index`: that text's place in the content.
[[nodiscard]] std::string citation_json(const Citation& citation, std::string_view text, std::int64_t index);
// "citations": […] into the open object: those of the texts, then those that had no text.
void write_citations(json::Writer& out, const std::vector<Part>& parts, const Extras& extras);
// The members of a message that nobody knows, without its citations.
[[nodiscard]] Extras without_citations(const Extras& extras);

// Arguments of a call: "{}" when the model gave none.
[[nodiscard]] std::string_view arguments_or_empty(const ToolCall& call);

}  // namespace sluice::cohere
