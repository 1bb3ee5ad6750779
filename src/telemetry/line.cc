// SPDX-License-Identifier: MIT
#include "telemetry/line.h"

#include <emmintrin.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/json.h"
#include "base/text.h"

namespace sluice::line {
namespace {

// Not more than `most` bytes, not inside a character.
std::string_view capped(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

// True when a JSON string holds these bytes as they are: ASCII without quotes, backslashes and controls. Looks at
// sixteen at a time, so up to fifteen bytes behind them must be readable.
bool plain(const char* bytes, std::size_t size) {
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
  unsigned odd = 0;
  for (std::size_t at = 0; at < size; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
    const __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash));
    // Signed: what is no ASCII is below the space too.
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(marks, _mm_cmplt_epi8(block, space))));
    odd |= size - at < 16 ? found & ((1U << (size - at)) - 1) : found;
  }
  return odd == 0;
}

}  // namespace

// Made once a second and patched in between.
std::string_view stamp(std::int64_t unix_ms) {
  unix_ms = std::max<std::int64_t>(unix_ms, 0);
  thread_local std::int64_t second = -1;
  thread_local std::string text;
  const std::int64_t now = unix_ms / 1000;
  if (now != second || text.empty()) {
    text = rfc3339(now * 1000);
    second = now;
  }
  const auto ms = static_cast<int>(unix_ms - now * 1000);
  char* digits = text.data() + text.size() - 4;
  digits[0] = static_cast<char>('0' + ms / 100);
  digits[1] = static_cast<char>('0' + ms / 10 % 10);
  digits[2] = static_cast<char>('0' + ms % 10);
  return text;
}

void append_time(std::string& out, std::int64_t unix_ms) {
  out += stamp(unix_ms);
}

void append_clock(std::string& out, std::int64_t unix_ms) {
  out += stamp(unix_ms).substr(11, 12);
}

void append_integer(std::string& out, std::int64_t value) {
  if (value >= 0 && value < 10) {
    out += static_cast<char>('0' + value);
    return;
  }
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + 20, [&](char* p, std::size_t size) {
    return static_cast<std::size_t>(std::to_chars(p + before, p + size, value).ptr - p);
  });
}

void append_ms(std::string& out, std::int64_t us) {
  const auto all = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
  const auto rest = static_cast<unsigned>(all % 1000);
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + 24, [&](char* p, std::size_t size) {
    char* at = std::to_chars(p + before, p + size, all / 1000).ptr;
    *at++ = '.';
    *at++ = static_cast<char>('0' + rest / 100);
    *at++ = static_cast<char>('0' + rest / 10 % 10);
    *at++ = static_cast<char>('0' + rest % 10);
    return static_cast<std::size_t>(at - p);
  });
}

void append_plain(std::string& out, std::string_view text, std::size_t most) {
  const std::size_t start = out.size();
  out += capped(text, most);
  for (std::size_t i = start; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    if (c < 0x20 || c == 0x7f) out[i] = '?';
    // U+0080 to U+009F are control characters too, and some terminals obey them.
    if (c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0) out[i] = out[i + 1] = '?';
    // A lone such byte is obeyed by terminals that do not read UTF-8.
    if (c >= 0x80 && c < 0xa0 && (i == start || static_cast<unsigned char>(out[i - 1]) < 0x80)) out[i] = '?';
  }
}

void append_quoted(std::string& out, std::string_view text, std::size_t most) {
  json::append_quoted(out, capped(text, most));
}

void quoted(Print& out, std::string_view text, std::size_t most) {
  text = capped(text, most);
  constexpr std::size_t block = 16;
  char* const to = out.room(text.size() + 2 + block);
  std::memcpy(to + 1, text.data(), text.size());
  if (!plain(to + 1, text.size())) {
    out.through([&](std::string& line) { json::append_quoted(line, text); });
    return;
  }
  to[0] = to[text.size() + 1] = '"';
  out.took(text.size() + 2);
}

void append_paint(std::string& out, LogStyle style, Paint paint) {
  if (style != LogStyle::colour) return;
  switch (paint) {
    case Paint::off: out += "\x1b[0m"; break;
    case Paint::red: out += "\x1b[31m"; break;
    case Paint::green: out += "\x1b[32m"; break;
    case Paint::yellow: out += "\x1b[33m"; break;
    case Paint::blue: out += "\x1b[34m"; break;
    case Paint::grey: out += "\x1b[90m"; break;
    case Paint::bold: out += "\x1b[1m"; break;
  }
}

Paint paint(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return Paint::grey;
    case LogLevel::info: return Paint::green;
    case LogLevel::warning: return Paint::yellow;
    case LogLevel::error: return Paint::red;
    case LogLevel::off: return Paint::off;
  }
  return Paint::off;
}

}  // namespace sluice::line
