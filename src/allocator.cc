// The small blocks that each thread has freed last, to be given out first: they are still in the processor's nearest
// cache, whereas mimalloc goes through a whole page of 64 KiB for each size before it comes back to a block
// (docs/decisions/allocator.md). What a thread holds is bounded, and is not given back when the thread ends: threads
// that allocate much live as long as the process. SPDX-License-Identifier: MIT
#include "allocator.h"

#ifdef SLUICE_MIMALLOC

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace {

constexpr std::size_t step = 16;
constexpr std::size_t most = 1024;        // bytes of a block that is held
constexpr std::size_t held_bytes = 4096;  // of one size
constexpr std::uint8_t least_held = 8;    // blocks of one size

struct Free {
  Free* next;
};
struct Stack {
  Free* top;
  std::uint32_t count;
};
constinit thread_local std::array<Stack, most / step + 1> stacks{};
constinit std::atomic<bool> holds = true;

constexpr std::size_t number(std::size_t size) {
  return (size + step - 1) / step;
}
constexpr std::array<std::uint8_t, most / step + 1> most_held = [] {
  std::array<std::uint8_t, most / step + 1> out{};
  for (std::size_t i = 1; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(held_bytes / (i * step));
    if (i * step < 64) out[i] = 64;
    if (out[i] < least_held) out[i] = least_held;
  }
  return out;
}();

// Null: there is none.
[[gnu::always_inline]] inline void* take(std::size_t size) {
  if (size > most) return nullptr;
  Stack& stack = stacks[number(size)];
  Free* block = stack.top;
  if (!block) return nullptr;
  stack.top = block->next;
  --stack.count;
  return block;
}

// What a block must have so that every size of its stack fits.
constexpr std::size_t rounded(std::size_t size) {
  return size > most ? size : number(size) * step;
}

}  // namespace

namespace sluice {

void return_memory(bool at_once) {
  mi_option_set(mi_option_decommit_delay, at_once ? 0 : 10);  // ms
  holds.store(!at_once, std::memory_order_relaxed);
}

}  // namespace sluice

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* block = take(size)) return block;
  return mi_new(rounded(size));
}

[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*unused*/) noexcept {
  if (void* block = take(size)) return block;
  return mi_new_nothrow(rounded(size));
}

[[gnu::noinline]] void operator delete(void* at, std::size_t size) noexcept {
  if (!at) return;
  if (size <= most && holds.load(std::memory_order_relaxed)) {
    const std::size_t which = number(size);
    if (Stack& stack = stacks[which]; stack.count < most_held[which]) {
      stack.top = new (at) Free{stack.top};
      ++stack.count;
      return;
    }
  }
  mi_free(at);
}

// Whoever does not tell the size.
[[gnu::noinline]] void operator delete(void* at) noexcept {
  mi_free(at);
}

#endif
