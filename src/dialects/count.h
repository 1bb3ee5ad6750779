// Counting the tokens of a question before it is asked. The vendor's own calls are in each dialect; where there is
// none: estimate.h. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "model/chat.h"

namespace sluice {

// Takes out of a question what changes its answer only, so that nothing of it is missed when it is counted: sampling,
// limits, stop sequences, names and tiers, the stream.
void leave_what_counts(ChatRequest& request);

// The number that an answer holds as its member `key`. Error: upstream_broken when there is none.
[[nodiscard]] Result<std::int64_t> count_member(std::string_view body, std::string_view key);

}  // namespace sluice
