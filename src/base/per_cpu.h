// Scans that look at 64 bytes at a time, for each kind of CPU in its own words: the compiler makes one copy of a
// function per kind, and the loader takes the one that fits. SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Not under the thread sanitizer, which is not yet there when the loader asks for the choice.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define SLUICE_PER_CPU __attribute__((target_clones("avx512bw", "avx2", "default")))
#else
#define SLUICE_PER_CPU
#endif

namespace sluice {

inline constexpr std::size_t block_width = 64;

// The compiler's own vectors: it lowers them to what each CPU has.
using Block = unsigned char __attribute__((ext_vector_type(block_width)));
using BlockFlags = bool __attribute__((ext_vector_type(block_width)));

// At least block_width bytes must stand there.
[[gnu::always_inline]] inline void load(Block& block, const char* from) {
  std::memcpy(&block, from, block_width);
}

// In these words, bit n is byte n of the block.
[[gnu::always_inline]] inline std::uint64_t where(const Block& block, unsigned char c) {
  return std::bit_cast<std::uint64_t>(__builtin_convertvector(block == c, BlockFlags));
}

[[gnu::always_inline]] inline std::uint64_t below(const Block& block, unsigned char c) {
  return std::bit_cast<std::uint64_t>(__builtin_convertvector(block < c, BlockFlags));
}

}  // namespace sluice
