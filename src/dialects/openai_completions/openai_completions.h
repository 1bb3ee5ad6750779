// OpenAI's first API, /v1/completions: one text in, its continuation out (the vendor's published description; what
// look-alikes add). Much is as in the same vendor's chat: the list of members, usage, errors. This header is for the
// dialect's own files and registry.cc only. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dialects/dialect.h"

namespace sluice::openai_completions {

inline constexpr DialectId self = DialectId::openai_completions;

[[nodiscard]] const Dialect& dialect();

// The pieces, one file each.
[[nodiscard]] Result<ChatRequest> read_request(std::string_view body, json::Utf8 utf8 = json::Utf8::unchecked);
// Error: unsupported for what is more than one text of a user.
[[nodiscard]] Result<std::string> write_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<Reply> read_reply(std::string_view body);
[[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes);
[[nodiscard]] std::unique_ptr<StreamReader> stream_reader();
[[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question);

// Of the members that only chat is known to have in an answer those that this API has too.
[[nodiscard]] bool shared_with_chat(const Extras& extras, std::string_view key);
// The text that stands in front of the answer, because the client asked to have its prompt repeated.
[[nodiscard]] std::string echoed(const Question& question);
// The word for finish_reason; empty: null.
[[nodiscard]] std::string_view finish_word(const Stop& stop);

}  // namespace sluice::openai_completions
