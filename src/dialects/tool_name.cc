// SPDX-License-Identifier: MIT
#include "dialects/tool_name.h"

#include "dialects/tool_id.h"

namespace sluice {

bool portable_tool_name(std::string_view name) {
  return portable_tool_id(name);
}

std::string to_portable_tool_name(std::string_view name) {
  if (portable_tool_name(name)) return std::string(name);
  std::string out(name.substr(0, 54));
  for (char& c : out) {
    if (!portable_tool_id(std::string_view(&c, 1))) c = '_';
  }
  return out + '_' + hash_text(name, 8);
}

}  // namespace sluice
