// SPDX-License-Identifier: MIT
#include "dialects/embeddings/vectors.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/json_skip.h"
#include "base/text.h"

namespace sluice {
namespace {

std::unexpected<Failure> broken(std::string_view detail) {
  return fail(Fault::upstream_broken, "The upstream answered with a vector that is none.", detail);
}

// Calls `each` with the text of every number; false when it is no array of numbers, or `each` says so.
template <class Each>
bool for_numbers(std::string_view raw, Each each) {
  if (!raw.starts_with('[')) return false;
  json::Scan scan{.text = raw, .at = 1};
  scan.space();
  if (scan.peek() == ']') return scan.at + 1 == raw.size();
  for (;;) {
    scan.space();
    const std::size_t from = scan.at;
    if (!scan.number() || !each(raw.substr(from, scan.at - from))) return false;
    scan.space();
    if (scan.peek() == ']') return scan.at + 1 == raw.size();
    if (scan.peek() != ',') return false;
    ++scan.at;
  }
}

std::optional<float> nearest(std::string_view text) {
  float out = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, out).ec == std::errc()) return out;
  // Too small or too large for a float: a double tells which.
  double wide = 0;
  if (std::from_chars(text.data(), end, wide).ec != std::errc()) return std::nullopt;
  out = static_cast<float>(wide);
  return std::isfinite(out) ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<std::vector<std::string_view>> array_elements(std::string_view raw) {
  if (!raw.starts_with('[')) return std::nullopt;
  std::vector<std::string_view> out;
  json::Scan scan{.text = raw, .at = 1};
  scan.space();
  if (scan.peek() == ']') return out;
  while (!scan.done()) {
    scan.space();
    const std::size_t from = scan.at;
    if (scan.peek() == '[' || scan.peek() == '{') {
      const json::Skipped skipped = json::skip_nested(raw, scan.at, 1);
      if (skipped.fault) return std::nullopt;
      scan.at = skipped.at;
    } else if (bool escaped = false; scan.peek() == '"') {
      if (!scan.string(escaped)) return std::nullopt;
    } else {
      scan.at = std::min(raw.find_first_of(",] \t\r\n", scan.at), raw.size());
    }
    out.push_back(raw.substr(from, scan.at - from));
    scan.space();
    if (scan.peek() == ']') return out;
    if (scan.peek() != ',') return std::nullopt;
    ++scan.at;
  }
  return std::nullopt;
}

bool is_vector(std::string_view raw) {
  if (!raw.starts_with('"')) return for_numbers(raw, [](std::string_view) { return true; });
  json::Scan scan{.text = raw};
  bool escaped = false;
  return scan.string(escaped) && scan.at == raw.size();
}

Result<std::string> pack_vector(std::string_view numbers) {
  std::string bytes;
  const bool all = for_numbers(numbers, [&](std::string_view text) {
    const auto value = nearest(text);
    if (!value) return false;
    const auto bits = std::bit_cast<std::uint32_t>(*value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xff);
    return true;
  });
  if (!all) return broken("its numbers do not fit float32");
  return '"' + base64(bytes) + '"';
}

Result<std::string> unpack_vector(std::string_view text) {
  if (text.size() < 2 || !is_vector(text)) return broken("no base64");
  const auto bytes = base64_decode(json::unescape(text.substr(1, text.size() - 2)));
  if (!bytes || bytes->size() % 4 != 0) return broken("no base64 of float32");
  std::string out = "[";
  std::array<char, 32> digits;
  for (std::size_t at = 0; at < bytes->size(); at += 4) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) bits |= std::uint32_t{static_cast<unsigned char>((*bytes)[at + i])} << 8 * i;
    const auto value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) return broken("a number that is none");
    if (at != 0) out += ',';
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
  }
  out += ']';
  return out;
}

}  // namespace sluice
