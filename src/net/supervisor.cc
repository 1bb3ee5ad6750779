// SPDX-License-Identifier: MIT
#include "net/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>

namespace sluice::net {
namespace {

std::optional<int> number(std::string_view text) {
  int out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

Result<Inherited> activated_sockets(const Supervision& from, int pid, int first) {
  constexpr int most = 4096;
  if (!from.listen_fds || !from.listen_pid) return Inherited{};
  if (number(*from.listen_pid) != pid) return Inherited{};  // of a process that started us and kept its environment
  const auto count = number(*from.listen_fds);
  if (!count || *count < 0 || *count > most)
    return fail(Fault::bad_request, "LISTEN_FDS is \"" + *from.listen_fds + "\", which is no number of sockets.");
  Inherited out{.activated = *count > 0};
  for (int i = 0; i < *count; ++i) out.sockets.push_back(first + i);
  return out;
}

void Notifier::tell(std::string_view state) const {
  sockaddr_un to{.sun_family = AF_UNIX, .sun_path = {}};
  if (socket_.size() < 2 || socket_.size() >= sizeof to.sun_path) return;
  if (socket_.front() != '/' && socket_.front() != '@') return;
  socket_.copy(to.sun_path, socket_.size());
  const bool abstract = socket_.front() == '@';
  if (abstract) to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size() + (abstract ? 0 : 1));
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  (void)::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size);
  ::close(fd);
}

}  // namespace sluice::net
