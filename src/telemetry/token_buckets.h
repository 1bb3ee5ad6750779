// The disjoint kinds of tokens by the names that logs and metrics give them. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/reply.h"

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

}  // namespace sluice
