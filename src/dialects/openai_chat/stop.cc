// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/stop.h"

namespace sluice::openai_chat {
namespace {

struct Word {
  std::string_view word;
  StopKind kind;
};
constexpr Word words[] = {
    {"stop", StopKind::end},
    {"length", StopKind::length},
    {"tool_calls", StopKind::tool_calls},
    {"function_call", StopKind::tool_calls},
    {"content_filter", StopKind::content_filter},
    // Vendors' own:
    {"eos", StopKind::end},
    {"eos_token", StopKind::end},
    {"end_turn", StopKind::end},
    {"stop_sequence", StopKind::stop_sequence},
    {"tool_use", StopKind::tool_calls},
    {"max_tokens", StopKind::length},
    {"model_length", StopKind::context_full},
    {"sensitive", StopKind::content_filter},
    {"refusal", StopKind::refusal},
    {"error", StopKind::error},
    {"network_error", StopKind::error},
    {"insufficient_system_resource", StopKind::error},
};

}  // namespace

Stop read_stop(std::string_view finish_reason, bool calls, bool refused) {
  Stop stop{.raw = std::string(finish_reason), .origin = DialectId::openai_chat};
  for (const Word& word : words) {
    if (word.word == finish_reason) stop.kind = word.kind;
  }
  const bool plain_end = stop.kind == StopKind::end || stop.kind == StopKind::unknown;
  if (plain_end && calls) {
    stop.kind = StopKind::tool_calls;
  } else if (plain_end && refused) {
    stop.kind = StopKind::refusal;
  }
  return stop;
}

std::string_view write_stop(const Stop& stop, bool calls, bool refused) {
  if (stop.origin == DialectId::openai_chat && (!stop.raw.empty() || stop.kind == StopKind::unknown)) return stop.raw;
  switch (stop.kind) {
    case StopKind::tool_calls: return "tool_calls";
    case StopKind::length:
    case StopKind::context_full: return "length";
    case StopKind::content_filter: return "content_filter";
    case StopKind::unknown:
    case StopKind::end:
    case StopKind::stop_sequence:
    case StopKind::pause:
    case StopKind::error: return calls ? "tool_calls" : "stop";
    case StopKind::refusal: return refused ? "stop" : "content_filter";
    case StopKind::malformed_tool: return "stop";
  }
  return "stop";
}

bool has_word(StopKind kind) {
  return kind != StopKind::pause && kind != StopKind::malformed_tool && kind != StopKind::error;
}

}  // namespace sluice::openai_chat
