// Writing JSON in the order of the calls. SPDX-License-Identifier: MIT
#include <emmintrin.h>
#include <simdjson.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/json.h"
#include "base/json_long.h"

namespace sluice::json {
namespace {

// All ones in each of the 16 bytes that must be escaped.
__m128i escapes(__m128i bytes) {
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
  return _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                      _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
}
__m128i load16(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// The second character of an escape of two; 0 where it is longer.
constexpr std::array<char, 128> make_escapes() {
  std::array<char, 128> out{};
  out['"'] = '"';
  out['\\'] = '\\';
  out['\n'] = 'n';
  out['\r'] = 'r';
  out['\t'] = 't';
  return out;
}
constexpr std::array<char, 128> escapes_of_two = make_escapes();

char* write_escape(char* to, char c) {
  *to++ = '\\';
  if (const char second = escapes_of_two[static_cast<unsigned char>(c)]; second != 0) {
    *to++ = second;
    return to;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  for (const char digit : {'u', '0', '0', hex[static_cast<unsigned char>(c) >> 4], hex[c & 15]}) *to++ = digit;
  return to;
}

// Writes `text` with its escapes; `to` has room for all of it. The end of what was written.
char* write_escaped(char* to, std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (end - p >= 16) {
    const __m128i bytes = load16(p);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);  // what is stored too much is written over
    const auto marked = static_cast<unsigned>(_mm_movemask_epi8(escapes(bytes)));
    if (marked == 0) {
      p += 16;
      to += 16;
      continue;
    }
    const int run = std::countr_zero(marked);
    p += run;
    to = write_escape(to + run, *p++);
  }
  for (; p < end; ++p) {
    if (is_escaped(*p)) {
      to = write_escape(to, *p);
    } else {
      *to++ = *p;
    }
  }
  return to;
}

// True when every byte is ASCII that needs no escape: most names and numbers in texts. Long texts stop at 64 bytes.
bool short_and_plain(std::string_view text) {
  if (text.size() > 64) return false;
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
  // Signed: bytes from 0x80 on are below the controls too.
  const auto stops = [&](__m128i bytes) {
    const __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash));
    return _mm_movemask_epi8(_mm_or_si128(stop, _mm_cmpgt_epi8(_mm_set1_epi8(0x20), bytes)));
  };
  const char* const p = text.data();
  const std::size_t size = text.size();
  if (size >= 16) {
    for (std::size_t at = 0; at + 16 <= size; at += 16) {
      if (stops(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at))) != 0) return false;
    }
    return stops(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + size - 16))) == 0;
  }
  alignas(16) char padded[16];
  std::memset(padded, ' ', sizeof padded);
  text.copy(padded, size);
  return stops(_mm_load_si128(reinterpret_cast<const __m128i*>(padded))) == 0;
}

// Length of the valid UTF-8 sequence at the front, 0 when it is invalid.
std::size_t sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = byte(0);
  const std::size_t size = lead < 0x80                   ? 1
                           : lead >= 0xc2 && lead < 0xe0 ? 2
                           : lead >= 0xe0 && lead < 0xf0 ? 3
                           : lead >= 0xf0 && lead < 0xf5 ? 4
                                                         : 0;
  return size != 0 && size <= text.size() && simdjson::validate_utf8(text.data(), size) ? size : 0;
}

std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = sequence(text);
    if (size == 0) {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, size);
      text.remove_prefix(size);
    }
  }
  return out;
}

// A text that needs no escapes, between quotes; as a member's name, a colon goes with it.
void append_plain(std::string& out, std::string_view text, bool colon = false) {
  const std::size_t before = out.size(), after = before + text.size() + (colon ? 3 : 2);
  out.resize_and_overwrite(after, [&](char* p, std::size_t) {  // it may be told of more room than was asked for
    p[before] = '"';
    text.copy(p + before + 1, text.size());
    p[before + 1 + text.size()] = '"';
    if (colon) p[after - 1] = ':';
    return after;
  });
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  if (short_and_plain(text)) return append_plain(out, text);
  std::string fixed;
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    fixed = repaired(text);
    text = fixed;
  }
  const std::size_t escaped = count_escapes(text);
  if (escaped == 0) return append_plain(out, text);
  const std::size_t before = out.size(), most = text.size() + 5 * escaped + 2;
  out.resize_and_overwrite(before + most, [&](char* p, std::size_t) {
    p[before] = '"';
    char* const after = write_escaped(p + before + 1, text);
    *after = '"';
    return static_cast<std::size_t>(after + 1 - p);
  });
}

std::string quote(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

void Writer::separate() {
  if (need_comma_) out_ += ',';
}
Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
  return *this;
}
Writer& Writer::end_object() {
  out_ += '}';
  need_comma_ = true;
  return *this;
}
Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
  return *this;
}
Writer& Writer::end_array() {
  out_ += ']';
  need_comma_ = true;
  return *this;
}
Writer& Writer::key(const Name& name) {
  separate();
  if (name.plain()) {
    append_plain(out_, name.text(), true);
  } else {
    append_quoted(out_, name.text());
    out_ += ':';
  }
  need_comma_ = false;
  return *this;
}
Writer& Writer::string(std::string_view text) {
  separate();
  append_quoted(out_, text);
  need_comma_ = true;
  return *this;
}
Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  need_comma_ = true;
  return *this;
}
Writer& Writer::integer(std::int64_t value) {
  char digits[24];
  return raw({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits)});
}
Writer& Writer::number(double value) {
  if (!std::isfinite(value)) return null();
  char digits[40];
  return raw({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits)});
}
Writer& Writer::boolean(bool value) {
  return raw(value ? "true" : "false");
}
Writer& Writer::null() {
  return raw("null");
}

}  // namespace sluice::json
