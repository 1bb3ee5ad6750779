// SPDX-License-Identifier: MIT
#include "dialects/limit_spelling.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using Words = std::string_view;

constexpr std::array spellings = {&openai_limits, &anthropic_limits};
constexpr std::array counts = {Words("requests"), Words("tokens")};
constexpr std::array parts = {Words("limit"), Words("remaining"), Words("reset")};
constexpr double most_ms = 400.0 * 86'400'000;

// Go's spelling with every unit and with fractions ("6m0s", "2m59.56s"); a bare number is seconds, as some have it.
std::optional<milliseconds> read_duration(Words text) {
  struct Unit {
    Words name;
    double ms;
  };
  static constexpr std::array<Unit, 7> units = {
      {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}, {"us", 1e-3}, {"µs", 1e-3}, {"ns", 1e-6}}};
  std::string seconds;
  if (!text.empty() && text.find_first_not_of("0123456789.") == Words::npos) text = seconds = std::string(text) + 's';
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (read.ec != std::errc() || !(number >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    const Words name = text.substr(0, text.find_first_of("0123456789."));
    text.remove_prefix(name.size());
    const auto* unit = std::ranges::find(units, name, &Unit::name);
    if (unit == units.end()) return std::nullopt;
    total += number * unit->ms;
    if (!(total <= most_ms)) return std::nullopt;
  }
  return milliseconds(static_cast<std::int64_t>(total));
}

// RFC 3339 in milliseconds since 1970.
std::optional<std::int64_t> read_time(Words text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size)) value = c >= '0' && c <= '9' && value >= 0 ? value * 10 + (c - '0') : -1;
    return value;
  };
  constexpr Words form = "0000-00-00T00:00:00";
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
    const Words digits = text.substr(1, std::min(text.find_first_not_of("0123456789", 1), text.size()) - 1);
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

bool is_count(Words text) {
  return !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == Words::npos;
}

}  // namespace

std::string LimitSpelling::reset(milliseconds until, std::int64_t now_unix_ms) const {
  return reset_is_time ? rfc3339(now_unix_ms + until.count()) : go_duration(until);
}

std::string LimitName::in(const LimitSpelling& spelling) const {
  const Words count = counts[static_cast<std::size_t>(of)];
  const Words what = parts[static_cast<std::size_t>(part)];
  std::string out(spelling.prefix);
  out += spelling.part_last ? count : what;
  out += '-';
  out += spelling.part_last ? what : count;
  return out;
}

const LimitSpelling* spelling_of(Words field) {
  for (const LimitSpelling* one : spellings) {
    if (field.size() > one->prefix.size() && iequals(field.substr(0, one->prefix.size()), one->prefix)) return one;
  }
  return nullptr;
}

std::optional<LimitName> read_limit_name(Words field, const LimitSpelling& spelling) {
  for (const LimitOf of : {LimitOf::requests, LimitOf::tokens}) {
    for (const LimitPart part : {LimitPart::limit, LimitPart::remaining, LimitPart::reset}) {
      const LimitName name{of, part};
      if (iequals(field, name.in(spelling))) return name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> retell_limit(Words value, LimitPart part, const LimitSpelling& from, const LimitSpelling& to,
                                        std::int64_t now_unix_ms) {
  value = trim(value);
  if (part != LimitPart::reset) return is_count(value) ? std::optional<std::string>(value) : std::nullopt;
  std::optional<milliseconds> until;
  if (!from.reset_is_time) {
    until = read_duration(value);
  } else if (const auto time = read_time(value)) {
    until = milliseconds(std::max<std::int64_t>(0, *time - now_unix_ms));
  }
  if (!until) return std::nullopt;
  return to.reset(*until, now_unix_ms);
}

}  // namespace sluice
