// SPDX-License-Identifier: MIT
#include "dialects/anthropic/stop.h"

#include <algorithm>
#include <array>

namespace sluice::anthropic {
namespace {

struct Row {
  std::string_view word;
  StopKind kind;
};
constexpr std::array rows = std::to_array<Row>({
    {"end_turn", StopKind::end},
    {"max_tokens", StopKind::length},
    {"stop_sequence", StopKind::stop_sequence},
    {"tool_use", StopKind::tool_calls},
    {"pause_turn", StopKind::pause},
    {"refusal", StopKind::refusal},
    {"model_context_window_exceeded", StopKind::context_full},
});

std::string_view word_of(const Stop& stop, bool calls) {
  if (stop.origin == DialectId::anthropic && !stop.raw.empty()) return stop.raw;
  switch (stop.kind) {
    case StopKind::content_filter: return "refusal";
    case StopKind::unknown:
    case StopKind::end:
    case StopKind::malformed_tool:
    case StopKind::error: return calls ? "tool_use" : "end_turn";
    case StopKind::stop_sequence:
    case StopKind::tool_calls:
    case StopKind::length:
    case StopKind::context_full:
    case StopKind::refusal:
    case StopKind::pause: break;
  }
  return std::ranges::find(rows, stop.kind, &Row::kind)->word;
}

}  // namespace

Stop read_stop(json::Value holder) {
  Stop out{.origin = DialectId::anthropic};
  const auto [reason, sequence, detail] = holder.pick("stop_reason", "stop_sequence", "stop_details");
  out.raw = reason.text();
  out.sequence = sequence.text();
  if (detail.is_object()) out.detail = std::string(detail.raw());
  const auto row = std::ranges::find(rows, std::string_view(out.raw), &Row::word);
  if (row != rows.end()) out.kind = row->kind;
  return out;
}

void write_stop(json::Writer& out, const Stop& stop, bool calls) {
  const bool own = stop.origin == DialectId::anthropic;
  if (own && stop.raw.empty() && stop.kind == StopKind::unknown) {
    out.key("stop_reason").null();
  } else {
    out.member("stop_reason", word_of(stop, calls));
  }
  if (stop.sequence.empty()) {
    out.key("stop_sequence").null();
  } else {
    out.member("stop_sequence", stop.sequence);
  }
  if (own && !stop.detail.empty()) {
    out.member_raw("stop_details", stop.detail);
  } else {
    out.key("stop_details").null();
  }
}

}  // namespace sluice::anthropic
