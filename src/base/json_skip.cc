// SPDX-License-Identifier: MIT
#include "base/json_skip.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/json.h"
#include "base/per_cpu.h"

namespace sluice::json {
namespace {

constexpr std::size_t width = block_width;
constexpr std::uint64_t even = 0x5555'5555'5555'5555;  // bits 0, 2, 4, ...

// Bits behind an odd number of backslashes. `carry`: bit 0 says that the block before ended with such a number.
[[gnu::always_inline]] inline std::uint64_t escaped(std::uint64_t slashes, std::uint64_t& carry) {
  if ((slashes | carry) == 0) return 0;
  const std::uint64_t first = carry;
  slashes &= ~first;
  const std::uint64_t starts = slashes & ~(slashes << 1);
  // Adding a run's first bit to the run leaves one bit behind its end. A run is odd when begin and end differ in
  // parity.
  const std::uint64_t ends_even = (starts & even) + slashes;
  std::uint64_t ends_odd = 0;
  carry = __builtin_add_overflow(starts & ~even, slashes, &ends_odd) ? 1 : 0;
  return (((ends_even & ~even) | (ends_odd & even)) & ~slashes) | first;
}

// Bit n: the number of bits up to n is odd.
[[gnu::always_inline]] inline std::uint64_t parity(std::uint64_t bits) {
  for (int by = 1; by < 64; by *= 2) bits ^= bits << by;
  return bits;
}

}  // namespace

SLUICE_PER_CPU Skipped skip_nested(std::string_view text, std::size_t at, int depth) {
  const int base = depth;
  std::uint64_t carry = 0;      // see escaped()
  std::uint64_t in_string = 0;  // all ones while a string runs on from the block before
  char tail[width];
  for (; at < text.size(); at += width) {
    const char* from = text.data() + at;
    if (const std::size_t left = text.size() - at; left < width) {
      std::memset(tail, ' ', width);
      from = static_cast<const char*>(std::memcpy(tail, from, left));
    }
    Block block;
    load(block, from);
    const std::uint64_t slashes = where(block, '\\');
    std::uint64_t quotes = where(block, '"');
    if (quotes == 0 && in_string != 0) {  // the middle of a string, as most of a long prompt is
      if (below(block, 0x20) == 0) {
        const int run = std::countl_one(slashes);  // at the block's end
        if (run != width) carry = run & 1;
        continue;
      }
    }
    quotes &= ~escaped(slashes, carry);
    const std::uint64_t inside = parity(quotes) ^ in_string;
    in_string = inside >> 63 ? ~std::uint64_t{0} : 0;

    const Block folded = block | 0x20;  // [ and { become one, ] and } too, and nothing else becomes them
    const std::uint64_t opening = where(folded, '{') & ~inside;
    const std::uint64_t closing = where(folded, '}') & ~inside;
    const std::uint64_t broken = below(block, 0x20) & inside;
    if ((opening | closing | broken) == 0) continue;
    const int more = std::popcount(opening);
    const int less = std::popcount(closing);
    if (broken == 0 && depth - less > base && depth + more <= max_depth) {
      depth += more - less;
      continue;
    }
    // The end, the limit or a fault may be in this block: one bit after the other.
    for (std::uint64_t left = opening | closing | broken; left != 0; left &= left - 1) {
      const auto here = at + static_cast<std::size_t>(std::countr_zero(left));
      const std::uint64_t bit = left & -left;
      if ((broken & bit) != 0) return {here, "a control character inside a string"};
      if ((opening & bit) != 0) {
        if (++depth > max_depth) return {here, "nesting deeper than 128"};
      } else if (--depth == base) {
        return {here + 1};
      }
    }
  }
  return {text.size(), in_string != 0 ? "a string without its closing quote" : "the text ends too early"};
}

}  // namespace sluice::json
