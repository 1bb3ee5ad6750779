// The state of writing one request: for whom, and where Notes go. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialects/cohere/message.h"
#include "dialects/dialect.h"
#include "dialects/pointer.h"

namespace sluice::cohere {

// A part and where it stood.
struct Placed {
  const Part* part = nullptr;
  Pointer pointer;
};

struct Writing {
  const ChatRequest& request;
  const Destination& to;
  Notes& notes;
  json::Writer& out;
  std::vector<Placed> documents;   // found in the turns: they stand beside the messages
  std::vector<std::string> hints;  // instructions for what has no field

  // Whether the client spoke this dialect too: then its own spellings are kept.
  [[nodiscard]] bool own() const { return request.origin == self; }
  void lost(Field field, std::string_view reason) const { notes.lost(pointer_to(request, field), reason); }
  void restated(Field field, std::string_view reason) const { notes.restated(pointer_to(request, field), reason); }
};

// messages, and documents behind them (turns_write.cc). Error: unsupported for media that no model here takes.
[[nodiscard]] Result<void> write_turns(Writing& w);
void write_documents(Writing& w);
// tools, tool_choice, strict_tools (tools_write.cc). True: there are tools.
bool write_tools(Writing& w);

}  // namespace sluice::cohere
