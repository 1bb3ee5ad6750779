// What the parts of the admin API have in common: ids and errors. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/result.h"

namespace sluice::admin {

// "key_" and 13 letters and digits.
[[nodiscard]] std::string id_text(std::string_view prefix, std::uint64_t id);
[[nodiscard]] std::optional<std::uint64_t> read_id(std::string_view prefix, std::string_view text);

[[nodiscard]] Error bad(std::string message, std::string_view param = {});
// 409: what is asked does not go with what is there.
[[nodiscard]] Error conflict(std::string message);
[[nodiscard]] Error missing(std::string_view what, std::string_view id);
[[nodiscard]] Error no_such_method(std::string_view method, std::string_view allow);
// A value of the query, decoded; empty when there is none.
[[nodiscard]] std::string query_text(std::string_view query, std::string_view name);
// limit=, from 1 to 1000.
[[nodiscard]] Result<std::int64_t> read_limit(std::string_view query);

}  // namespace sluice::admin
