// Usage of a whole answer without reading the rest, where it stands as the member `usage`. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "base/json.h"
#include "model/reply.h"

namespace sluice {

// `read` gets the object. nullopt: there is none, or it tells nothing.
[[nodiscard]] std::optional<Usage> reply_usage(std::string_view body, Usage (*read)(json::Value));

}  // namespace sluice
