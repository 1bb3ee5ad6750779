// The dialect "anthropic": the Messages API of Anthropic, versions 2023-06-01 and 2026-10-21, both ways. This header is
// for its own files and registry.cc only. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dialects/dialect.h"

namespace sluice::anthropic {

[[nodiscard]] const Dialect& anthropic_dialect();

// The pieces, one file each.
[[nodiscard]] Result<ChatRequest> read_request(const Asked& asked, Notes& notes);
[[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<WireRequest> write_count_request(const ChatRequest& request, const Destination& to, Notes& notes);
[[nodiscard]] Result<Reply> read_reply(std::string_view body);
[[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes);
[[nodiscard]] std::unique_ptr<StreamReader> stream_reader();
[[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question);
[[nodiscard]] Error read_error(int status, std::string_view body);
// An error object as it stands inside a reply or a stream, where no status came with it.
[[nodiscard]] Error read_error_object(json::Value body);
[[nodiscard]] std::string write_error(const Error& error, std::string_view request_id);

inline constexpr std::string_view version_2023 = "2023-06-01";
inline constexpr std::string_view version_2026 = "2026-10-21";

}  // namespace sluice::anthropic
