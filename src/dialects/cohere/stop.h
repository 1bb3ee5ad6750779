// Why an answer ended, in Cohere's words. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "model/reply.h"

namespace sluice::cohere {

[[nodiscard]] Stop read_stop(std::string_view finish_reason);
// `calls`: the answer holds tool calls.
[[nodiscard]] std::string_view write_stop(const Stop& stop, bool calls);
// False: the vendor has no word for it, COMPLETE stands in its place.
[[nodiscard]] bool has_word(StopKind kind);

}  // namespace sluice::cohere
