// How many tokens a question may have, by its bytes alone: for what is set aside before it is asked, and for the bill
// where nobody tells it. Not here: counting what was read (dialects/estimate.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

// Whether what is asked for by this operation ("chat") is asked in text.
[[nodiscard]] bool asks_in_text(std::string_view operation);
// A token is about four bytes of JSON.
[[nodiscard]] std::int64_t guess_tokens(std::string_view body);

}  // namespace sluice
