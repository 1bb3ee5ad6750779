// What a vendor keeps for its client: a request that points at it says something there and nothing elsewhere. And what
// only one API has, where an answer without it would be an answer to another question.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "base/error.h"
#include "model/chat.h"

namespace sluice {

// Why this request cannot go to a target of another dialect than its own: the fault `unsupported`, with the member in
// Error::param. nullopt: it can.
[[nodiscard]] std::optional<Error> held_elsewhere(const ChatRequest& request);

}  // namespace sluice
