// Names of tools as this vendor takes them. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace sluice::gemini {

// `name` where it is [A-Za-z_][A-Za-z0-9_.:-]{0,127}, else the portable one (dialects/tool_name.h), which is undone in
// answers.
[[nodiscard]] std::string taken_tool_name(std::string_view name);

}  // namespace sluice::gemini
