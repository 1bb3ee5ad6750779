// Writing JSON in the order of the calls. SPDX-License-Identifier: MIT
#include <emmintrin.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/json.h"

namespace sluice::json {
namespace {

// Length of the run at the front that needs no escape.
std::size_t clean_run(const char* p, const char* end) {
  const char* const start = p;
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                                      _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
    if (const int mask = _mm_movemask_epi8(stop); mask != 0) {
      return static_cast<std::size_t>(p - start) + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
    }
    p += 16;
  }
  while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) > 0x1f) ++p;
  return static_cast<std::size_t>(p - start);
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

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  if (short_and_plain(text)) {
    const std::size_t before = out.size(), after = before + text.size() + 2;
    out.resize_and_overwrite(after, [&](char* p, std::size_t) {  // it may be told of more room than was asked for
      p[before] = p[after - 1] = '"';
      text.copy(p + before + 1, text.size());
      return after;
    });
    return;
  }
  std::string fixed;
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    fixed = repaired(text);
    text = fixed;
  }
  out += '"';
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const std::size_t run = clean_run(p, end);
    out.append(p, run);
    p += run;
    if (p == end) break;
    switch (const char c = *p++) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: {
        constexpr std::string_view hex = "0123456789abcdef";
        out += "\\u00";
        out += hex[static_cast<unsigned char>(c) >> 4];
        out += hex[static_cast<unsigned char>(c) & 15];
      }
    }
  }
  out += '"';
}

std::string quoted(std::string_view text) {
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
Writer& Writer::key(std::string_view name) {
  separate();
  append_quoted(out_, name);
  out_ += ':';
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
