// Log probabilities: a list in a whole answer, one item beside each delta of a stream. The model puts the items of a
// stream together line by line. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace sluice::cohere {

// The list for a whole answer: `text` is a list already, or items, one a line.
[[nodiscard]] std::string logprobs_list(std::string_view text);
// The same as one item, which is all that a delta can carry.
[[nodiscard]] std::string logprobs_item(std::string_view text);

}  // namespace sluice::cohere
