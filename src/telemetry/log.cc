// SPDX-License-Identifier: MIT
#include "telemetry/log.h"

#include <array>

#include "telemetry/line.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 5> names = {"DEBUG", "INFO", "WARNING", "ERROR", "OFF"};
constexpr std::size_t longest_message = 4096;

LogStyle style_for(std::string_view format, bool terminal) {
  if (format == "json" || (format != "text" && !terminal)) return LogStyle::json;
  return terminal ? LogStyle::colour : LogStyle::text;
}

}  // namespace

std::optional<LogLevel> log_level(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

std::string_view name(LogLevel level) {
  return names[static_cast<std::size_t>(level)];
}

Log::Log(LogWriter& writer, Clock clock)
    : writer_(writer), clock_(clock), style_(style_for("auto", writer.terminal())) {}

Result<void> Log::apply(const LogChoice& choice) {
  TRY_VOID(writer_.use(choice.file));
  style_ = style_for(choice.format, writer_.terminal());
  exchanges_ = choice.exchanges;
  level_ = choice.level;
  return {};
}

void Log::write(LogLevel level, std::string_view message) {
  std::string out;
  const LogStyle style = this->style();
  if (style == LogStyle::json) {
    out += "{\"ts\":\"";
    line::append_time(out, clock_());
    out += "\",\"level\":\"";
    out += name(level);
    out += "\",\"kind\":\"message\",\"message\":";
    line::append_quoted(out, message, longest_message);
    out += "}\n";
  } else {
    line::append_paint(out, style, line::Paint::grey);
    line::append_clock(out, clock_());
    line::append_paint(out, style, line::paint(level));
    out += ' ';
    out += name(level);
    line::append_paint(out, style, line::Paint::off);
    out += ' ';
    line::append_plain(out, message, longest_message);
    out += '\n';
  }
  writer_.append(out);
}

}  // namespace sluice
