// What a key or a group may ask for: limits, in config.yaml and in what the admin API is sent.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "config/allowance.h"
#include "config/reading.h"

namespace sluice::config {

void read_node_limits(Reading& in, const YAML::Node& node, std::string_view path, Allowance& out);

[[nodiscard]] std::span<const Setting<Allowance>> node_limit_settings();
// Of one kind in several windows.
[[nodiscard]] std::span<const Setting<Allowance>> request_rate_settings();
[[nodiscard]] std::span<const Setting<Allowance>> token_rate_settings();

// The way back, as members of an object: what is not said is left out.
void write_meters(json::Writer& out, const Allowance& allowance);

}  // namespace sluice::config
