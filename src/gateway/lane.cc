// SPDX-License-Identifier: MIT
#include "gateway/lane.h"

#include <algorithm>
#include <cstring>

namespace sluice {

bool has_lanes(DialectId dialect) {
  return dialect == DialectId::openai_chat || dialect == DialectId::openai_responses || dialect == DialectId::anthropic;
}

std::string_view lane_told(std::string_view json, std::size_t most) {
  constexpr std::string_view name = "\"service_tier\"", blanks = " \t\r\n";
  constexpr std::size_t longest = 32;
  json.remove_prefix(json.size() - std::min(json.size(), most));
  // In a text its quotes would have backslashes. The last one counts.
  const char* found = nullptr;
  for (std::string_view rest = json;;) {
    const auto* const next = static_cast<const char*>(::memmem(rest.data(), rest.size(), name.data(), name.size()));
    if (next == nullptr) break;
    found = next + name.size();
    rest.remove_prefix(static_cast<std::size_t>(found - rest.data()));
  }
  if (found == nullptr) return {};
  json.remove_prefix(static_cast<std::size_t>(found - json.data()));
  for (const char wanted : {':', '"'}) {
    json.remove_prefix(std::min(json.find_first_not_of(blanks), json.size()));
    if (!json.starts_with(wanted)) return {};
    json.remove_prefix(1);
  }
  const auto end = json.find('"');
  return end > longest ? std::string_view() : json.substr(0, end);  // npos is, too
}

}  // namespace sluice
