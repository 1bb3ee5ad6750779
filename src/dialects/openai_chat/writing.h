// The state of writing one request: for whom, by which rules, and where Notes go. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dialects/dialect.h"
#include "dialects/openai_chat/message.h"
#include "dialects/openai_chat/vendor.h"
#include "dialects/pointer.h"

namespace sluice::openai_chat {

struct Writing {
  const ChatRequest& request;
  const Destination& to;
  const Vendor& vendor;
  ModelRules rules;
  Notes& notes;
  json::Writer& out;

  // Whether the client spoke this dialect too: then its own spellings are kept.
  [[nodiscard]] bool own() const { return request.origin == self; }
  void lost(Field field, std::string_view reason) const { notes.lost(pointer_to(request, field), reason); }
  void restated(Field field, std::string_view reason) const { notes.restated(pointer_to(request, field), reason); }
};

// messages: every turn, in this dialect's order (turns_write.cc).
void write_turns(Writing& w);
// A cache mark of `owner`, inside its object.
void write_cache_mark(Writing& w, const std::optional<CacheMark>& mark, const Pointer& pointer);
// tools, tool_choice, parallel_tool_calls (tools_write.cc).
void write_tools(Writing& w);
// How much to think (reasoning_write.cc). Error: unsupported where this vendor's model cannot call tools here.
[[nodiscard]] Result<bool> write_reasoning(Writing& w);

}  // namespace sluice::openai_chat
