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

// Base64 of the URL's alphabet or without padding, as some clients write it, in the standard form that every vendor
// takes. What is no base64 stays as wrong as it was.
[[nodiscard]] std::string standard_base64(std::string_view text);

}  // namespace sluice
