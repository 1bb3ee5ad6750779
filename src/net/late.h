// Small writes that wait until the loop has seen to a few more of the events that are there. The kernel wakes a peer on
// this machine for the first bytes that reach it, and a wake-up costs more than the send (an interrupt to another core,
// through the hypervisor where there is one); a peer that is awake finds the rest without. Not here: what a socket
// cannot take (outbox.h). SPDX-License-Identifier: MIT
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::net {

struct Watch;

class Late {
 public:
  static constexpr std::size_t most_bytes = 2048;  // of one write
  // Bytes that a peer may be behind: one that took all before this has room for so much, whatever its buffers
  // (tcp_wmem's default is 16 KiB), so that what waits here is as good as sent.
  static constexpr std::size_t most_unheard = 8 * 1024;

  // Takes a copy of the pieces, `size` bytes (at most most_bytes). The eighth write sends them all.
  void put(Watch& watch, std::span<const iovec> pieces, std::size_t size);
  // Sends all that waits, each as far as it goes; what is left is the watch's, in `kept`.
  void send();
  // Sends on what was kept, until the kernel takes no more. False: something is left, or nobody is there to take it.
  bool resend(Watch& watch);
  // What waits for it is dropped.
  void forget(Watch& watch);
  // Whose connection broke meanwhile, each once; for the loop, which tells them as it tells of any departure.
  [[nodiscard]] std::vector<Watch*>& broken() { return broken_; }

 private:
  struct Write {
    Watch* watch;
    std::size_t size;
  };
  static constexpr std::size_t most_writes = 8;
  std::array<Write, most_writes> writes_{};
  std::array<std::array<char, most_bytes>, most_writes> bytes_;
  std::size_t count_ = 0;
  std::vector<Watch*> broken_;
};

}  // namespace sluice::net
