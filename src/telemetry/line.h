// Words of a log line: time, level, harmless text. Own appends, because a line is made for every exchange.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/print.h"
#include "telemetry/log.h"

namespace sluice::line {

// "2026-11-24T16:18:58.123Z". The day and the time to the second are remembered per thread; the view lives until the
// thread's next call.
[[nodiscard]] std::string_view stamp(std::int64_t unix_ms);
void append_time(std::string& out, std::int64_t unix_ms);
// "16:18:58.123"
void append_clock(std::string& out, std::int64_t unix_ms);
void append_integer(std::string& out, std::int64_t value);
// Microseconds as milliseconds: "12.345".
void append_ms(std::string& out, std::int64_t us);
// At most `most` bytes of `text` on one line without control characters, for people's eyes.
void append_plain(std::string& out, std::string_view text, std::size_t most);
// At most `most` bytes of `text` as a JSON string.
void append_quoted(std::string& out, std::string_view text, std::size_t most);
void quoted(Print& out, std::string_view text, std::size_t most);

// Escape sequences of a terminal, empty unless the style has colour.
enum class Paint : std::uint8_t { off, red, green, yellow, blue, grey, bold };
void append_paint(std::string& out, LogStyle style, Paint paint);
[[nodiscard]] Paint paint(LogLevel level);

}  // namespace sluice::line
