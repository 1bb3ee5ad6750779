// Writing back what nobody here understands: unknown members go to their own dialect, a Note elsewhere.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "model/extras.h"
#include "model/notes.h"

namespace sluice {

// Members of `extras` into the object that `out` has open, if they are of dialect `to`; else one Note "lost" each, at
// `pointer` + "/" + key ("" for the top).
void write_extras(json::Writer& out, const Extras& extras, DialectId to, std::string_view pointer, Notes& notes);
// Only the Notes, where the target has no object to put them into.
void note_extras(const Extras& extras, DialectId to, std::string_view pointer, Notes& notes);

}  // namespace sluice
