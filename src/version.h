// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace sluice {

inline constexpr std::string_view version = SLUICE_VERSION;

}  // namespace sluice
