// Proofs of earlier turns: kept when an answer passes, put back when a client sends its turn without them, and never
// shown to anybody but the backend that gave them. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "dialects/kept_turn.h"
#include "gateway/exchange.h"
#include "model/notes.h"

namespace sluice {

// Writes down whose proofs these are, unless they say so already.
void sign(Reply& reply, std::string_view backend);
void sign(std::vector<Event>& events, std::string_view backend);

// Keeps what a client may drop, for the caller of this exchange.
void remember(Exchange& ex, const Reply& reply);
void remember(Exchange& ex, const TurnRecorder& recorder);

// Puts back what was kept for this caller.
void recall(Exchange& ex, ChatRequest& request);

// The backend that gave the newest proof in the conversation; empty when none says so.
[[nodiscard]] std::string_view issuer(const ChatRequest& request);
// True when a proof stands in it that this backend would take for one of its own, and that another one gave.
[[nodiscard]] bool holds_foreign_proofs(const ChatRequest& request, std::string_view backend, DialectId spoken);
// Takes them out, each with a Note; reasoning that only a proof spoke for goes with it. Proofs of other dialects are
// left to the writer, who knows what else must go with them.
void drop_foreign_proofs(ChatRequest& request, std::string_view backend, DialectId spoken, Notes& notes);

}  // namespace sluice
