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
struct GatewayAsk {
  std::string_view method = "GET";
  std::string path;        // below the gateway's address, with its query
  std::string credential;  // empty: none is shown
  std::string body;
};
struct GatewaySaid {
  int status = 0;  // 0: it spoke no HTTP
  std::string body;
};
[[nodiscard]] std::expected<GatewaySaid, NoAnswer> call_gateway(const Url& url, const GatewayAsk& ask);
// What an error's body has to say, or else its status.
[[nodiscard]] std::string message_of(const GatewaySaid& said);
// As a value of a query may stand there.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace sluice
