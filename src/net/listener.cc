// SPDX-License-Identifier: MIT
#include "net/listener.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

// From here on the kernel drops requests for new connections; who made them tries again within a second, and meets
// whoever listens then, if only a refusal. What is queued would be reset instead when the socket closes.
void queue_nothing_more(int fd) {
  constexpr std::uint32_t flags = 13;  // where they are in a TCP header
  constexpr std::uint32_t syn = 0x02;
  constexpr std::uint32_t syn_and_ack = 0x12;
  constexpr std::uint32_t whole = 0xffffffff;
  std::array<sock_filter, 5> program = {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn_and_ack),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, whole),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

int option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

Result<Bound> Bound::make(const std::string& host, std::uint16_t port, int workers) {
  TRY(const auto addresses, look_up(host));
  Bound out;
  out.descriptors_.resize(static_cast<std::size_t>(std::max(1, workers)));
  Error last = explain({}, port, EADDRNOTAVAIL);
  for (const Address& address : addresses) {
    for (auto& own : out.descriptors_) {
      // The first listens alone, so that the kernel refuses a port which others share; only then may ours join in.
      const bool first = &own == &out.descriptors_.front();
      const int fd = listen_on(address, port, !first);
      if (fd < 0) {
        last = explain(address, port, -fd);
        // A name may stand for an address of a family that this machine lacks.
        if (first && addresses.size() > 1 && (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)) break;
        return fail(std::move(last));
      }
      own.push_back(fd);
      if (first) {
        set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        const auto place = place_of(fd);
        if (!place) continue;
        port = place->port;
        out.places_.push_back(*place);
      }
    }
  }
  if (out.places_.empty()) return fail(std::move(last));
  return out;
}

Result<Bound> Bound::adopt(const std::vector<int>& sockets, int workers) {
  Bound out;
  out.descriptors_.resize(static_cast<std::size_t>(std::max(1, workers)));
  out.descriptors_.front() = sockets;  // owned from here on
  std::vector<std::size_t> next;       // the worker of the next socket, by place
  std::vector<std::vector<int>> spread(out.descriptors_.size());
  for (const int fd : sockets) {
    const auto place = place_of(fd);
    if (!place || option(fd, SO_TYPE) != SOCK_STREAM || option(fd, SO_ACCEPTCONN) != 1) {
      return fail(Fault::bad_request, "Descriptor " + std::to_string(fd) +
                                          ", which was handed over, is no listening TCP socket. Give it one (in a "
                                          ".socket unit: ListenStream=ADDRESS:PORT, Accept=no).");
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    prepare_stream(fd);
    auto known = std::ranges::find(out.places_, *place);
    if (known == out.places_.end()) {
      known = out.places_.insert(known, *place);
      next.push_back(0);
    }
    std::size_t& turn = next[static_cast<std::size_t>(known - out.places_.begin())];
    spread[turn++ % spread.size()].push_back(fd);
  }
  out.descriptors_ = std::move(spread);
  if (out.places_.empty()) return fail(Fault::bad_request, "No listening socket was handed over.");
  return out;
}

std::optional<Bound::Place> Bound::place_of(int fd) {
  sockaddr_storage here{};
  socklen_t size = sizeof here;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) != 0) return std::nullopt;
  const auto address = address_of(reinterpret_cast<const sockaddr*>(&here));
  if (!address) return std::nullopt;
  return Place{.address = *address,
               .port = ntohs(here.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(here).sin6_port
                                                        : reinterpret_cast<sockaddr_in&>(here).sin_port)};
}

bool Bound::is_at(const std::string& host, std::uint16_t port) const {
  const auto addresses = look_up(host);
  return addresses && std::ranges::all_of(places_, [&](const Place& place) {
           return place.port == port && std::ranges::find(*addresses, place.address) != addresses->end();
         });
}

bool Bound::even() const {
  return std::ranges::all_of(descriptors_, [this](const auto& own) { return own.size() >= places_.size(); });
}

Bound::~Bound() {
  for (const auto& own : descriptors_) {
    for (const int fd : own) ::close(fd);
  }
}

std::string Bound::text() const {
  std::string out;
  for (const Place& place : places_) {
    if (!out.empty()) out += ", ";
    out += at(place.address, place.port);
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
  for (Watch* watch : watches_) {
    const int fd = watch->fd;
    loop_.drop(watch, false);
    if (fd >= 0) ::close(fd);
  }
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

void Listener::close(bool shared) {
  const std::vector<Watch*> all = std::exchange(watches_, {});
  if (!shared) {
    for (const Watch* watch : all) {
      if (watch->fd >= 0) queue_nothing_more(watch->fd);
    }
  }
  for (Watch* watch : all) {
    while (!shared && watch->fd >= 0 && accept_one(watch->fd) == Met::connection) {
    }
    const int fd = watch->fd;
    loop_.drop(watch, false);  // epoll keeps what is open elsewhere, until it is told
    if (fd >= 0) ::close(fd);
  }
  loop_.wheel().set(pause_, never);
}

std::vector<int> Listener::sockets() const {
  std::vector<int> out;
  for (const Watch* watch : watches_) {
    if (watch->fd >= 0) out.push_back(watch->fd);
  }
  return out;
}

}  // namespace sluice::net
