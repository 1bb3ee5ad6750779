// The state of writing one request: for whom, by which rules, and where Notes go. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialects/bedrock_converse/blocks.h"
#include "dialects/bedrock_converse/models.h"
#include "dialects/dialect.h"
#include "dialects/dialogue.h"
#include "dialects/pointer.h"

namespace sluice::bedrock_converse {

struct Writing {
  const ChatRequest& request;
  const Destination& to;
  Notes& notes;
  json::Writer& out;
  const bool own;  // a client of this dialect asks, and for this very model: its words stand
  const ModelRules rules;
  Dialogue dialogue;
  std::size_t marks_to_skip = 0;            // cache points beyond what the vendor takes: the first ones go
  std::vector<std::string> hints;           // instructions for what has no field
  std::optional<bool> no_parallel;          // said among the additional fields
  std::vector<std::string> document_names;  // given so far: each must be another

  void lost(Field field, std::string_view reason) const { notes.lost(pointer_to(request, field), reason); }
  void restated(Field field, std::string_view reason) const { notes.restated(pointer_to(request, field), reason); }
  // Ids and names as the model takes them.
  [[nodiscard]] std::string call_id(std::string_view id) const;
  [[nodiscard]] std::string tool_name(std::string_view name) const;
};

// The messages with only what can be said in them (turns_write.cc). Error: unsupported for media that nothing here
// takes.
[[nodiscard]] Result<void> lay_out(Writing& w);
void write_messages(Writing& w);
void write_system(Writing& w);
// A part's cache point behind it, unless it is one too many. `pointer`: the part's.
void write_mark(Writing& w, const std::optional<CacheMark>& mark, const Pointer& pointer);

// toolConfig (tools_write.cc). `thinking`: a model that thinks cannot be forced to call.
void write_tool_config(Writing& w, bool thinking);

}  // namespace sluice::bedrock_converse
