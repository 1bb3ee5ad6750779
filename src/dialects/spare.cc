// SPDX-License-Identifier: MIT
#include "dialects/spare.h"

namespace sluice {

void write_extras(json::Writer& out, const Extras& extras, DialectId to, std::string_view pointer, Notes& notes) {
  if (extras.origin != to) return note_extras(extras, to, pointer, notes);
  for (const Extra& extra : extras.members) out.member_raw(extra.key, extra.raw);
}

void note_extras(const Extras& extras, DialectId to, std::string_view pointer, Notes& notes) {
  for (const Extra& extra : extras.members) {
    notes.lost(std::string(pointer) + '/' + json::pointer_token(extra.key),
               std::string(name(to)) + " does not know it");
  }
}

}  // namespace sluice
