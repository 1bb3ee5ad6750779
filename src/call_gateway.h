// One request of the command line to a gateway over plain HTTP, and its answer. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/url.h"

namespace sluice {

// All that the server says until it closes; nullopt when there is none, or it stays silent for ten seconds.
[[nodiscard]] std::optional<std::string> call_gateway(const Url& url, std::string_view request);

}  // namespace sluice
