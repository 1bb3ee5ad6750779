// Gives memory that a wave of requests has left behind back to the system. The allocator keeps it otherwise: a thousand
// streams that began at once would hold for hours what was needed for a second. SPDX-License-Identifier: MIT
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>

namespace sluice {

class SpareMemory {
 public:
  // Call it now and then, from one thread. Workers wait a few milliseconds when much is given back, so little is left
  // alone, and so is what was free already the last time.
  void give_back() {
#ifdef __GLIBC__
    const std::size_t free = mallinfo2().fordblks;
    known_ = std::min(known_, free);
    if (free - known_ < worth_it) return;
    malloc_trim(0);
    known_ = mallinfo2().fordblks;
#endif
  }

 private:
  static constexpr std::size_t worth_it = std::size_t{8} << 20;
  std::size_t known_ = 0;  // bytes that are free in the allocator, and given back as far as they can be
};

}  // namespace sluice
