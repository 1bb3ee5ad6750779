// Content blocks <-> parts: the one vocabulary that requests, replies and streams of this dialect share. A block is an
// object with one member that says its kind. Not here: which parts may stand where.
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "dialects/pointer.h"
#include "dialects/seal_envelope.h"
#include "model/chat.h"
#include "model/notes.h"

namespace sluice::bedrock_converse {

inline constexpr DialectId self = DialectId::bedrock_converse;

// Memories of spelling (spare.h).
inline constexpr std::string_view json_memory = "json";            // a text in a result that stands as JSON there
inline constexpr std::string_view cited_memory = "cited";          // a text without citations that could have had some
inline constexpr std::string_view bare_memory = "bare";            // citations that stand without their text
inline constexpr std::string_view content_memory = "content";      // a text that stands in several pieces, as they were
inline constexpr std::string_view status_memory = "status";        // a result that says that it is none of an error
inline constexpr std::string_view location_memory = "s3Location";  // a place in storage, as it was written
inline constexpr std::string_view type_memory = "tool_use";        // a call that says that it is the client's

// The member of a text that a guardrail shall look at. The model sees the text; for others the guard is an unknown
// member.
inline constexpr std::string_view guard = "guardContent";

// The member that says what the block is; the key is empty where there is none.
[[nodiscard]] json::Member kind_of(json::Value block);
[[nodiscard]] Part read_block(json::Value block);
// Cache points go to the part in front of them, proofs that travelled in a block of their own to the part that they
// belong to. In a `history` citations without a text say nothing to anybody else: such a block stays whole.
void read_blocks(json::Value blocks, std::vector<Part>& out, bool history = false);
[[nodiscard]] Citation read_citation(json::Value citation);
[[nodiscard]] CacheMark read_mark(json::Value point);
// True for calls and results of tools that the vendor runs.
[[nodiscard]] bool runs_itself(json::Value tool);
// A proof that stands alone: the vendor's own, or an envelope in base64.
[[nodiscard]] Seal read_redacted(std::string_view data, Belongs& belongs);
// Members of `object` that are not among `known`. A null says as much as its absence.
void read_rest(json::Value object, std::initializer_list<std::string_view> known, Extras& extras);

// The blocks, whole. Members that nobody knows are written back, or noted below `pointer`.
void write_text(json::Writer& out, const Part& part, std::string_view text, const Pointer& pointer, Notes& notes);
void write_call(json::Writer& out, const Part& part, std::string_view id, std::string_view name, std::string_view input,
                const Pointer& pointer, Notes& notes);
// Thinking with what proves it; `text` may be empty.
void write_reasoning(json::Writer& out, const Part& part, const Pointer& pointer, Notes& notes);
// A file in the given format, under `name` where it has one; its source is one that this dialect has.
void write_media(json::Writer& out, const Part& part, std::string_view format, std::string_view name,
                 const Pointer& pointer, Notes& notes);
void write_mark(json::Writer& out, const CacheMark& mark, std::string_view ttl);
// The proof of a part that has no slot for one, as a block beside it.
void write_proof(json::Writer& out, const Seal& seal, Belongs belongs);
// The text of that block's one member.
[[nodiscard]] std::string redacted_data(const Seal& seal, Belongs belongs);

// "additionalModelResponseFields" of an answer of another vendor: what only its own model's words have a place for.
void write_answer_fields(json::Writer& out, std::string_view id, std::string_view model, std::string_view sequence);

// The citation as it came, or told anew.
[[nodiscard]] std::string citation_json(const Citation& citation);

}  // namespace sluice::bedrock_converse
