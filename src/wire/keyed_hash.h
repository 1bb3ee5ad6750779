// HMAC-SHA256 with one key over many short texts: the work on the key itself is done once. For finding what callers
// show by a hash that nobody can make who does not hold the key. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "wire/sha256.h"

namespace sluice {

class KeyedHash {
 public:
  explicit KeyedHash(std::string_view key);
  // As hmac_sha256(key, text).
  [[nodiscard]] Sha256 operator()(std::string_view text) const;

 private:
  // SHA-256 after one block of the key: for the inside and for the outside of HMAC.
  using State = std::array<std::byte, 112>;
  alignas(8) State inner_{};
  alignas(8) State outer_{};
};

}  // namespace sluice
