// Lets the system calls of net/ fail on purpose, by link-time wrapping (CMakeLists.txt), on the thread that asks for it
// only. Peers in other threads and shared libraries are not concerned. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace sluice::net::rig {

// While it lives, calls on this thread are counted, and spoiled as its members say.
class Seam {
 public:
  Seam();
  ~Seam();
  Seam(const Seam&) = delete;
  Seam& operator=(const Seam&) = delete;

  int fail_at = 0;       // the call of this number (from 1) fails; 0 = none
  int code = 0;          // with this errno
  std::size_t most = 0;  // bytes that recv, send and sendmsg move at a time; 0 = as many as they like
  int calls = 0;
};

}  // namespace sluice::net::rig
