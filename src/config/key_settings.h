// What the names of keys and groups must be, and what they name: for config.yaml and for the admin API alike.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace sluice::config {

// Text that may stand in a log line and in a report: no control characters, not too long.
[[nodiscard]] bool is_name(std::string_view text);
// The same without "/", which stands between the groups of a path.
[[nodiscard]] bool is_group_name(std::string_view text);

struct Complaint {
  std::string message;
  std::string hint;
};

// What requests may go to: backends, their accounts, the demo.
[[nodiscard]] std::vector<std::string> backend_names(const Config& config);
// "did you mean …?", else all there are.
[[nodiscard]] std::string known_name(std::string_view name, std::span<const std::string> known);
// Nothing when every backend that is allowed is there.
[[nodiscard]] std::optional<Complaint> check_backends(const Allowance& allowance, std::span<const std::string> known);

}  // namespace sluice::config
