// The one strict scanner under json.cc: skips over JSON tokens of a text whose UTF-8 is already known to be valid.
// SPDX-License-Identifier: MIT
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::json {

struct Scan {
  std::string_view text;
  std::size_t at = 0;
  const char* fault = nullptr;  // what was wrong at `at`

  [[nodiscard]] bool done() const { return at >= text.size(); }
  [[nodiscard]] char peek() const { return at < text.size() ? text[at] : '\0'; }

  void space() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) ++at;
  }

  bool broken(const char* what) {
    fault = what;
    return false;
  }

  // At an opening quote: moves behind the closing one. `escaped` tells whether a backslash stood inside.
  bool string(bool& escaped) {
    escaped = false;
    ++at;
    for (;;) {
      plain_run();
      if (done()) return broken("a string without its closing quote");
      const char c = text[at];
      if (c == '"') {
        ++at;
        return true;
      }
      if (c != '\\') return broken("a control character inside a string");
      escaped = true;
      if (!escape()) return false;
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
  bool digits() {
    const std::size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at > start;
  }

  // Moves to the next quote, backslash or control character: 16 bytes at a time.
  void plain_run() {
    const char* p = text.data() + at;
    const char* const end = text.data() + text.size();
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                                        _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
      if (const int mask = _mm_movemask_epi8(stop); mask != 0) {
        at = static_cast<std::size_t>(p - text.data()) +
             static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
        return;
      }
      p += 16;
    }
    while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) > 0x1f) ++p;
    at = static_cast<std::size_t>(p - text.data());
  }

  bool escape() {
    ++at;
    switch (peek()) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't': ++at; return true;
      case 'u': {
        ++at;
        for (int i = 0; i < 4; ++i, ++at) {
          const char c = peek();
          const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
          if (!hex) return broken("a \\u escape without four hex digits");
        }
        return true;
      }
      default: return broken("an unknown escape");
    }
  }
};

}  // namespace sluice::json
