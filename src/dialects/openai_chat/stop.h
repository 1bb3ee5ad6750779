// Why an answer ended: the vendors' words and ours (protocols/mapping.md section 10). SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "model/reply.h"

namespace sluice::openai_chat {

// `calls`, `refused`: whether the choice holds tool calls, a refusal; they say more than many a vendor's word.
[[nodiscard]] Stop read_stop(std::string_view finish_reason, bool calls, bool refused);
// The word for `finish_reason`; empty: null stands there. A refusal that the message does not hold as one would pass
// for a plain stop, so it is told as content_filter.
[[nodiscard]] std::string_view write_stop(const Stop& stop, bool calls, bool refused);

// False where write_stop() says something else for want of a word.
[[nodiscard]] bool has_word(StopKind kind);

}  // namespace sluice::openai_chat
