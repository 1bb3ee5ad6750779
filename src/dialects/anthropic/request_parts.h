// Parts of a request as content blocks: which of them can be said to this vendor, and how.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "dialects/dialect.h"
#include "dialects/dialogue.h"
#include "dialects/pointer.h"

namespace sluice::anthropic {

// How parts are written in one request.
struct PartRules {
  const ChatRequest& request;
  std::string_view provider;
  bool own = false;                       // the parts come from a client of this dialect
  bool as_said = false;                   // and it named this very model: its words stand
  std::optional<std::size_t> inner = {};  // inside a tool result: the part's place in it
  std::size_t marks_to_skip = 0;          // cache marks beyond what the vendor takes: the first ones go
};

// Whether the part is said at all; if not, a Note tells why (an empty text needs none). Error: unsupported where
// leaving it out would change the meaning (sound, files of another vendor).
[[nodiscard]] Result<bool> sayable(const PartRules& rules, const PlacedPart& placed, Role role, Notes& notes);
// One sayable part as a block.
void write_part(json::Writer& out, PartRules& rules, const PlacedPart& placed, Notes& notes);
// "cache_control" into the open object, unless it is one too many.
void write_mark(json::Writer& out, PartRules& rules, const std::optional<CacheMark>& mark, const Pointer& pointer,
                Notes& notes);

// True for files that live with the vendor (Files API): they need a beta flag.
[[nodiscard]] bool is_vendor_file(const Part& part);

}  // namespace sluice::anthropic
