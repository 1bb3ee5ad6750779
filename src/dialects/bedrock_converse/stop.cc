// SPDX-License-Identifier: MIT
#include "dialects/bedrock_converse/stop.h"

#include <algorithm>
#include <array>
#include <string>

namespace sluice::bedrock_converse {
namespace {

struct Row {
  std::string_view word;
  StopKind kind;
};
constexpr std::array rows = std::to_array<Row>({
    {"end_turn", StopKind::end},
    {"tool_use", StopKind::tool_calls},
    {"max_tokens", StopKind::length},
    {"stop_sequence", StopKind::stop_sequence},
    {"content_filtered", StopKind::content_filter},
    {"guardrail_intervened", StopKind::content_filter},
    {"malformed_tool_use", StopKind::malformed_tool},
    {"malformed_model_output", StopKind::error},
    {"model_context_window_exceeded", StopKind::context_full},
    // Of Claude; no word of the vendor's own list.
    {"refusal", StopKind::refusal},
    {"pause_turn", StopKind::pause},
});

}  // namespace

Stop read_stop(std::string_view reason) {
  Stop out{.raw = std::string(reason), .origin = DialectId::bedrock_converse};
  const auto row = std::ranges::find(rows, reason, &Row::word);
  if (row != rows.end()) out.kind = row->kind;
  return out;
}

std::string_view write_stop(const Stop& stop, bool calls) {
  if (stop.origin == DialectId::bedrock_converse && !stop.raw.empty()) return stop.raw;
  switch (stop.kind) {
    case StopKind::unknown:
    case StopKind::end:
    case StopKind::refusal:
    case StopKind::pause: return calls ? "tool_use" : "end_turn";
    case StopKind::stop_sequence:
    case StopKind::tool_calls:
    case StopKind::length:
    case StopKind::context_full:
    case StopKind::content_filter:
    case StopKind::malformed_tool:
    case StopKind::error: break;
  }
  return std::ranges::find(rows, stop.kind, &Row::kind)->word;
}

bool has_word(StopKind kind) {
  return kind != StopKind::refusal && kind != StopKind::pause;
}

}  // namespace sluice::bedrock_converse
