// The tokens of an encoding, as which two tokens become which one. A constant of the binary that lies where it is
// linked: nothing is read before somebody counts. Made by web/tokens.mjs; what a token's bytes are is not in it.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace sluice {

using Token = std::uint32_t;
inline constexpr Token no_token = ~Token(0);

struct Vocabulary {
  std::span<const std::uint32_t> bytes;  // the token of each single byte
  std::span<const std::uint64_t> cells;  // left, right, merged: 18 bits each; all ones: empty
  std::span<const std::uint16_t> seeds;

  // The one that both become; no_token: they stay two. Of several pairs the one with the lowest is merged first.
  [[nodiscard]] Token merged(Token left, Token right) const {
    const std::uint32_t seed = seeds[range(mix(left * 0x9e3779b1U + right), seeds.size())];
    const std::uint64_t cell = cells[range(mix(mix(left + seed * 0x9e3779b1U) ^ right), cells.size())];
    const std::uint64_t pair = std::uint64_t(left) << 18U | right;
    return cell >> 18U == pair ? static_cast<Token>(cell & 0x3ffffU) : no_token;
  }

 private:
  static std::uint32_t mix(std::uint32_t x) {
    x = (x ^ x >> 16U) * 0x85ebca6bU;
    x = (x ^ x >> 13U) * 0xc2b2ae35U;
    return x ^ x >> 16U;
  }
  static std::size_t range(std::uint32_t hash, std::size_t size) { return std::uint64_t(hash) * size >> 32U; }
};

// By Encoding.
extern const std::array<Vocabulary, 2> vocabularies;

}  // namespace sluice
