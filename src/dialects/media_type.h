// What a file is, by its first bytes, for sources that do not say it. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace sluice {

// The type of a file in base64; empty when its beginning is none of the common ones.
[[nodiscard]] std::string_view media_type_of(std::string_view base64);

}  // namespace sluice
