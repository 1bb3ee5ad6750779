// Probabilities of tokens in this API's form: four lists side by side. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::openai_completions {

// One object from several lines of them, each in this form or, when `chat`, in chat's ({content: [{token, logprob,
// top_logprobs}]}). `offset`: code points of text in front of the first token; moved behind the last. "null" when
// nothing is in them.
[[nodiscard]] std::string write_logprobs(std::string_view lines, bool chat, std::int64_t& offset);

}  // namespace sluice::openai_completions
