// SPDX-License-Identifier: MIT
#include "dialects/call_input.h"

#include "base/json.h"

namespace sluice {

std::string call_input(const ToolCall& call, bool& wrapped) {
  wrapped = true;
  if (call.kind == ToolKind::custom) return "{\"input\":" + json::quote(call.arguments) + '}';
  const auto first = call.arguments.find_first_not_of(" \t\r\n");
  wrapped = false;
  if (first == std::string::npos) return "{}";
  const bool valid = json::valid(call.arguments);
  if (valid && call.arguments[first] == '{') return call.arguments;
  wrapped = true;
  return "{\"input\":" + (valid ? call.arguments : json::quote(call.arguments)) + '}';
}

}  // namespace sluice
