// The state of writing one request: for whom, by which rules, and where Notes go. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "dialects/dialect.h"
#include "dialects/openai_chat/vendor.h"
#include "dialects/openai_responses/items.h"
#include "dialects/pointer.h"

namespace sluice::openai_responses {

struct Writing {
  const ChatRequest& request;
  const Destination& to;
  Notes& notes;
  json::Writer& out;
  openai_chat::ModelRules rules;

  // Whether the client spoke this dialect too: then its own spellings are kept.
  [[nodiscard]] bool own() const { return request.origin == self; }
  // OpenAI itself, wherever it runs: it refuses reasoning that it did not make.
  [[nodiscard]] bool vendor() const { return to.provider == "openai" || to.provider == "azure"; }
  void lost(Field field, std::string_view reason) const { notes.lost(pointer_to(request, field), reason); }
  void restated(Field field, std::string_view reason) const { notes.restated(pointer_to(request, field), reason); }
};

// instructions and input (input_write.cc). Error: unsupported for media that cannot be said here.
[[nodiscard]] Result<void> write_input(Writing& w);
// A content part of a message or of a tool's output; `said`: by the assistant (content_write.cc). What cannot be said
// leaves a Note; media of a user that cannot is an Error: unsupported.
[[nodiscard]] Result<void> write_content(Writing& w, const Part& part, bool said, const Pointer& pointer);
// False: the part cannot stand in content, and has its Note.
[[nodiscard]] Result<bool> sayable(Writing& w, const Part& part, bool said, const Pointer& pointer);
// tools, tool_choice, parallel_tool_calls (tools_write.cc).
void write_tools(Writing& w);
// Chat's member that stands for a tool here: no unknown one.
inline constexpr std::string_view web_search_options = "web_search_options";

}  // namespace sluice::openai_responses
