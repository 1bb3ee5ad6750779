// The pieces of the dialect `gemini` that gemini.cc puts together, one file each. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "dialects/dialect.h"

namespace sluice::gemini {

// request_read.cc, request_write.cc
[[nodiscard]] Result<ChatRequest> read_request(const Asked& asked, Notes& notes);
[[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes);

// reply_read.cc, reply_write.cc
[[nodiscard]] Result<Reply> read_reply(std::string_view body);
[[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes);

// stream_read.cc, stream_write.cc, array_framer.cc
[[nodiscard]] std::unique_ptr<StreamReader> stream_reader();
[[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question);
[[nodiscard]] std::unique_ptr<Framer> array_framer();

// errors.cc. `object`: the value of "error".
[[nodiscard]] Error read_error_object(json::Value object, int status);
[[nodiscard]] Error read_error(int status, std::string_view body);
[[nodiscard]] std::string write_error(const Error& error);

}  // namespace sluice::gemini
