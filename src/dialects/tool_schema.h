// Schemas of tools as most vendors take them: an object at the root and no alternatives there. Pure text to text.
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "dialects/pointer.h"
#include "model/chat.h"
#include "model/notes.h"

namespace sluice {

// A tool's schema with an object at its root, without anyOf, oneOf and allOf there, which are noted below `pointer`. An
// empty one is any object. `properties`: the vendor refuses an object that does not name its members, be it none.
[[nodiscard]] RawJson object_schema(std::string_view schema, const Pointer& pointer, Notes& notes,
                                    bool properties = false);

}  // namespace sluice
