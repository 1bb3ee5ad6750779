// What the fields of one answer tell of its vendor's limits: how much there is, how much is left, until when. For
// whoever plans by it; how the fields are told on: limit_spelling.h. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dialects/limit_spelling.h"

namespace sluice {

struct LimitsTold {
  struct One {
    std::optional<std::int64_t> limit, remaining;
    std::optional<std::chrono::milliseconds> until_reset;
  };
  // Requests, tokens, and tokens of input and of output apart.
  enum Kind : std::uint8_t { requests, tokens, input_tokens, output_tokens };
  static constexpr std::size_t kind_count = 4;
  std::array<One, kind_count> kinds;
  bool any = false;

  // Takes one field of that spelling. What cannot be understood is not told.
  void take(std::string_view field, std::string_view value, const LimitSpelling& spelling, std::int64_t now_unix_ms);
};

// How far off a reset is, as that spelling has it; 0 when it is over, nullopt when it cannot be understood.
[[nodiscard]] std::optional<std::chrono::milliseconds> read_limit_reset(std::string_view value,
                                                                        const LimitSpelling& spelling,
                                                                        std::int64_t now_unix_ms);

}  // namespace sluice
