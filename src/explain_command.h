// `sluice explain`: what would be tried for a request, from a configuration or from a running gateway.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "gateway/explain.h"

namespace sluice {

struct ExplainOptions {
  ExplainAsk ask;
  std::vector<std::string> headers;  // NAME=VALUE
  std::string config;                // a file; empty: what the environment offers
  std::string url;                   // of a running gateway, asked instead: http://127.0.0.1:8000
  bool json = false;
};

// The process's exit code: 0, 1 when nobody serves the model, 2 when it cannot be found out.
[[nodiscard]] int explain_command(ExplainOptions options);

}  // namespace sluice
