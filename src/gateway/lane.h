// Which of its lanes a vendor says that an answer took ("priority", "flex"): prices differ by it. Looked for in bytes
// that nobody reads otherwise. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "model/dialect_id.h"

namespace sluice {

// Whether vendors that speak it have any.
[[nodiscard]] bool has_lanes(DialectId dialect);
// Points into `json`, of which the last `most` bytes are looked at; empty where it does not say.
[[nodiscard]] std::string_view lane_told(std::string_view json, std::size_t most = std::string_view::npos);

}  // namespace sluice
