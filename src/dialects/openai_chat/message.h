// One message of this dialect, in a history or in an answer: reading its content, reasoning, calls and what else stands
// beside them into parts, and the pieces that both kinds of writing share. Order of parts: reasoning, content, refusal,
// images and audio, calls. SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/chat.h"
#include "model/notes.h"

namespace sluice::openai_chat {

inline constexpr DialectId self = DialectId::openai_chat;

struct MessageParts {
  std::vector<Part> parts;
  bool plain_string = false;
  Extras extras;  // members that nobody here knows
};
// `history`: a client's words, where an empty string is kept; in an answer it says nothing.
[[nodiscard]] MessageParts read_message(json::Value message, bool history);

// Of a content list, or of a tool result's.
[[nodiscard]] Part read_content_part(json::Value part);
[[nodiscard]] Part read_tool_call(json::Value call);
// One entry of reasoning_details; a Reasoning or an Opaque part.
[[nodiscard]] Part read_reasoning_detail(json::Value detail);
[[nodiscard]] Citation read_annotation(json::Value annotation);
[[nodiscard]] std::optional<CacheMark> read_cache_mark(json::Value owner);
// The same from the two members that say it: this vendor's own, and everybody's "cache_control".
[[nodiscard]] std::optional<CacheMark> read_cache_mark(json::Value ours, json::Value common);
// A name for calls that came without an id (functions of the first generation): both sides of a pair get the same.
[[nodiscard]] std::string legacy_call_id(std::string_view name);

// reasoning_details of these parts: those with a proof, and those that came as details. Nothing to write: false, and
// nothing was written.
bool write_reasoning_details(json::Writer& out, std::span<const Part> parts, std::string_view key, bool to_client);
// One entry; `index` numbers it.
void write_reasoning_detail(json::Writer& out, const Part& part, std::int64_t index, bool to_client);
// The citations of all text parts, moved to where their text stands in the joined content.
bool write_annotations(json::Writer& out, std::span<const Part> parts);
void write_call_seal(json::Writer& out, const Seal& seal, bool to_client);
// arguments as a string; "{}" when the model gave none.
[[nodiscard]] std::string_view arguments_or_empty(const ToolCall& call);

}  // namespace sluice::openai_chat
