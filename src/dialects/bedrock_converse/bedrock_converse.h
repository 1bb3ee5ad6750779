// The dialect "bedrock_converse": Converse and ConverseStream of AWS Bedrock, both ways. (What a model's own vendor
// speaks behind InvokeModel is that vendor's dialect.) This header is for its own files and registry.cc only.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dialects/dialect.h"

namespace sluice::bedrock_converse {

[[nodiscard]] const Dialect& bedrock_dialect();

// The pieces, one file each.
[[nodiscard]] Result<ChatRequest> read_request(const Asked& asked);
[[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<Reply> read_reply(std::string_view body);
[[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes);
[[nodiscard]] std::unique_ptr<StreamReader> stream_reader();
[[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question);

[[nodiscard]] std::string write_error(const Error& error);
// The exception that clients know for it: "ThrottlingException".
[[nodiscard]] std::string_view exception_of(const Error& error);
// The same among the few that a stream may hold: "throttlingException".
[[nodiscard]] std::string_view stream_exception_of(const Error& error);

}  // namespace sluice::bedrock_converse
