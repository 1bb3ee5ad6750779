// One line per exchange, as JSON for programs or as text for people. Never a prompt, an answer or a key: a Record holds
// none. SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "ports/sink.h"
#include "telemetry/log.h"

namespace sluice {

// How loud an exchange is: INFO, WARNING when we or the upstream failed, ERROR when it was our bug.
[[nodiscard]] LogLevel level_of(const Record& record);

// Appends the line, line feed included. Fields are capped; what is empty or unknown is left out.
void append_exchange_json(std::string& out, const Record& record, LogLevel level);
void append_exchange_text(std::string& out, const Record& record, LogLevel level, LogStyle style);

class AccessLog final : public Sink {
 public:
  // `log` says whether, how and where to; it must outlive this.
  explicit AccessLog(Log& log) : log_(log) {}
  void take(const Record& record) override;

 private:
  Log& log_;
};

}  // namespace sluice
