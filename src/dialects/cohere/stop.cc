// SPDX-License-Identifier: MIT
#include "dialects/cohere/stop.h"

#include <algorithm>
#include <array>

namespace sluice::cohere {
namespace {

struct Row {
  std::string_view word;
  StopKind kind;
};
constexpr std::array rows = std::to_array<Row>({
    {"COMPLETE", StopKind::end},
    {"STOP_SEQUENCE", StopKind::stop_sequence},
    {"MAX_TOKENS", StopKind::length},
    {"TOOL_CALL", StopKind::tool_calls},
    {"ERROR", StopKind::error},
    {"TIMEOUT", StopKind::error},
});

}  // namespace

Stop read_stop(std::string_view finish_reason) {
  Stop out{.raw = std::string(finish_reason), .origin = DialectId::cohere};
  const auto row = std::ranges::find(rows, finish_reason, &Row::word);
  if (row != rows.end()) out.kind = row->kind;
  return out;
}

std::string_view write_stop(const Stop& stop, bool calls) {
  if (stop.origin == DialectId::cohere && !stop.raw.empty()) return stop.raw;
  switch (stop.kind) {
    case StopKind::stop_sequence: return "STOP_SEQUENCE";
    case StopKind::tool_calls: return "TOOL_CALL";
    case StopKind::length:
    case StopKind::context_full: return "MAX_TOKENS";
    case StopKind::error: return "ERROR";
    case StopKind::unknown:
    case StopKind::end:
    case StopKind::pause:
    case StopKind::malformed_tool: return calls ? "TOOL_CALL" : "COMPLETE";
    case StopKind::content_filter:
    case StopKind::refusal: break;
  }
  return "COMPLETE";
}

bool has_word(StopKind kind) {
  return kind != StopKind::pause && kind != StopKind::malformed_tool && kind != StopKind::content_filter &&
         kind != StopKind::refusal;
}

}  // namespace sluice::cohere
