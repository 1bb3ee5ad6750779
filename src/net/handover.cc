// SPDX-License-Identifier: MIT
#include "net/handover.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace sluice::net {
namespace {

// What is said, one packet each: the successor asks, is told how many sockets come and gets them, some per packet; says
// that it serves, and hears when the address is free.
constexpr std::string_view ask = "sluice handover 1";
constexpr std::string_view serving = "serving";
constexpr std::string_view yours = "yours";
constexpr std::size_t per_packet = 64;  // the kernel's limit is 253
constexpr std::size_t most_sockets = 4096;
constexpr auto guest_patience = std::chrono::seconds(60);

struct UnixAddress {
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  socklen_t size = 0;
};

Result<UnixAddress> unix_address(const std::string& address) {
  UnixAddress out;
  const bool abstract = address.starts_with('@');
  if (address.size() < (abstract ? 2U : 1U) || address.size() >= sizeof out.name.sun_path)
    return fail(Fault::bad_request, "\"" + address + "\" is no place for a local socket: it is empty or too long.");
  address.copy(out.name.sun_path, address.size());
  if (abstract) out.name.sun_path[0] = '\0';
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() + (abstract ? 0 : 1));
  return out;
}

const sockaddr* raw(const UnixAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.name);
}

std::optional<ucred> peer(int fd) {
  ucred out{};
  socklen_t size = sizeof out;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &out, &size) != 0) return std::nullopt;
  return out;
}

bool say(int fd, std::string_view words) {
  return ::send(fd, words.data(), words.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(words.size());
}

// One byte, with room for the descriptors that come along, as the kernel wants it.
struct Packet {
  explicit Packet(std::size_t sockets) {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sockets * sizeof(int));
  }
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;

  char byte = 's';
  iovec piece{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(per_packet * sizeof(int))> control{};
  msghdr message{};
};

bool send_sockets(int fd, const int* sockets, std::size_t count) {
  Packet packet(count);
  cmsghdr* head = CMSG_FIRSTHDR(&packet.message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(head), sockets, count * sizeof(int));
  return ::sendmsg(fd, &packet.message, MSG_NOSIGNAL) == 1;
}

bool receive_sockets(int fd, std::vector<int>& out) {
  Packet packet(per_packet);
  const ssize_t got = ::recvmsg(fd, &packet.message, MSG_CMSG_CLOEXEC);
  if (got != 1) return false;
  for (cmsghdr* head = CMSG_FIRSTHDR(&packet.message); head; head = CMSG_NXTHDR(&packet.message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const std::size_t before = out.size();
    out.resize(before + count);
    std::memcpy(out.data() + before, CMSG_DATA(head), count * sizeof(int));
  }
  return (packet.message.msg_flags & MSG_CTRUNC) == 0;  // the kernel had no descriptor left for some
}

std::unexpected<Failure> cannot(const std::string& address, const char* what) {
  return fail(Fault::bad_request, std::string("Cannot ") + what + " at " + address + ": " + std::strerror(errno) + ".");
}

}  // namespace

// --- the running process ---------------------------------------------------------------------------------------------

Result<std::unique_ptr<HandoverDoor>> HandoverDoor::open(const std::string& address) {
  TRY(const UnixAddress place, unix_address(address));
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot(address, "make a local socket");
  const bool named = !address.starts_with('@');
  std::unique_ptr<HandoverDoor> out(new HandoverDoor(fd, {}));
  int bound = bind(fd, raw(place), place.size);
  if (bound != 0 && errno == EADDRINUSE && named) {
    // Left behind by a process that did not end well, unless somebody answers.
    const int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool dead = probe >= 0 && connect(probe, raw(place), place.size) != 0 && errno == ECONNREFUSED;
    if (probe >= 0) ::close(probe);
    struct stat found{};
    if (dead && ::lstat(address.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) && ::unlink(address.c_str()) == 0)
      bound = bind(fd, raw(place), place.size);
    if (bound != 0) errno = EADDRINUSE;
  }
  if (bound != 0) return cannot(address, "listen for a successor");
  if (named) {
    out->path_ = address;
    ::chmod(address.c_str(), 0600);
  }
  if (listen(fd, 4) != 0) return cannot(address, "listen for a successor");
  return out;
}

HandoverDoor::~HandoverDoor() {
  see_off();
  close();
}

void HandoverDoor::close() {
  if (listening_ < 0) return;
  if (!path_.empty()) ::unlink(path_.c_str());
  ::close(std::exchange(listening_, -1));
}

void HandoverDoor::see_off() {
  if (guest_ >= 0) ::close(std::exchange(guest_, -1));
  given_ = false;
}

HandoverDoor::Said HandoverDoor::turn(const Inherited& own) {
  if (guest_ < 0) return let_in();
  return hear(own);
}

HandoverDoor::Said HandoverDoor::let_in() {
  if (listening_ < 0) return Said::nothing;
  const int fd = accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return Said::nothing;
  const auto who = peer(fd);
  if (!who || who->uid != geteuid()) {
    ::close(fd);
    return Said::stranger;
  }
  guest_ = fd;
  guest_pid_ = who->pid;
  guest_until_ = std::chrono::steady_clock::now() + guest_patience;
  return Said::nothing;
}

HandoverDoor::Said HandoverDoor::hear(const Inherited& own) {
  std::array<char, 64> packet;
  const ssize_t got = ::recv(guest_, packet.data(), packet.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    if (std::chrono::steady_clock::now() < guest_until_) return Said::nothing;
    const bool had_them = given_;
    see_off();
    return had_them ? Said::left : Said::nothing;
  }
  const std::string_view words(packet.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (words == ask && !given_ && give(own)) {
    given_ = true;
    return Said::asked;
  }
  if (words == serving && given_) {
    close();
    (void)say(guest_, yours);  // if it is gone by now, it has said that it serves
    see_off();
    return Said::serves;
  }
  const bool had_them = given_;
  see_off();
  return had_them ? Said::left : Said::nothing;
}

bool HandoverDoor::give(const Inherited& own) const {
  const std::string head = std::to_string(own.sockets.size()) + (own.activated ? " activated" : " own");
  if (!say(guest_, head)) return false;
  for (std::size_t at = 0; at < own.sockets.size(); at += per_packet) {
    if (!send_sockets(guest_, own.sockets.data() + at, std::min(per_packet, own.sockets.size() - at))) return false;
  }
  return true;
}

// --- its successor ---------------------------------------------------------------------------------------------------

Predecessor::Predecessor(Predecessor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), pid_(other.pid_), inherited_(std::exchange(other.inherited_, {})) {}

Predecessor::~Predecessor() {
  if (fd_ >= 0) ::close(fd_);
  for (const int one : inherited_.sockets) ::close(one);
}

Result<std::optional<Predecessor>> Predecessor::meet(const std::string& address, std::chrono::milliseconds patience) {
  TRY(const UnixAddress place, unix_address(address));
  Predecessor out(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (out.fd_ < 0) return cannot(address, "make a local socket");
  const timeval most{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
  setsockopt(out.fd_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  setsockopt(out.fd_, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
  if (connect(out.fd_, raw(place), place.size) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) return std::nullopt;
    return cannot(address, "reach the running process");
  }
  const auto who = peer(out.fd_);
  if (!who || who->uid != geteuid()) {
    return fail(Fault::bad_request, "The process that listens at " + address +
                                        " belongs to another user. Start this one as the user of the running one, or "
                                        "set server.handover to a path that only that user may write.");
  }
  out.pid_ = who->pid;
  TRY_VOID(out.receive());
  return std::optional<Predecessor>(std::move(out));
}

Result<void> Predecessor::receive() {
  const auto silent = [this] {
    return fail(Fault::bad_request, "The running process (" + std::to_string(pid_) +
                                        ") did not hand over its sockets. Look into its log; it goes on serving.");
  };
  if (!say(fd_, ask)) return silent();
  std::array<char, 64> packet;
  const ssize_t got = ::recv(fd_, packet.data(), packet.size(), 0);
  if (got <= 0) return silent();
  const std::string_view head(packet.data(), static_cast<std::size_t>(got));
  std::size_t count = 0;
  const auto read = std::from_chars(head.data(), head.data() + head.size(), count);
  if (read.ec != std::errc() || count == 0 || count > most_sockets) return silent();
  inherited_.activated = head.ends_with(" activated");
  while (inherited_.sockets.size() < count) {
    if (!receive_sockets(fd_, inherited_.sockets)) return silent();
  }
  return {};
}

bool Predecessor::replace() {
  std::array<char, 16> packet;
  const bool told = say(fd_, serving);
  const ssize_t got = told ? ::recv(fd_, packet.data(), packet.size(), 0) : 0;
  return got > 0 && std::string_view(packet.data(), static_cast<std::size_t>(got)) == yours;
}

}  // namespace sluice::net
