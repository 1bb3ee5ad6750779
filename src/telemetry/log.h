// What the gateway says to its operator: messages by level, and how loud the log is as a whole. Changed live by a
// reload. Not here: the line per exchange (access_log.h), where lines go (log_writer.h). SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "telemetry/log_writer.h"

namespace sluice {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };
// "DEBUG", "INFO", "WARNING", "ERROR", "OFF".
[[nodiscard]] std::optional<LogLevel> log_level(std::string_view name);
[[nodiscard]] std::string_view name(LogLevel level);

enum class LogStyle : std::uint8_t { json, text, colour };

struct LogChoice {
  bool exchanges = true;  // a line per exchange
  LogLevel level = LogLevel::info;
  std::string format = "auto";  // auto, json, text; auto is text on a terminal, JSON elsewhere
  std::string file;             // empty = standard error
};

class Log {
 public:
  using Clock = std::int64_t (*)();  // Unix milliseconds

  // Both must outlive the Log.
  Log(LogWriter& writer, Clock clock);

  // Takes effect at once, for every thread. Error: the file cannot be opened; then nothing changes.
  [[nodiscard]] Result<void> apply(const LogChoice& choice);

  [[nodiscard]] bool says(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool exchanges() const { return exchanges_.load(std::memory_order_relaxed); }
  [[nodiscard]] LogStyle style() const { return style_.load(std::memory_order_relaxed); }
  [[nodiscard]] LogWriter& writer() { return writer_; }

  // log.say(LogLevel::warning, "{} took {} ms", name, ms). Text from outside is made harmless (one line, no controls).
  template <class... Args>
  void say(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (level != LogLevel::off && says(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void write(LogLevel level, std::string_view message);

  LogWriter& writer_;
  Clock clock_;
  std::atomic<LogLevel> level_ = LogLevel::info;
  std::atomic<bool> exchanges_ = true;
  std::atomic<LogStyle> style_;
};

}  // namespace sluice
