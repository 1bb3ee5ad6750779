// The two things that systemd, or whoever speaks its protocols, does for a service that it starts: it hands over
// listening sockets (sd_listen_fds(3)), and is told how the service is (sd_notify(3)). No library is needed for either.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/listener.h"

namespace sluice::net {

// The variables of the environment that matter here.
struct Supervision {
  std::optional<std::string> listen_fds, listen_pid, notify_socket;
};

// The sockets meant for this process, numbered from `first` on; none without them or when they are meant for another
// process. Error: bad_request, when the number makes no sense.
[[nodiscard]] Result<Inherited> activated_sockets(const Supervision& from, int pid, int first = 3);

// Tells the supervisor; does nothing where there is none, and nothing can fail for it.
class Notifier {
 public:
  explicit Notifier(const std::optional<std::string>& socket = {}) : socket_(socket.value_or("")) {}
  // One or more lines of sd_notify, as "READY=1".
  void tell(std::string_view state) const;

 private:
  std::string socket_;
};

}  // namespace sluice::net
