// The allocator of release builds: mimalloc, linked in place of the C library's (docs/decisions/allocator.md).
// SPDX-License-Identifier: MIT
#pragma once

#ifdef SLUICE_MIMALLOC
#include <mimalloc.h>
#endif

namespace sluice {

// How soon memory that has become free goes back to the system. Few exchanges use again in a moment what they have just
// used; what a wave of many has used would be held until the next wave, so it goes back at once. Any thread.
inline void return_memory([[maybe_unused]] bool at_once) {
#ifdef SLUICE_MIMALLOC
  mi_option_set(mi_option_decommit_delay, at_once ? 0 : 10);  // ms
#endif
}

}  // namespace sluice
