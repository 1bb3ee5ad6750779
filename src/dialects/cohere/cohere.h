// The dialect "cohere": the Chat API of Cohere, version 2, both ways. (Version 1 is another format, and its vendor's
// OpenAI-compatible path speaks openai_chat.) This header is for its own files and registry.cc only.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialects/dialect.h"

namespace sluice::cohere {

[[nodiscard]] const Dialect& cohere_dialect();

// The pieces, one file each.
[[nodiscard]] Result<ChatRequest> read_request(const Asked& asked);
[[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<Reply> read_reply(std::string_view body);
[[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes);
[[nodiscard]] std::unique_ptr<StreamReader> stream_reader();
[[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question);
[[nodiscard]] Error read_error(int status, std::string_view body);
[[nodiscard]] std::string write_error(const Error& error, std::string_view request_id);

// What went wrong where only a sentence says it: an ERROR or TIMEOUT at the end of an answer.
[[nodiscard]] Error failed_answer(std::string_view finish_reason, std::string_view words);

}  // namespace sluice::cohere
