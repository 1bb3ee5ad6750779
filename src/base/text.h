// Small functions over text that every room needs. SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
[[nodiscard]] std::string lower(std::string_view text);
namespace text_detail {
[[nodiscard]] bool same_but_for_case(const char* a, const char* b, std::size_t size);
}
// ASCII case does not matter.
[[nodiscard]] inline bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && text_detail::same_but_for_case(a.data(), b.data(), a.size());
}
[[nodiscard]] inline bool istarts_with(std::string_view text, std::string_view prefix) {
  return iequals(text.substr(0, prefix.size()), prefix);
}
// Without spaces and tabs at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);
// True if `needle`, which is not empty, stands in `text`: for texts too long for std::string_view::find.
[[nodiscard]] bool contains(std::string_view text, std::string_view needle);
// 64 bits that tell texts apart, eight bytes at a time: for long ones. No secret, and no defence against who wants two
// texts to be alike. Stable for ever, on every machine.
[[nodiscard]] std::uint64_t fingerprint(std::string_view text);
// True if `list` ("a, b;q=1") holds the token, ASCII case aside.
[[nodiscard]] bool list_has(std::string_view list, std::string_view token);

// Up to three of `candidates` that are nearest to `name`, best first; none when nothing is near.
[[nodiscard]] std::vector<std::string_view> closest(std::string_view name,
                                                    std::span<const std::string_view> candidates);

// '*' stands for any run of characters; everything else for itself.
[[nodiscard]] bool wildcard_match(std::string_view pattern, std::string_view text);

// At most `max` bytes, everything outside visible ASCII and space replaced by '?'.
[[nodiscard]] std::string visible_ascii(std::string_view text, std::size_t max);

// "250ms", "3s", "10m", "1h30m", "0s". A bare number is refused.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "64KiB", "32MiB", "1GB", "512" (bytes).
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
// Go's spelling, as x-ratelimit-reset-* have it: "120ms", "1s", "6m0s".
[[nodiscard]] std::string go_duration(std::chrono::milliseconds time);
// "2026-11-24T16:18:58.123Z"
[[nodiscard]] std::string rfc3339(std::int64_t unix_ms);
// The same and every other form that RFC 3339 has, from 1970 on: offsets, fractions of any length.
[[nodiscard]] std::optional<std::int64_t> parse_rfc3339(std::string_view text);
// "Tue, 24 Nov 2026 16:18:58 GMT" <-> Unix seconds.
[[nodiscard]] std::string http_date(std::int64_t unix_seconds);
[[nodiscard]] std::optional<std::int64_t> parse_http_date(std::string_view text);

// Standard alphabet with padding, and the URL one without. Decoding is strict; nullopt for anything else.
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);
[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

// "%41" -> "A". nullopt for broken escapes and for any control character, escaped or not.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

}  // namespace sluice
