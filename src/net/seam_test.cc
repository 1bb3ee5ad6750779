// SPDX-License-Identifier: MIT
#include "net/seam_test.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace sluice::net::rig {
namespace {

thread_local Seam* seam = nullptr;

bool fails() {
  if (!seam || ++seam->calls != seam->fail_at) return false;
  errno = seam->code;
  return true;
}

}  // namespace

Seam::Seam() {
  seam = this;
}
Seam::~Seam() {
  seam = nullptr;
}

}  // namespace sluice::net::rig

using sluice::net::rig::fails;
using sluice::net::rig::seam;

extern "C" {
int __real_socket(int family, int kind, int protocol);
int __real_connect(int fd, const sockaddr* to, socklen_t size);
int __real_epoll_ctl(int epoll, int what, int fd, epoll_event* event);
int __real_getsockopt(int fd, int level, int name, void* value, socklen_t* size);
int __real_accept4(int fd, sockaddr* from, socklen_t* size, int flags);
ssize_t __real_recv(int fd, void* to, size_t size, int flags);
ssize_t __real_send(int fd, const void* from, size_t size, int flags);
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);

int __wrap_socket(int family, int kind, int protocol) {
  return fails() ? -1 : __real_socket(family, kind, protocol);
}
int __wrap_connect(int fd, const sockaddr* to, socklen_t size) {
  return fails() ? -1 : __real_connect(fd, to, size);
}
int __wrap_epoll_ctl(int epoll, int what, int fd, epoll_event* event) {
  return fails() ? -1 : __real_epoll_ctl(epoll, what, fd, event);
}
int __wrap_getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
  return fails() ? -1 : __real_getsockopt(fd, level, name, value, size);
}
int __wrap_accept4(int fd, sockaddr* from, socklen_t* size, int flags) {
  return fails() ? -1 : __real_accept4(fd, from, size, flags);
}
ssize_t __wrap_recv(int fd, void* to, size_t size, int flags) {
  if (fails()) return -1;
  return __real_recv(fd, to, seam && seam->most != 0 ? std::min(size, seam->most) : size, flags);
}
ssize_t __wrap_send(int fd, const void* from, size_t size, int flags) {
  if (fails()) return -1;
  return __real_send(fd, from, seam && seam->most != 0 ? std::min(size, seam->most) : size, flags);
}
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  if (fails()) return -1;
  if (!seam || seam->most == 0 || message->msg_iovlen == 0) return __real_sendmsg(fd, message, flags);
  iovec piece = message->msg_iov[0];
  piece.iov_len = std::min(piece.iov_len, seam->most);
  msghdr part = *message;
  part.msg_iov = &piece;
  part.msg_iovlen = 1;
  return __real_sendmsg(fd, &part, flags);
}
}
