// The few forms of address a configuration may hold. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice {

struct Url {
  std::string scheme;  // lower case
  std::string user, password;
  std::string host;        // lower case; IPv6 without brackets
  std::uint16_t port = 0;  // the scheme's own when not said
  std::string path;        // "" or "/…", without a trailing slash
};

// Reads an absolute address of http, https, socks5 or socks5h. Errors (bad_request): a sentence that names what is
// wrong; queries and fragments are refused.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace sluice
