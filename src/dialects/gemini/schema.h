// Schemas of this dialect: its own `Schema` (an OpenAPI subset with upper-case types) and JSON Schema as far as it is
// taken (protocols: Gemini, section 3; mapping, section 7). Pure text to text.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "dialects/pointer.h"
#include "model/notes.h"

namespace sluice::gemini {

// The dialect's `Schema` as JSON Schema: "STRING" -> "string", nullable -> a null type, "3" -> 3 for lengths. Nothing
// is lost; members nobody knows stay.
[[nodiscard]] std::string to_json_schema(json::Value schema);

// A JSON Schema as parametersJsonSchema and responseJsonSchema take it. What they do not take is said in the
// description instead. Notes at `pointer` + place.
[[nodiscard]] std::string taken_json_schema(std::string_view schema, const Pointer& pointer, Notes& notes);

// A JSON Schema as `Schema`, for models that know nothing else: references are put in place, types are upper-case, what
// has no word is said in the description. Notes likewise. Empty when a reference goes in a circle.
[[nodiscard]] std::string to_own_schema(std::string_view schema, const Pointer& pointer, Notes& notes);

}  // namespace sluice::gemini
