// One request of the command line to a gateway over plain HTTP, and its answer. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/url.h"

namespace sluice {

enum class NoAnswer : std::uint8_t {
  nobody,  // listens there
  lost,    // it may have been done: the connection broke, or nothing was said for ten seconds
};
// All that the server says until it closes.
[[nodiscard]] std::expected<std::string, NoAnswer> call_gateway(const Url& url, std::string_view request);

}  // namespace sluice
