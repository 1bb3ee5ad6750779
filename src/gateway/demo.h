// The built-in backend: answers made on the spot from the question, so that the first request works before any key is
// bought, and so that a client can be tried against tools, structured output and streams for nothing. Pure and
// deterministic. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "model/chat.h"
#include "model/event.h"
#include "model/reply.h"

namespace sluice {

// The answer. Tools given and not yet answered: a call of one of them; a JSON format: JSON by its schema; else a text
// that says who speaks and what was asked. Stop sequences and the output limit hold for text and JSON. Usage is
// estimated. The same request at the same time gives the same reply.
[[nodiscard]] Reply demo_reply(const ChatRequest& request, std::int64_t unix_seconds);

// The same reply as a stream would bring it, word by word.
[[nodiscard]] std::vector<Event> demo_events(const Reply& reply);

}  // namespace sluice
