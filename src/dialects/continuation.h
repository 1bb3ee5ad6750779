// A question whose answer broke off, asked so that the answer goes on from where it was: another model, or the same one
// again, finds the words that were said behind the conversation. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "dialects/dialect.h"

namespace sluice {

// Whether half an answer to it can be gone on with: one answer of plain text, in a form of nobody's choice. Half of a
// JSON text cannot: what makes a model write one makes it begin anew.
[[nodiscard]] bool may_be_continued(const ChatRequest& asked);

// `asked` with `said`, the text so far, behind it: as the assistant's own turn where a model there goes on from that
// (Dialect::prefill), else followed by a sentence that asks for the rest. The limit of output is less by what was said.
// Nothing but blanks is nothing said.
[[nodiscard]] ChatRequest continued(const ChatRequest& asked, std::string_view said, const Dialect& spoken,
                                    const Destination& to);

}  // namespace sluice
