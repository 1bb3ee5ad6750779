// What a key or a group may spend: budgets by window, in config.yaml and in what the admin API is sent. Amounts are
// decimals from end to end. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"
#include "config/allowance.h"
#include "config/reading.h"

namespace sluice::config {

void read_budgets(Reading& in, const YAML::Node& node, std::string_view path, Allowance& out);
void read_unknown_price(Reading& in, const YAML::Node& node, std::string_view path, Allowance& out);

[[nodiscard]] std::span<const Setting<Budget>> budget_settings();

// The way back, as members of an object: what is not said is left out.
void write_budgets(json::Writer& out, const Allowance& allowance);

// "12.50" in nano-dollars. nullopt: no plain amount, finer than a nano-dollar, or more than a thousand million dollars.
[[nodiscard]] std::optional<std::int64_t> read_dollars(std::string_view text);

}  // namespace sluice::config
