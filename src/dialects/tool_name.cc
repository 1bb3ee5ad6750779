// SPDX-License-Identifier: MIT
#include "dialects/tool_name.h"

#include "dialects/tool_id.h"

namespace sluice {

bool portable_tool_name(std::string_view name) {
  return portable_tool_id(name) && name[0] != '-' && (name[0] < '0' || name[0] > '9');
}

std::string to_portable_tool_name(std::string_view name) {
  if (portable_tool_name(name)) return std::string(name);
  // A vendor that is told of a tool by its first character wants a letter or an underscore there.
  std::string out(!name.empty() && (name[0] == '-' || (name[0] >= '0' && name[0] <= '9')) ? "_" : "");
  out += name.substr(0, 54);
  for (char& c : out) {
    if (!portable_tool_id(std::string_view(&c, 1))) c = '_';
  }
  return out + '_' + hash_text(name, 8);
}

}  // namespace sluice
