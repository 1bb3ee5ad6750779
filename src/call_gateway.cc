// SPDX-License-Identifier: MIT
#include "call_gateway.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice {
namespace {

// A connection to the first address that takes one; -1 when none does.
int dial(const Url& url) {
  addrinfo hints{.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  if (::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found) != 0) return -1;
  int out = -1;
  for (const addrinfo* one = found; one && out < 0; one = one->ai_next) {
    out = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (out >= 0 && ::connect(out, one->ai_addr, one->ai_addrlen) != 0) {
      ::close(out);
      out = -1;
    }
  }
  ::freeaddrinfo(found);
  return out;
}

}  // namespace

std::expected<std::string, NoAnswer> call_gateway(const Url& url, std::string_view request) {
  const int fd = dial(url);
  if (fd < 0) return std::unexpected(NoAnswer::nobody);
  const timeval patience{.tv_sec = 10};
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string out;
  bool good = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size());
  for (char piece[4096]; good;) {
    const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
    if (got < 0) good = false;
    if (got <= 0) break;
    out.append(piece, static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (!good) return std::unexpected(NoAnswer::lost);
  return out;
}

}  // namespace sluice
