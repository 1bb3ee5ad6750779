// SPDX-License-Identifier: MIT
#include "dialects/limits_told.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using Words = std::string_view;

constexpr std::array<Words, LimitsTold::kind_count> kinds_told = {"requests", "tokens", "input-tokens",
                                                                  "output-tokens"};
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

std::optional<std::int64_t> read_count(Words text) {
  std::int64_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || out < 0) return std::nullopt;
  return out;
}

}  // namespace

std::optional<milliseconds> read_limit_reset(Words value, const LimitSpelling& spelling, std::int64_t now_unix_ms) {
  if (!spelling.reset_is_time) return read_duration(value);
  const auto time = parse_rfc3339(value);
  if (!time) return std::nullopt;
  return milliseconds(std::max<std::int64_t>(0, *time - now_unix_ms));
}

void LimitsTold::take(Words field, Words value, const LimitSpelling& spelling, std::int64_t now_unix_ms) {
  const Words rest = field.substr(spelling.prefix.size());
  const auto dash = spelling.part_last ? rest.rfind('-') : rest.find('-');
  if (dash == Words::npos) return;
  Words part = rest.substr(0, dash);
  Words kind = rest.substr(dash + 1);
  if (spelling.part_last) std::swap(part, kind);
  const auto* known = std::ranges::find_if(kinds_told, [kind](Words one) { return iequals(one, kind); });
  if (known == kinds_told.end()) return;
  One& one = kinds[static_cast<std::size_t>(known - kinds_told.begin())];
  value = trim(value);
  if (iequals(part, "reset")) {
    one.until_reset = read_limit_reset(value, spelling, now_unix_ms);
  } else if (iequals(part, "limit")) {
    one.limit = read_count(value);
  } else if (iequals(part, "remaining")) {
    one.remaining = read_count(value);
    any = any || one.remaining;
  }
}

}  // namespace sluice
