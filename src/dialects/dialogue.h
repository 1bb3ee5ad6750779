// The same turns as the strictly alternating dialects (Anthropic, Bedrock, Gemini) demand them: user and assistant by
// turns, user first, results right behind the calls that they answer and in the calls' order, a result for every call.
// See protocols/mapping.md section 3. Not here: how a part is written. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <vector>

#include "model/chat.h"
#include "model/notes.h"

namespace sluice {

struct PlacedPart {
  const Part* part = nullptr;
  std::size_t turn = 0,
              index = 0;  // where it stood: pointer_to_part(request, turn, index); of `made` texts the nearest place,
                          // of `made` results behind the turn's last part
};

struct Message {
  Role role = Role::user;  // user, assistant; system only where the rules keep it in place
  std::vector<PlacedPart> parts;
};

struct Dialogue {
  std::vector<Message> messages;
  std::list<Part> made;  // parts that stand in no turn: wrapped system text, synthesised results
};

struct DialogueRules {
  // Mid-conversation system text stays a message of role system; else it becomes user text inside <system-reminder>.
  bool system_in_place = false;
  // An assistant text that is empty or a user text that is empty is left out (unless it carries a seal).
  bool drop_empty_text = true;
};

// The turns behind the leading system text (pointer.h, leading_system). The result points into `request`, which must
// outlive it. Notes: restated for wrapped system text and orphan results, added for synthesised results and for a user
// text in front of an assistant's first turn.
[[nodiscard]] Dialogue alternate(const ChatRequest& request, const DialogueRules& rules, Notes& notes);

// Takes white space off the end of the text that the assistant is to continue; a text that is nothing else goes. Notes:
// restated.
void trim_prefill(const ChatRequest& request, Dialogue& dialogue, Notes& notes);

// What a result says when the call was never answered.
inline constexpr std::string_view not_executed = "Tool call was not executed";

// The text of a tool result's text parts, joined; its JSON where it has no text.
[[nodiscard]] std::string result_text(const ToolResult& result);

}  // namespace sluice
