// How vendors tell of their limits in the fields of an answer. Two spellings are in use: OpenAI's, which most others
// have taken over, and Anthropic's. The numbers mean the same; the names and the form of a time do not.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct LimitSpelling {
  std::string_view prefix;
  bool part_last = false;      // "requests-limit" instead of "limit-requests"
  bool reset_is_time = false;  // RFC 3339 instead of Go's duration

  // The field of a reset that is so far off.
  [[nodiscard]] std::string reset(std::chrono::milliseconds until, std::int64_t now_unix_ms) const;
};
inline constexpr LimitSpelling openai_limits{.prefix = "x-ratelimit-"};
inline constexpr LimitSpelling anthropic_limits{
    .prefix = "anthropic-ratelimit-", .part_last = true, .reset_is_time = true};

enum class LimitOf : std::uint8_t { requests, tokens };
enum class LimitPart : std::uint8_t { limit, remaining, reset };

struct LimitName {
  LimitOf of;
  LimitPart part;
  [[nodiscard]] std::string in(const LimitSpelling& spelling) const;
};

// Whose spelling a field's name is, by its beginning; null when it tells of no limit.
[[nodiscard]] const LimitSpelling* spelling_of(std::string_view field);
// What a field of that spelling tells; nullopt for what only its vendor knows.
[[nodiscard]] std::optional<LimitName> read_limit_name(std::string_view field, const LimitSpelling& spelling);
// A value as the other spelling has it; nullopt when it cannot be understood.
[[nodiscard]] std::optional<std::string> retell_limit(std::string_view value, LimitPart part, const LimitSpelling& from,
                                                      const LimitSpelling& to, std::int64_t now_unix_ms);

}  // namespace sluice
