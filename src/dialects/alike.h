// Chunks of a stream that equal the one before but for the insides of a string or two: most of any answer. What was
// found out about the first of them holds for the others, so that they need no reading. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

class Alike {
 public:
  static constexpr std::size_t max_holes = 2;

  // Keeps `chunk` (JSON) as what later ones are compared with. `holes`: offsets of the insides of strings, rising, one
  // or two. With any other number, or a hole that is no string, nothing is kept.
  void learn(std::string_view chunk, std::span<const std::size_t> holes);

  // The first hole's inside when `chunk` equals the kept one outside its holes.
  [[nodiscard]] std::optional<std::string_view> match(std::string_view chunk) const;

 private:
  std::string fixed_;                               // the kept chunk without its holes
  std::array<std::size_t, max_holes> pieces_ = {};  // size of the piece in front of each hole
  std::size_t holes_ = 0;
};

}  // namespace sluice
