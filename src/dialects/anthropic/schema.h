// JSON Schemas as this vendor takes them: the narrow form of structured output and strict tools (protocols: mapping,
// section 7). Pure text to text. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dialects/pointer.h"
#include "model/chat.h"
#include "model/notes.h"

namespace sluice::anthropic {

// The schema with every object closed, oneOf as anyOf, and what the vendor cannot check moved into `description`, each
// with a Note below `pointer`. nullopt, and no Note, when the schema cannot be said at all: recursion, references to
// elsewhere, open maps (they would come back empty), more than 24 optional members or 16 unions.
[[nodiscard]] std::optional<RawJson> strict_schema(std::string_view schema, const Pointer& pointer, Notes& notes);

}  // namespace sluice::anthropic
