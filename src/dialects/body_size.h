// About how long a body will be, so that its text grows once and is not copied while it is written.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "model/chat.h"
#include "model/reply.h"

namespace sluice {

// Bytes of what is long in it (texts, media, arguments, schemas), and some for what stands around. A guess that is too
// small costs a copy, nothing else.
[[nodiscard]] std::size_t body_size(const ChatRequest& request);
[[nodiscard]] std::size_t body_size(const Reply& reply);

}  // namespace sluice
