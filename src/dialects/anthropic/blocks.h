// Content blocks <-> parts: the one vocabulary that requests, replies and streams of this dialect share. Not here:
// which parts may stand where (request_write.cc, reply.cc).
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "dialects/seal_envelope.h"
#include "model/chat.h"
#include "model/notes.h"

namespace sluice::anthropic {

// One block as a part. Error: bad_request with the vendor's wording behind the place, which only the caller knows.
[[nodiscard]] Result<Part> read_block(json::Value block);
// Content that is one string or a list of blocks. A proof that travelled in a block of its own (seal_data) goes back to
// the part it belongs to. `place` ("messages.0.content") opens the words of an Error.
[[nodiscard]] Result<void> read_content(json::Value content, std::string_view place, std::vector<Part>& parts,
                                        bool& plain_string);

[[nodiscard]] Citation read_citation(json::Value citation);
[[nodiscard]] std::optional<CacheMark> read_cache_mark(json::Value mark);
// Members of `object` that are not among `known`. A null says as much as its absence.
void read_extras(json::Value object, std::initializer_list<std::string_view> known, Extras& extras);

// "cache_control": {…} into the open object.
void write_cache_mark(json::Writer& out, const CacheMark& mark);
// "citations": […] into the open object, as far as they can be said: only the vendor itself makes them. `lost` counts
// the others.
void write_citations(json::Writer& out, const std::vector<Citation>& citations, std::size_t& lost);
// The citation in this dialect, or empty.
[[nodiscard]] std::string_view citation_json(const Citation& citation);

// A proof on a part that has no slot for it travels in a redacted_thinking block beside the part: its `data`.
[[nodiscard]] inline std::string seal_data(const Seal& seal, Belongs belongs) {
  return seal_beside(seal, DialectId::anthropic, belongs);
}
[[nodiscard]] inline Seal read_seal_data(std::string_view data, Belongs& belongs) {
  return read_seal_beside(data, DialectId::anthropic, belongs);
}

// The tool behind a result block: "web_search_tool_result" -> "web_search".
[[nodiscard]] std::string_view server_tool_of(std::string_view block_type);

}  // namespace sluice::anthropic
