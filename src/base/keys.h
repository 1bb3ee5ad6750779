// A fixed set of names, found without a comparison with each: their length and three of their characters say which one
// it could be. The table is made, and proven to be without collisions, by the compiler. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

template <std::size_t count>
class KeySet {
 public:
  // Names that are not empty and differ in length or in their first, middle or last character; others do not compile.
  consteval explicit KeySet(const std::array<std::string_view, count>& names) : names_(names) {
    for (std::uint32_t salt = 1; salt < 4096; ++salt) {
      if (fits(salt)) return;
    }
    throw "no table for these names: make it larger";  // NOLINT(hicpp-exception-baseclass): never thrown at run time
  }

  // The place of `name` among them; `count` when it is none of them.
  [[nodiscard]] constexpr std::size_t find(std::string_view name) const {
    if (name.empty()) return count;
    const std::size_t at = slots_[slot(name, salt_)];
    return at < count && names_[at] == name ? at : count;
  }

 private:
  static constexpr std::size_t size = std::bit_ceil(count * 4);
  static_assert(count > 0 && count < 255);

  static constexpr std::size_t slot(std::string_view name, std::uint32_t salt) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(name[i])); };
    const std::uint32_t mixed = (static_cast<std::uint32_t>(name.size()) << 24) ^ (at(0) << 16) ^
                                (at(name.size() / 2) << 8) ^ at(name.size() - 1);
    return (mixed * (salt * 2654435761U | 1U)) >> (32 - std::bit_width(size - 1));
  }

  consteval bool fits(std::uint32_t salt) {
    for (auto& one : slots_) one = static_cast<std::uint8_t>(count);
    salt_ = salt;
    for (std::size_t i = 0; i < count; ++i) {
      auto& place = slots_[slot(names_[i], salt)];
      if (place != count) return false;
      place = static_cast<std::uint8_t>(i);
    }
    return true;
  }

  std::array<std::string_view, count> names_;
  std::array<std::uint8_t, size> slots_{};
  std::uint32_t salt_ = 0;
};

}  // namespace sluice
