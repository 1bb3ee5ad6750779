// Files that the binary carries: the API reference and its OpenAPI document. Made from web/ by the build.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice {

struct Asset {
  std::string_view path;  // "/docs"
  std::string_view content_type;
  std::string_view bytes;
  bool gzip = false;      // `bytes` are gzip-compressed
  std::string_view etag;  // of the content in whatever coding, so a weak one
};

// All of them. Their memory is the program's own.
[[nodiscard]] std::span<const Asset> assets();
// By path, without query; null when there is none.
[[nodiscard]] const Asset* asset(std::string_view path);
// The content for a client that takes no gzip.
[[nodiscard]] std::string plain(const Asset& asset);

// For every asset: nothing but what this server serves, framed by nobody.
inline constexpr std::string_view asset_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace sluice
