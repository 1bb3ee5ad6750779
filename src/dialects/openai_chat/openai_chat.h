// OpenAI Chat Completions, and every vendor that speaks it with an accent (protocols/openai-chat.md, vendors.md).
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/dialect.h"

namespace sluice::openai_chat {

[[nodiscard]] const Dialect& dialect();

// The pieces of the dialect; the contract of each is the Dialect member of that name.
[[nodiscard]] Result<Peek> peek(std::string_view body, std::string_view path_model = {});
[[nodiscard]] std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to);
[[nodiscard]] Result<ChatRequest> read_request(std::string_view body, json::Utf8 utf8 = json::Utf8::unchecked);
[[nodiscard]] Result<std::string> write_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<Reply> read_reply(std::string_view body);
[[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes);
[[nodiscard]] std::optional<Usage> reply_usage(std::string_view body);
[[nodiscard]] std::unique_ptr<StreamReader> stream_reader();
[[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question);
[[nodiscard]] Error read_error(int status, std::string_view body);
[[nodiscard]] std::string write_error(const Error& error);
[[nodiscard]] std::string write_models(std::span<const ModelRow> rows, bool one);

// The error object inside `root` (a body, or a chunk of a stream), if it holds one that is true.
[[nodiscard]] std::optional<Error> error_inside(json::Value root, int status);

}  // namespace sluice::openai_chat
