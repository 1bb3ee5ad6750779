// SPDX-License-Identifier: MIT
#include "net/outbox.h"

namespace sluice::net {

Sent Outbox::send(Socket& socket, std::span<const iovec> pieces) {
  if (size() != 0) {
    for (const iovec& p : pieces) bytes_.append(static_cast<const char*>(p.iov_base), p.iov_len);
    return flush(socket);
  }
  std::size_t left = 0;
  for (const iovec& p : pieces) left += p.iov_len;
  std::size_t sent = 0;
  if (socket.watch().writable) {
    const Io io = socket.write(pieces);
    if (io.state == IoState::broken || io.state == IoState::eof) return Sent::broken;
    if (io.state == IoState::done) sent = io.size;
  }
  if (sent == left) return Sent::all;
  bytes_.clear();
  at_ = 0;
  bytes_.reserve(left - sent);
  for (const iovec& p : pieces) {
    if (sent >= p.iov_len) {
      sent -= p.iov_len;
      continue;
    }
    bytes_.append(static_cast<const char*>(p.iov_base) + sent, p.iov_len - sent);
    sent = 0;
  }
  return flush(socket);
}

Sent Outbox::flush(Socket& socket) {
  while (size() != 0) {
    if (!socket.watch().writable) return Sent::kept;
    const iovec rest = piece(std::string_view(bytes_).substr(at_));
    const Io io = socket.write({&rest, 1});
    if (io.state == IoState::again) return Sent::kept;
    if (io.state != IoState::done) return Sent::broken;
    at_ += io.size;
  }
  clear();
  return Sent::all;
}

}  // namespace sluice::net
