// SHA-256: of bodies that are signed, and of keys that callers present. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace sluice {

using Sha256 = std::array<unsigned char, 32>;

[[nodiscard]] Sha256 sha256(std::string_view text);
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view text);
// In lower case.
[[nodiscard]] std::string hex(const Sha256& digest);
// Equal without telling by time where they differ.
[[nodiscard]] bool same(std::string_view a, std::string_view b);

[[nodiscard]] inline std::string_view bytes(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace sluice
