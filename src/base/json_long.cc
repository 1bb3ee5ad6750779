// SPDX-License-Identifier: MIT
#include "base/json_long.h"

#include <bit>
#include <cstdint>

#include "base/per_cpu.h"

namespace sluice::json {
namespace {

[[gnu::always_inline]] inline std::uint64_t specials(const Block& block) {
  return where(block, '"') | where(block, '\\') | below(block, 0x20);
}

}  // namespace

SLUICE_PER_CPU const char* over_text(const char* p, const char* end, bool& escaped) {
  while (end - p > static_cast<std::ptrdiff_t>(block_width)) {
    Block block;
    load(block, p);
    std::uint64_t marks = specials(block);
    std::size_t next = block_width;
    while (marks != 0) {
      const int at = std::countr_zero(marks);
      if (p[at] != '\\' || !is_short_escape(p[at + 1])) return p + at;
      escaped = true;
      if (at == static_cast<int>(block_width) - 1) next = block_width + 1;  // its second half stands in the next block
      marks &= ~(std::uint64_t{3} << at);
    }
    p += next;
  }
  return p;
}

SLUICE_PER_CPU std::size_t count_escapes(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  std::size_t count = 0;
  for (; end - p >= static_cast<std::ptrdiff_t>(block_width); p += block_width) {
    Block block;
    load(block, p);
    count += static_cast<std::size_t>(std::popcount(specials(block)));
  }
  for (; p < end; ++p) count += is_escaped(*p) ? 1 : 0;
  return count;
}

}  // namespace sluice::json
