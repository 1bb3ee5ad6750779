// Token counts of this dialect: disjoint already but for thinking, which output_tokens includes.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "model/reply.h"

namespace sluice::anthropic {

[[nodiscard]] Usage read_usage(json::Value usage);
// The object that says `later` over `before`, member by member; a null in `later` keeps what was known. Either may be
// empty.
[[nodiscard]] RawJson merge_usage(std::string_view before, json::Value later);
void write_usage(json::Writer& out, const Usage& usage, const std::optional<std::string>& service_tier);

// Words for the tier that served: the vendor's "standard" is what others call "default".
[[nodiscard]] std::string_view read_tier(std::string_view word);
[[nodiscard]] std::string_view write_tier(std::string_view word);

}  // namespace sluice::anthropic
