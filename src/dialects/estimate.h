// About how many tokens a question is, where nobody counts them: from the kinds of characters in it and what vendors
// publish about messages, tools and pictures. No tokenizer: one walk over the text, the same figure on every machine,
// some percent off (estimate_test.cc says how many, by recorded traffic). Never for bills. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "model/chat.h"

namespace sluice {

// Tokens of input that this model's vendor would count for the request, at least 1. `model` is the upstream's name: it
// tells the tokenizer and the vendor's hidden instructions.
[[nodiscard]] std::int64_t estimate_input(const ChatRequest& request, std::string_view model);
// Tokens of a plain text.
[[nodiscard]] std::int64_t estimate_text(std::string_view text, std::string_view model);

}  // namespace sluice
