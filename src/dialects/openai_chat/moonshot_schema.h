// JSON Schemas of tools as Moonshot's checker takes them (protocols: vendors, section 3). Pure text to text.
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "dialects/pointer.h"
#include "model/chat.h"
#include "model/notes.h"

namespace sluice::openai_chat {

// `schema` with tuples as prefixItems, a type that stood beside alternatives in each of them, and without $schema. What
// means another thing to a reader is noted below `pointer`. Text that is no JSON stays.
[[nodiscard]] RawJson moonshot_schema(std::string_view schema, const Pointer& pointer, Notes& notes);

}  // namespace sluice::openai_chat
