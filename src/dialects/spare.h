// What nobody here understands: unknown members go back to their own dialect, a Note elsewhere. One Extras holds those
// of an object and of its known inner objects; and small memories of how the source spelled a thing. In a key, 0x1f
// stands between an inner object's name and its member ("function", "strict_mode") and in front of a memory. Names of
// dots are outer objects (".." one level up, "../.." two): a list's member may hold what belongs to the list's owner.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "dialects/pointer.h"
#include "model/extras.h"
#include "model/notes.h"

namespace sluice {

// An unknown member of the known inner object `inner`.
void add_inner(Extras& extras, DialectId from, std::string_view inner, std::string_view key, std::string_view raw);
// A memory of spelling: never written as a member, never a Note.
void remember(Extras& extras, DialectId from, std::string_view word, std::string_view raw = "true");
// The memory's text, empty when there is none or it is of another dialect than `to`.
[[nodiscard]] std::string_view remembered(const Extras& extras, DialectId to, std::string_view word);
[[nodiscard]] bool is_memory(const Extra& extra);

// Members of `extras` into the object that `out` has open, if they are of dialect `to`; else one Note "lost" each, at
// `pointer` + "/" + key ("" for the top). Those of inner objects are not written here, but noted here.
void write_extras(json::Writer& out, const Extras& extras, DialectId to, const Pointer& pointer, Notes& notes);
// Those of the inner object `inner`, into that object. No Notes: write_extras has made them.
void write_inner_extras(json::Writer& out, const Extras& extras, DialectId to, std::string_view inner);
[[nodiscard]] bool has_inner_extras(const Extras& extras, DialectId to, std::string_view inner);
// Only the Notes, where the target has no object to put them into. A null says nothing and is no loss.
void note_extras(const Extras& extras, DialectId to, const Pointer& pointer, Notes& notes);

}  // namespace sluice
