// Pages that are part of the binary. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace sluice {

struct Asset {
  std::string_view path, content_type, bytes;
  bool gzip = false;  // bytes are gzip-coded
  std::string_view etag;
};

// The page at that path, or null.
[[nodiscard]] const Asset* asset(std::string_view path);

}  // namespace sluice
