// SPDX-License-Identifier: MIT
#include "net/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "net/socket.h"

namespace sluice::net {
namespace {

constexpr int backlog = 4096;  // the kernel lowers it to net.core.somaxconn
constexpr std::int64_t pause_ms = 50;

Result<std::vector<Address>> look_up(const std::string& host) {
  if (const auto number = parse_address(host)) return std::vector<Address>{*number};
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (status != 0) {
    return fail(Fault::bad_request, "Cannot listen on " + host + ": " + gai_strerror(status) +
                                        ". Set server.host to an address of this machine or to 0.0.0.0.");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<Address> out;
  for (const addrinfo* one = found; one; one = one->ai_next) {
    const auto address = address_of(one->ai_addr);
    if (address && std::ranges::find(out, *address) == out.end()) out.push_back(*address);
  }
  return out;
}

std::string at(const Address& address, std::uint16_t port) {
  const std::string text = address.text();
  return (address.v6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

Error explain(const Address& address, std::uint16_t port, int code) {
  std::string message = "Cannot listen on " + at(address, port) + ": ";
  if (code == EADDRINUSE) {
    message = "Port " + std::to_string(port) + " on " + address.text() +
              " is already in use. Stop what listens there, or choose another port with PORT= or server.port.";
  } else if (code == EACCES) {
    message += "this port needs more rights. Choose one above 1023 with PORT= or server.port.";
  } else if (code == EADDRNOTAVAIL) {
    message += "it is no address of this machine. Set server.host to one that is, or to 0.0.0.0.";
  } else {
    message += std::strerror(code);
    message += '.';
  }
  return Error{.fault = Fault::bad_request,
               .message = std::move(message),
               .detail = "listen on " + at(address, port) + ": " + std::strerror(code)};
}

void set(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

// A listening descriptor, or minus errno.
int listen_on(const Address& address, std::uint16_t port, bool shared) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  const bool any = std::ranges::all_of(address.bytes, [](std::uint8_t byte) { return byte == 0; });
  if (address.v6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, any ? 0 : 1);
  prepare_stream(fd);  // accepted sockets inherit these
  sockaddr_storage to;
  const socklen_t size = address.fill(to, port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&to), size) == 0 && listen(fd, backlog) == 0) return fd;
  const int code = errno;
  ::close(fd);
  return -code;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage here{};
  socklen_t size = sizeof here;
  getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(here).sin6_port
                                          : reinterpret_cast<sockaddr_in&>(here).sin_port);
}

}  // namespace

Result<Bound> Bound::make(const std::string& host, std::uint16_t port, int workers) {
  TRY(const auto addresses, look_up(host));
  Bound out;
  out.port_ = port;
  out.descriptors_.resize(static_cast<std::size_t>(std::max(1, workers)));
  Error last = explain({}, port, EADDRNOTAVAIL);
  for (const Address& address : addresses) {
    for (auto& own : out.descriptors_) {
      // The first listens alone, so that the kernel refuses a port which others share; only then may ours join in.
      const bool first = &own == &out.descriptors_.front();
      const int fd = listen_on(address, out.port_, !first);
      if (fd < 0) {
        last = explain(address, out.port_, -fd);
        // A name may stand for an address of a family that this machine lacks.
        if (first && addresses.size() > 1 && (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)) break;
        return fail(std::move(last));
      }
      own.push_back(fd);
      if (first) {
        set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        out.port_ = port_of(fd);
        out.addresses_.push_back(address);
      }
    }
  }
  if (out.addresses_.empty()) return fail(std::move(last));
  return out;
}

Bound::~Bound() {
  for (const auto& own : descriptors_) {
    for (const int fd : own) ::close(fd);
  }
}

std::string Bound::text() const {
  std::string out;
  for (const Address& address : addresses_) {
    if (!out.empty()) out += ", ";
    out += at(address, port_);
  }
  return out;
}

std::vector<int> Bound::take(int worker) {
  return std::exchange(descriptors_[static_cast<std::size_t>(worker)], {});
}

Listener::Listener(Loop& loop, const std::vector<int>& descriptors, Accepted accepted, void* owner)
    : loop_(loop), accepted_(accepted), owner_(owner), spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  for (const int fd : descriptors) {
    Watch* watch = loop_.watch(fd, true, EPOLLIN);
    if (!watch) {
      ::close(fd);
      continue;
    }
    watch->owner = this;
    watch->on_readable = [](void* self) {
      auto& listener = *static_cast<Listener*>(self);
      const std::vector<Watch*> ready = listener.watches_;
      for (Watch* one : ready) {
        if (std::exchange(one->readable, false)) listener.accept_all(one);
      }
    };
    watches_.push_back(watch);
  }
}

Listener::~Listener() {
  for (Watch* watch : watches_) loop_.drop(watch);
  if (spare_ >= 0) ::close(spare_);
}

Listener::Met Listener::accept_one(int fd) {
  for (;;) {
    const int got = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (got >= 0) {
      accepted_(owner_, got);
      return Met::connection;
    }
    switch (errno) {
      case EAGAIN: return Met::nothing;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM: return Met::no_descriptors;
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
      case EOPNOTSUPP:
      case EFAULT: return Met::nothing;  // not a listener any more: trying again would never end
      default: break;                    // the connection broke before it was accepted (accept(2), "Error handling")
    }
  }
}

void Listener::accept_all(Watch* watch) {
  for (;;) {
    if (watch->fd < 0) return;  // closed by `accepted`
    const Met met = accept_one(watch->fd);
    if (met == Met::connection) {
      paused_before_ = false;
      continue;
    }
    if (met == Met::nothing) return;
    // Connections that end meanwhile may give room; when they do not, nobody is left to hang in the queue.
    if (std::exchange(paused_before_, true)) shed_all(watch->fd);
    loop_.wheel().set(pause_, loop_.now_ms() + pause_ms);
    return;
  }
}

void Listener::shed_all(int fd) {
  if (spare_ < 0) return;
  for (;;) {
    ::close(std::exchange(spare_, -1));
    const int got = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (got >= 0) {
      ::close(got);
      ++shed_;
    }
    spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (got < 0 || spare_ < 0) return;
  }
}

void Listener::Pause::ring() {
  const std::vector<Watch*> all = listener.watches_;
  for (Watch* watch : all) listener.accept_all(watch);
}

void Listener::close() {
  const std::vector<Watch*> all = std::exchange(watches_, {});
  for (Watch* watch : all) {
    while (watch->fd >= 0 && accept_one(watch->fd) == Met::connection) {
    }
    loop_.drop(watch);
  }
  loop_.wheel().set(pause_, never);
}

}  // namespace sluice::net
