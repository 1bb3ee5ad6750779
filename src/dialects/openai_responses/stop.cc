// SPDX-License-Identifier: MIT
#include "dialects/openai_responses/stop.h"

namespace sluice::openai_responses {
namespace {

constexpr DialectId self = DialectId::openai_responses;
constexpr Ending completed = {"completed", "null"};
constexpr Ending too_long = {"incomplete", R"({"reason":"max_output_tokens"})"};
constexpr Ending filtered = {"incomplete", R"({"reason":"content_filter"})"};

}  // namespace

Stop read_stop(json::Value status, json::Value detail, const Holds& holds) {
  Stop stop{.raw = status.text(), .origin = self};
  if (detail.is_object()) stop.detail = std::string(detail.raw());
  if (stop.raw == "incomplete") {
    stop.kind = detail["reason"].equals("content_filter") ? StopKind::content_filter : StopKind::length;
  } else if (stop.raw == "completed" || stop.raw == "complete") {
    stop.kind = holds.calls ? StopKind::tool_calls : holds.refusal ? StopKind::refusal : StopKind::end;
  }
  return stop;
}

Ending write_stop(const Stop& stop, const Holds& holds) {
  if (stop.origin == self && !stop.raw.empty()) {
    return {stop.raw, stop.detail.empty() ? std::string_view("null") : std::string_view(stop.detail)};
  }
  switch (stop.kind) {
    case StopKind::length:
    case StopKind::context_full:
    case StopKind::pause: return too_long;  // what helps is to go on
    case StopKind::content_filter:
    case StopKind::malformed_tool:  // what came is of no use
    case StopKind::error: return filtered;
    case StopKind::refusal: return holds.refusal ? completed : filtered;
    case StopKind::unknown:
    case StopKind::end:
    case StopKind::stop_sequence:
    case StopKind::tool_calls: return completed;
  }
  return completed;
}

}  // namespace sluice::openai_responses
