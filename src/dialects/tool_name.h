// Names of tools: what every dialect takes is [A-Za-z0-9_-]{1,64}. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace sluice {

[[nodiscard]] bool portable_tool_name(std::string_view name);
// `name` unchanged when portable; else its illegal characters become '_' and a hash of the name is put behind it, so
// that two names never fall together. The same name always gives the same result: who knows the declared names finds
// back.
[[nodiscard]] std::string to_portable_tool_name(std::string_view name);

}  // namespace sluice
