// Why an answer ended, in this dialect's words. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "model/reply.h"

namespace sluice::bedrock_converse {

[[nodiscard]] Stop read_stop(std::string_view reason);
// `calls`: the answer holds tool calls.
[[nodiscard]] std::string_view write_stop(const Stop& stop, bool calls);
// False: the nearest word is written, and it says less.
[[nodiscard]] bool has_word(StopKind kind);

}  // namespace sluice::bedrock_converse
