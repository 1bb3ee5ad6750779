// SPDX-License-Identifier: MIT
#include "net/connect.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "net/address.h"
#include "net/dns.h"
#include "net/egress.h"
#include "net/proxy.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

constexpr std::int64_t least_share_ms = 1500;   // a lost SYN is repeated after a second
constexpr std::int64_t most_share_ms = 10'000;  // for an address that has others behind it

std::unexpected<Failure> unreachable(std::string detail) {
  return fail(Fault::upstream_unreachable, "The upstream cannot be reached.", std::move(detail));
}

// Families by turns, beginning with that of the best address (RFC 8305, section 4).
std::vector<Address> interleaved(const std::vector<Address>& from) {
  std::vector<Address> out;
  std::vector<Address> second;
  for (const Address& address : from) (address.v6 == from.front().v6 ? out : second).push_back(address);
  for (std::size_t i = 0; i < second.size(); ++i) {
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(std::min(2 * i + 1, out.size())), second[i]);
  }
  return out;
}

// On loopback a connect to a free port of the ephemeral range may meet itself.
bool met_itself(int fd) {
  sockaddr_storage here{};
  sockaddr_storage there{};
  socklen_t here_size = sizeof here;
  socklen_t there_size = sizeof there;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_size) == 0 &&
         getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_size) == 0 && here_size == there_size &&
         std::memcmp(&here, &there, here_size) == 0;
}

Task<Result<Socket>> connect_to(Loop& loop, Sleeper& sleeper, Address address, std::uint16_t port) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return unreachable(address.text() + ": socket: " + std::strerror(errno));
  prepare_stream(fd);
  sockaddr_storage to;
  const socklen_t size = address.fill(to, port);
  const int begun = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), size);
  if (begun != 0 && errno != EINPROGRESS && errno != EINTR) {
    const int code = errno;
    ::close(fd);
    co_return unreachable(address.text() + ": " + std::strerror(code));
  }
  Socket out(loop, fd);
  if (!out.open()) co_return unreachable(address.text() + ": " + out.error());
  while (!out.watch().writable) {  // whoever holds the sleeper may wake it for reasons of their own
    const Woke woke = co_await sleeper.writable(out.watch());
    if (woke == Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
    if (woke == Woke::timeout) {
      co_return fail(Fault::upstream_timeout, "The upstream did not connect in time.", address.text() + ": no answer");
    }
  }
  int code = 0;
  socklen_t code_size = sizeof code;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &code_size);
  if (code == 0 && address.loopback() && met_itself(fd)) code = ECONNREFUSED;
  if (code != 0) {
    out.abort();
    co_return unreachable(address.text() + ": " + std::strerror(code));
  }
  co_return std::move(out);
}

// Leaves the public ones. Error: forbidden.
Result<void> keep_public(std::vector<Address>& addresses, const std::string& host) {
  std::string why;
  std::erase_if(addresses, [&](const Address& address) {
    const std::string_view what = why_not_public(address);
    if (!what.empty()) why = address.text() + " is " + std::string(what);
    return !what.empty();
  });
  if (!addresses.empty()) return {};
  return fail(Fault::forbidden, "Calls go from here to public addresses only.", host + ": " + why);
}

Task<Result<Socket>> dial(Loop& loop, Sleeper& sleeper, Resolver& resolver, std::string host, std::uint16_t port,
                          bool public_only) {
  CO_TRY(auto found, co_await resolver.resolve(sleeper, host));
  if (public_only) CO_TRY_VOID(keep_public(found, host));
  const std::vector<Address> addresses = interleaved(found);
  const std::int64_t deadline = sleeper.deadline();
  Error last;
  std::string tried;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::int64_t now = loop.now_ms();
    if (i + 1 < addresses.size()) {
      const std::int64_t left = deadline == never ? never : deadline - now;
      const std::int64_t share = left / static_cast<std::int64_t>(addresses.size() - i);
      sleeper.deadline(std::min(deadline, now + std::clamp(share, least_share_ms, most_share_ms)));
    }
    auto socket = co_await connect_to(loop, sleeper, addresses[i], port);
    sleeper.deadline(deadline);
    if (socket) co_return std::move(*socket);
    last = *socket.error();
    if (last.fault == Fault::client_gone) co_return fail(std::move(last));
    if (i < 4) tried += (i == 0 ? "" : "; ") + last.detail;
    if (loop.now_ms() >= deadline) break;
  }
  last.detail = "connect to " + host + " port " + std::to_string(port) + ": " + tried;
  co_return fail(std::move(last));
}

}  // namespace

Task<Result<Socket>> connect(Loop& loop, Sleeper& sleeper, const Origin& origin, Resolver& resolver, TlsClients& tls) {
  const bool direct = !origin.proxy;
  std::string host = direct ? origin.host : origin.proxy->host;
  const std::uint16_t port = direct ? origin.port : origin.proxy->port;
  if (origin.public_only && !direct)
    co_return fail(Fault::forbidden, "A call that may go to public addresses only goes through no proxy.");
  CO_TRY(Socket socket, co_await dial(loop, sleeper, resolver, std::move(host), port, origin.public_only));
  if (!direct) CO_TRY_VOID(co_await tunnel(socket, sleeper, origin));
  if (origin.tls) {
    CO_TRY(Ssl ssl, tls.begin(origin.host, origin.port, origin.ca_file));
    socket.secure(std::move(ssl));
    auto shaken = co_await socket.shake(sleeper);
    if (!shaken) {
      Error error = std::move(shaken).error();
      if (!error.detail.empty()) error.detail = origin.host + ": " + error.detail;
      co_return fail(std::move(error));
    }
  }
  co_return std::move(socket);
}

}  // namespace sluice::net
