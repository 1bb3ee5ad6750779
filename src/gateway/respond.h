// Answers to the client: response heads, whole bodies, streams. Here the fields are chosen that every answer carries.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "gateway/exchange.h"

namespace sluice {

struct ReplyHead {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string_view fields;  // more field lines, each with its CRLF
  bool passed = false;      // an upstream's own: its fields say whether it may be kept
};

// Sleeps until the client has taken what a send has kept. Errors: client_gone.
[[nodiscard]] Task<Result<bool>> taken(Exchange& ex, net::Sent sent);

// Sends a whole answer. Errors: client_gone.
[[nodiscard]] Task<Result<bool>> send_whole(Exchange& ex, ReplyHead head, std::string_view body);

// The head of an upstream's own answer, whose body follows by put_stream(): of that length, else in chunks.
[[nodiscard]] net::Sent put_head(Exchange& ex, const ReplyHead& head, std::optional<std::uint64_t> length);
// The next bytes of a stream; the head goes before the first, `last` ends it. Unless all went out, taken() comes next:
// most events of most streams need no coroutine for it.
[[nodiscard]] net::Sent put_stream(Exchange& ex, std::string_view content_type, std::string_view bytes, bool last);
// Both together. Errors: client_gone.
[[nodiscard]] Task<Result<bool>> send_stream(Exchange& ex, std::string_view content_type, std::string_view bytes,
                                             bool last);

// An error in the caller's dialect, as an HTTP answer. Only while !ex.head_sent.
[[nodiscard]] Task<Result<bool>> send_error(Exchange& ex, const Error& error);

}  // namespace sluice
