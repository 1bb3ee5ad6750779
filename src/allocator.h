// The allocator of release builds: mimalloc, linked in place of the C library's (docs/decisions/allocator.md).
// SPDX-License-Identifier: MIT
#pragma once

#ifdef SLUICE_MIMALLOC
#include <mimalloc.h>
#endif

namespace sluice {

// Call it first. What a wave of requests has used goes back to the system at once: it would be held until the next
// wave.
inline void set_up_allocator() {
#ifdef SLUICE_MIMALLOC
  mi_option_set(mi_option_decommit_delay, 0);
#endif
}

}  // namespace sluice
