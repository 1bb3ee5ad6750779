// The text that a string's inside stands for. SPDX-License-Identifier: MIT
#include <emmintrin.h>

#include <bit>
#include <charconv>
#include <cstdint>

#include "base/json.h"

namespace sluice::json {
namespace {

char* write_utf8(char* to, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
  return to;
}

std::uint32_t hex4(std::string_view digits) {
  std::uint32_t value = 0;
  std::from_chars(digits.data(), digits.data() + 4, value, 16);
  return value;
}

// Copies up to the next backslash, and moves `to`; how many bytes that was. There is room for all of `from`.
std::size_t copy_plain(char*& to, std::string_view from) {
  const char* p = from.data();
  const char* const end = p + from.size();
  const __m128i slash = _mm_set1_epi8('\\');
  for (; end - p >= 16; p += 16, to += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);  // what is stored too much is written over
    if (const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, slash))); mask != 0) {
      const int run = std::countr_zero(mask);
      to += run;
      return static_cast<std::size_t>(p + run - from.data());
    }
  }
  for (; p < end && *p != '\\'; ++p) *to++ = *p;
  return static_cast<std::size_t>(p - from.data());
}

}  // namespace

std::string unescape(std::string_view inside) {
  std::string out;
  // Never longer than its source: the shortest escape of a character is as long as the character.
  out.resize_and_overwrite(inside.size(), [inside](char* const begin, std::size_t) {
    char* to = begin;
    for (std::size_t at = 0; at < inside.size();) {
      at += copy_plain(to, inside.substr(at));
      if (at + 1 >= inside.size()) break;
      at += 2;
      switch (const char c = inside[at - 1]) {
        case 'b': *to++ = '\b'; break;
        case 'f': *to++ = '\f'; break;
        case 'n': *to++ = '\n'; break;
        case 'r': *to++ = '\r'; break;
        case 't': *to++ = '\t'; break;
        case 'u': {
          if (at + 4 > inside.size()) return static_cast<std::size_t>(to - begin);
          std::uint32_t point = hex4(inside.substr(at, 4));
          at += 4;
          if (point >= 0xd800 && point < 0xdc00 && at + 6 <= inside.size() && inside[at] == '\\' &&
              inside[at + 1] == 'u') {
            const std::uint32_t low = hex4(inside.substr(at + 2, 4));
            if (low >= 0xdc00 && low < 0xe000) {
              point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
              at += 6;
            }
          }
          to = write_utf8(to, point >= 0xd800 && point < 0xe000 ? 0xfffd : point);
          break;
        }
        default: *to++ = c;
      }
    }
    return static_cast<std::size_t>(to - begin);
  });
  return out;
}

}  // namespace sluice::json
