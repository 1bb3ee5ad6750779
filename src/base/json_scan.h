// The one strict scanner under json.cc: skips over JSON tokens of a text whose UTF-8 is already known to be valid.
// SPDX-License-Identifier: MIT
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_long.h"

namespace sluice::json {

struct Scan {
  std::string_view text;
  std::size_t at = 0;
  const char* fault = nullptr;  // what was wrong at `at`

  [[nodiscard]] bool done() const { return at >= text.size(); }
  [[nodiscard]] char peek() const { return at < text.size() ? text.data()[at] : '\0'; }

  void space() {
    for (char c = peek(); c == ' ' || c == '\n' || c == '\r' || c == '\t'; c = peek()) ++at;
  }

  bool broken(const char* what) {
    fault = what;
    return false;
  }

  // At an opening quote: moves behind the closing one. `escaped` tells whether a backslash stood inside.
  bool string(bool& escaped) {
    const char* const end = text.data() + text.size();
    escaped = false;
    for (const char* p = text.data() + at + 1;;) {
      if (end - p > long_text) {
        p = plain_run(p, p + short_text);
        if (*p != '"' && (*p != '\\' || p[1] != 'u')) p = over_text(p, end, escaped);
      }
      p = plain_run(p, end);
      if (p < end && *p == '\\') {
        escaped = true;
        if (p + 1 < end && is_short_escape(p[1])) {
          p += 2;
          continue;
        }
        at = static_cast<std::size_t>(p - text.data());
        if (!unicode_escape()) return false;
        p = text.data() + at;
        continue;
      }
      at = static_cast<std::size_t>(p - text.data());
      if (p == end) return broken("a string without its closing quote");
      if (*p != '"') return broken("a control character inside a string");
      ++at;
      return true;
    }
  }

  // At a digit or '-': moves behind the number.
  bool number() {
    if (peek() == '-') ++at;
    if (peek() == '0') {
      ++at;
    } else if (!digits()) {
      return broken("a number without digits");
    }
    if (peek() == '.') {
      ++at;
      if (!digits()) return broken("a number without digits after its point");
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at;
      if (peek() == '+' || peek() == '-') ++at;
      if (!digits()) return broken("a number without digits in its exponent");
    }
    return true;
  }

  bool word(std::string_view expected) {
    if (text.substr(at, expected.size()) != expected) return broken("an unknown word");
    at += expected.size();
    return true;
  }

 private:
  static constexpr std::ptrdiff_t short_text = 32, long_text = 128;  // bytes: from there on a call pays

  bool digits() {
    const std::size_t start = at;
    while (static_cast<unsigned char>(peek() - '0') < 10) ++at;
    return at > start;
  }

  // The next quote, backslash or control character from p on: 16 bytes at a time.
  static const char* plain_run(const char* p, const char* const end) {
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    for (; end - p >= 16; p += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                                        _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
      if (const int mask = _mm_movemask_epi8(stop); mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
    }
    while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) > 0x1f) ++p;
    return p;
  }

  // At the backslash of an escape that is not a short one.
  bool unicode_escape() {
    ++at;
    if (peek() != 'u') return broken("an unknown escape");
    ++at;
    for (int i = 0; i < 4; ++i, ++at) {
      const char c = peek();
      const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!hex) return broken("a \\u escape without four hex digits");
    }
    return true;
  }
};

}  // namespace sluice::json
