// data: URLs (RFC 2397), the way chat dialects carry inline media. SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct DataUrl {
  std::string_view mime;    // "image/png", parameters left out; empty when not said
  std::string_view base64;  // as it stands
};

// Views into `url`; nullopt when it is no data URL in base64.
[[nodiscard]] std::optional<DataUrl> read_data_url(std::string_view url);
// "data:image/png;base64,…"; without a mime "application/octet-stream" stands there.
[[nodiscard]] std::string write_data_url(std::string_view mime, std::string_view base64);

}  // namespace sluice
