// OpenAI Responses: items instead of messages, a ladder of events instead of chunks (protocols/openai-responses.md).
// Errors are those of the same vendor's chat. This header is for the dialect's own files and registry.cc only.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/dialect.h"

namespace sluice::openai_responses {

[[nodiscard]] const Dialect& dialect();

// The pieces of the dialect; the contract of each is the Dialect member of that name.
[[nodiscard]] Result<Peek> peek(std::string_view body);
[[nodiscard]] std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to);
[[nodiscard]] Result<ChatRequest> read_request(std::string_view body, json::Utf8 utf8 = json::Utf8::unchecked);
[[nodiscard]] Result<std::string> write_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<std::string> write_count_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<Reply> read_reply(std::string_view body);
[[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes);
[[nodiscard]] std::optional<Usage> reply_usage(std::string_view body);
[[nodiscard]] std::unique_ptr<StreamReader> stream_reader();
[[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question);

// What `error` stands for: a whole body, an event of type "error" (its members flat or in an object), a failed
// response.
[[nodiscard]] Error read_error(int status, json::Value root);

}  // namespace sluice::openai_responses
