// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "base/per_cpu.h"

namespace sluice {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t swap = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, swap}));
    }
  }
  return row.back();
}

// Takes a run of digits off the front; nullopt when there is none or it does not fit.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode64(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) {
      if (j <= n) {
        out += alphabet[group >> (18 - 6 * j) & 63];
      } else if (pad) {
        out += '=';
      }
    }
  }
  return out;
}

std::optional<std::string> decode64(std::string_view text, std::string_view alphabet, bool pad) {
  std::array<std::int8_t, 256> value{};
  value.fill(-1);
  for (std::size_t i = 0; i < 64; ++i) value[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  if (pad) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const int v = value[static_cast<unsigned char>(c)];
    if (v < 0) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(v);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(group >> bits & 0xff);
    }
  }
  if ((group & ((1U << bits) - 1)) != 0) return std::nullopt;
  return out;
}

// Days since 1970-01-01 of a civil date, and back (Howard Hinnant's formulas, "chrono-compatible low-level date
// algorithms").
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct Civil {
  std::chrono::year_month_day date;
  std::int64_t hour, minute, second;
  unsigned weekday;
};
Civil civil(std::int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds(unix_seconds)};
  const auto day = floor<days>(time);
  const auto rest = (time - day).count();
  return {year_month_day(day), rest / 3600, rest / 60 % 60, rest % 60, weekday(day).c_encoding()};
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool text_detail::same_but_for_case(const char* a, const char* b, std::size_t size) {
  return std::equal(a, a + size, b, [](char x, char y) { return x == y || lower(x) == lower(y); });
}

// Blocks of possible first letters against those of last ones; what is found is looked at.
SLUICE_PER_CPU bool contains(std::string_view text, std::string_view needle) {
  const std::size_t span = needle.size() - 1;
  if (text.size() < block_width + span) return text.find(needle) != std::string_view::npos;
  const std::size_t last = text.size() - block_width - span;  // the last block may say again what one before said
  for (std::size_t at = 0;; at = std::min(at + block_width, last)) {
    Block first;
    Block second;
    load(first, text.data() + at);
    load(second, text.data() + at + span);
    std::uint64_t pairs = where(first, static_cast<unsigned char>(needle.front())) &
                          where(second, static_cast<unsigned char>(needle.back()));
    for (; pairs != 0; pairs &= pairs - 1) {
      if (text.substr(at + static_cast<std::size_t>(std::countr_zero(pairs))).starts_with(needle)) return true;
    }
    if (at == last) return false;
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// MurmurHash64A (Austin Appleby, public domain), whose last bytes are one more word.
std::uint64_t fingerprint(std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t m = 0xc6a4a7935bd1e995ULL;
  const auto fold = [](std::uint64_t x) { return x ^ (x >> 47); };
  std::uint64_t h = text.size() * m;
  for (std::size_t at = 0; at < text.size(); at += 8) {
    std::uint64_t word = 0;
    if (const std::size_t left = text.size() - at; left < 8) {
      std::memcpy(&word, text.data() + at, left);
    } else {
      std::memcpy(&word, text.data() + at, 8);
    }
    h = (h ^ (fold(word * m) * m)) * m;
  }
  return fold(fold(h) * m);
}

bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view item = list.substr(0, comma);
    if (iequals(trim(item.substr(0, item.find(';'))), token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

std::vector<std::string_view> closest(std::string_view name, std::span<const std::string_view> candidates) {
  std::vector<std::pair<std::size_t, std::string_view>> near;
  if (name.size() > 256) return {};
  for (const std::string_view one : candidates) {
    if (one.size() > 256) continue;
    const std::size_t distance = edit_distance(name, one);
    const bool part = name.size() >= 3 && (one.find(name) != std::string_view::npos ||
                                           (one.size() >= 3 && name.find(one) != std::string_view::npos));
    if (distance <= std::max<std::size_t>(2, std::max(name.size(), one.size()) / 3) || part)
      near.emplace_back(distance, one);
  }
  std::ranges::stable_sort(near, {}, &std::pair<std::size_t, std::string_view>::first);
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < near.size() && i < 3; ++i) out.push_back(near[i].second);
  return out;
}

bool wildcard_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string visible_ascii(std::string_view text, std::size_t max) {
  std::string out(text.substr(0, max));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t ms;
  };
  static constexpr std::array<Unit, 5> units = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  constexpr std::uint64_t most = 1000ULL * 86'400'000;
  std::uint64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number || *number > most) return std::nullopt;
    const auto end = std::min(text.find_first_of("0123456789"), text.size());
    const auto unit = std::ranges::find(units, text.substr(0, end), &Unit::name);
    if (unit == units.end()) return std::nullopt;
    total += *number * unit->ms;
    if (total > most) return std::nullopt;
    text.remove_prefix(end);
  }
  return std::chrono::milliseconds(total);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  static constexpr std::array<Unit, 8> units = {{{"", 1},
                                                 {"b", 1},
                                                 {"kb", 1000},
                                                 {"mb", 1000'000},
                                                 {"gb", 1000'000'000},
                                                 {"kib", 1024},
                                                 {"mib", 1024 * 1024},
                                                 {"gib", 1024 * 1024 * 1024}}};
  const auto number = take_number(text);
  const auto unit = std::ranges::find(units, lower(trim(text)), &Unit::name);
  if (!number || unit == units.end() || *number > std::numeric_limits<std::int64_t>::max() / unit->bytes)
    return std::nullopt;
  return *number * unit->bytes;
}

std::string go_duration(std::chrono::milliseconds time) {
  const std::int64_t ms = std::max<std::int64_t>(0, time.count());
  if (ms < 1000) return ms == 0 ? "0s" : std::to_string(ms) + "ms";
  std::string out;
  const std::int64_t hours = ms / 3'600'000, minutes = ms / 60'000 % 60;
  if (hours > 0) out += fmt::format("{}h", hours);
  if (hours > 0 || minutes > 0) out += fmt::format("{}m", minutes);
  const std::int64_t seconds = ms / 1000 % 60, rest = ms % 1000;
  std::string fraction = rest == 0 ? "" : fmt::format(".{:03}", rest);
  while (fraction.ends_with('0')) fraction.pop_back();
  return out + fmt::format("{}{}s", seconds, fraction);
}

std::string rfc3339(std::int64_t unix_ms) {
  const std::int64_t seconds = unix_ms >= 0 ? unix_ms / 1000 : (unix_ms - 999) / 1000;
  const Civil t = civil(seconds);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(t.date.year()),
                     static_cast<unsigned>(t.date.month()), static_cast<unsigned>(t.date.day()), t.hour, t.minute,
                     t.second, unix_ms - seconds * 1000);
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size)) value = c >= '0' && c <= '9' && value >= 0 ? value * 10 + (c - '0') : -1;
    return value;
  };
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (text.size() <= form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '0' && lower(form[i]) != lower(text[i]) && !(form[i] == 'T' && text[i] == ' ')) return std::nullopt;
  }
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1970 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  std::int64_t ms = std::chrono::sys_days(date).time_since_epoch().count() * 86'400'000LL;
  ms += ((hour * 60LL + minute) * 60 + second) * 1000;
  text.remove_prefix(form.size());
  if (text.starts_with('.')) {
    const std::string_view digits = text.substr(1, std::min(text.find_first_not_of("0123456789", 1), text.size()) - 1);
    if (digits.empty()) return std::nullopt;
    int scale = 100;
    for (const char c : digits.substr(0, 3)) {
      ms += static_cast<std::int64_t>(c - '0') * scale;
      scale /= 10;
    }
    text.remove_prefix(1 + digits.size());
  }
  if (text == "Z" || text == "z") return ms;
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::string offset = {text[1], text[2], text[4], text[5]};
  if (!std::ranges::all_of(offset, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  const std::int64_t minutes = std::stoi(offset.substr(0, 2)) * 60LL + std::stoi(offset.substr(2));
  return text[0] == '+' ? ms - minutes * 60'000 : ms + minutes * 60'000;
}

std::string http_date(std::int64_t unix_seconds) {
  const Civil t = civil(unix_seconds);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[t.weekday],
                     static_cast<unsigned>(t.date.day()), months[static_cast<unsigned>(t.date.month()) - 1],
                     static_cast<int>(t.date.year()), t.hour, t.minute, t.second);
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  // Only the form that RFC 9110 section 5.6.7 lets senders generate.
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) -> int {
    int value = -1;
    const auto [end, code] = std::from_chars(text.data() + at, text.data() + at + size, value);
    return code == std::errc() && end == text.data() + at + size ? value : -1;
  };
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const int day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2),
            second = number(23, 2);
  if (month == months.end() || day < 1 || year < 1970 || hour < 0 || minute < 0 || second < 0 || hour > 23 ||
      minute > 59 || second > 60)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * 86400LL + hour * 3600 + minute * 60 + second;
}

std::string base64(std::string_view bytes) {
  return encode64(bytes, standard_alphabet, true);
}
std::optional<std::string> base64_decode(std::string_view text) {
  return decode64(text, standard_alphabet, true);
}
std::string base64url(std::string_view bytes) {
  return encode64(bytes, url_alphabet, false);
}
std::optional<std::string> base64url_decode(std::string_view text) {
  return decode64(text, url_alphabet, false);
}

std::optional<std::string> percent_decode(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = digit(text[i + 1]), low = digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out += c;
  }
  return out;
}

}  // namespace sluice
