// The allocator of release builds: mimalloc in place of the C library's, and in front of it what was freed last
// (docs/decisions/allocator.md). SPDX-License-Identifier: MIT
#pragma once

#ifdef SLUICE_MIMALLOC
#include <mimalloc.h>
#endif

namespace sluice {

// How soon memory that has become free goes back to the system. Few exchanges use again in a moment what they have just
// used; what a wave of many has used would be held until the next wave, so it goes back at once. Any thread.
#ifdef SLUICE_MIMALLOC
void return_memory(bool at_once);
#else
inline void return_memory(bool /*at_once*/) {}
#endif

}  // namespace sluice
