// The disjoint kinds of tokens, their kinds by medium, and what is no token, by the names that logs and metrics give
// them. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/record.h"

namespace sluice {

struct TokenBucket {
  std::string_view type;
  std::optional<std::int64_t> Usage::* tokens;
};
inline constexpr std::array<TokenBucket, 7> token_buckets = {{{"input", &Usage::input},
                                                              {"cache_read", &Usage::cache_read},
                                                              {"cache_write_5m", &Usage::cache_write_5m},
                                                              {"cache_write_1h", &Usage::cache_write_1h},
                                                              {"tool_input", &Usage::tool_input},
                                                              {"output", &Usage::output},
                                                              {"reasoning", &Usage::reasoning}}};
// Parts of the above, where they were told: of input and of output.
inline constexpr std::array<TokenBucket, 4> media_buckets = {{{"audio_input", &Usage::audio_input},
                                                              {"image_input", &Usage::image_input},
                                                              {"audio_output", &Usage::audio_output},
                                                              {"image_output", &Usage::image_output}}};

struct UnitBucket {
  std::string_view type;
  std::int64_t Units::* count;
  std::int64_t per;  // of the count make one
};
inline constexpr std::array<UnitBucket, 3> unit_buckets = {{{"search_units", &Units::search_units, 1},
                                                            {"audio_seconds", &Units::audio_ms, 1000},
                                                            {"images", &Units::images, 1}}};

}  // namespace sluice
