// SPDX-License-Identifier: MIT
#include "net/late.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "net/loop.h"

namespace sluice::net {
namespace {

// How many of the bytes the kernel took; nullopt: the connection is broken.
std::optional<std::size_t> send_some(Watch& watch, std::string_view bytes) {
  std::size_t sent = 0;
  while (sent != bytes.size()) {
    const ssize_t now = ::send(watch.fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now >= 0) {
      sent += static_cast<std::size_t>(now);
    } else if (errno == EAGAIN) {
      watch.writable = false;
      break;
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
  return sent;
}

}  // namespace

void Late::put(Watch& watch, std::span<const iovec> pieces, std::size_t size) {
  char* to = bytes_[count_].data();
  for (const iovec& piece : pieces) {
    if (piece.iov_len != 0) to = static_cast<char*>(::mempcpy(to, piece.iov_base, piece.iov_len));
  }
  writes_[count_++] = {&watch, size};
  watch.late = true;
  if (count_ == most_writes) send();
}

void Late::send() {
  const std::size_t count = std::exchange(count_, 0);
  for (std::size_t i = 0; i < count; ++i) {
    auto [watch, size] = writes_[i];
    if (!watch) continue;
    watch->late = false;
    const std::string_view bytes(bytes_[i].data(), size);
    if (!watch->kept.empty()) {
      watch->kept += bytes;
    } else if (const auto sent = send_some(*watch, bytes)) {
      watch->kept = bytes.substr(*sent);
    } else {
      broken_.push_back(watch);
    }
  }
}

bool Late::resend(Watch& watch) {
  const auto sent = send_some(watch, watch.kept);
  if (!sent) {
    broken_.push_back(&watch);
    watch.kept.clear();
    return false;
  }
  watch.kept.erase(0, *sent);
  return watch.kept.empty();
}

void Late::forget(Watch& watch) {
  for (Write& write : writes_) {
    if (write.watch == &watch) write.watch = nullptr;
  }
  std::erase(broken_, &watch);
  watch.late = false;
  watch.kept.clear();
}

}  // namespace sluice::net
