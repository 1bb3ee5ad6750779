// Which models a raw call names: in its path, its query or its body, wherever some vendor lets a request name one. A
// raw call may go nowhere that its backend's list of models does not allow, so what cannot be looked into is refused.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/dialect_id.h"

namespace sluice {

// Appends the names that stand in path and query, as they came. Where escapes allow two readings, both are told.
void models_in_target(std::vector<std::string>& out, DialectId dialect, std::string_view path, std::string_view query);

// `object` when some reader could take the body for a JSON object, whatever its label and encoding; `unsure` while it
// shows nothing but blanks.
enum class Looks : std::uint8_t { unsure, object, other };
[[nodiscard]] Looks looks(std::string_view beginning);

// Appends the names that a JSON body holds besides its own "model": of several requests in one, of a session.
void models_inside(std::vector<std::string>& out, const std::vector<json::TopMember>& members);

// A name as lists of models have it: Google says "models/NAME".
[[nodiscard]] std::string_view bare_model(std::string_view name);

}  // namespace sluice
