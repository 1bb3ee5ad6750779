// SPDX-License-Identifier: MIT
#include "base/money.h"

#include <charconv>
#include <limits>

namespace sluice {
namespace {

__extension__ using Wide = unsigned __int128;
constexpr std::size_t most_digits = 36;  // of a Wide, with room for rounding
constexpr Wide most = std::numeric_limits<std::int64_t>::max();

void take_digits(std::string_view digits, Wide& value) {
  for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
}

std::string_view digits_of(std::string_view text) {
  return text.substr(0, text.find_first_not_of("0123456789"));
}

Wide power_of_ten(int exponent) {
  Wide out = 1;
  for (int i = 0; i < exponent; ++i) out *= 10;
  return out;
}

}  // namespace

std::optional<std::int64_t> read_decimal(std::string_view text, int shift) {
  const std::string_view whole = digits_of(text);
  if (whole.empty() || whole.size() > most_digits) return std::nullopt;
  Wide value = 0;
  int exponent = shift;
  take_digits(whole, value);
  text.remove_prefix(whole.size());
  if (text.starts_with('.')) {
    const std::string_view fraction = digits_of(text.substr(1));
    if (fraction.empty()) return std::nullopt;
    const std::string_view seen = fraction.substr(0, most_digits - whole.size());
    take_digits(seen, value);
    exponent -= static_cast<int>(seen.size());
    text.remove_prefix(1 + fraction.size());
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+')) {
      text.remove_prefix(1);
      if (digits_of(text).empty()) return std::nullopt;
    }
    int written = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), written);
    if (bad != std::errc() || end == text.data() || written < -1000 || written > 1000) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    exponent += written;
  }
  if (!text.empty()) return std::nullopt;
  if (exponent < -static_cast<int>(most_digits)) return 0;
  if (exponent < 0) {
    const Wide by = power_of_ten(-exponent);
    value = (value + by / 2) / by;
  }
  for (; exponent > 0 && value > 0 && value <= most; --exponent) value *= 10;
  if (value > most) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::string write_decimal(std::int64_t value, int shift) {
  std::string out = std::to_string(value);
  const auto places = static_cast<std::size_t>(shift);
  if (out.size() <= places) out.insert(0, places + 1 - out.size(), '0');
  if (places == 0) return out;
  out.insert(out.size() - places, 1, '.');
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

}  // namespace sluice
