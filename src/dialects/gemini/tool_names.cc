// SPDX-License-Identifier: MIT
#include "dialects/gemini/tool_names.h"

#include <algorithm>

#include "dialects/tool_name.h"

namespace sluice::gemini {

std::string taken_tool_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const bool taken = !name.empty() && name.size() <= 128 && letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-';
  });
  return taken ? std::string(name) : to_portable_tool_name(name);
}

}  // namespace sluice::gemini
