// Every quote of a text, in order, sixteen bytes at a time: a walk over the strings of JSON that reads nothing else.
// SPDX-License-Identifier: MIT
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstring>
#include <string_view>

namespace sluice::json {

class Quotes {
 public:
  explicit Quotes(std::string_view text) : block_(text.data()), end_(text.data() + text.size()) { look(); }

  // The next one, or the end of the text.
  const char* next() {
    while (mask_ == 0) {
      if (end_ - block_ <= 16) return end_;
      block_ += 16;
      look();
    }
    const char* const at = block_ + __builtin_ctz(mask_);
    mask_ &= mask_ - 1;
    return at;
  }
  // The next one that closes the string whose inside begins at `inside`, or the end of the text.
  const char* closing(const char* inside) {
    for (;;) {
      const char* const quote = next();
      const char* slash = quote;
      while (slash > inside && slash[-1] == '\\') --slash;
      if (quote == end_ || (quote - slash) % 2 == 0) return quote;
    }
  }

 private:
  void look() {
    __m128i bytes = _mm_setzero_si128();
    if (end_ - block_ >= 16) {
      bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block_));
    } else if (block_ < end_) {
      std::memcpy(&bytes, block_, static_cast<std::size_t>(end_ - block_));
    }
    mask_ = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'))));
  }
  const char* block_;
  const char* end_;
  unsigned mask_ = 0;  // the quotes of the block that are still to come
};

}  // namespace sluice::json
