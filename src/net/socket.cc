// SPDX-License-Identifier: MIT
#include "net/socket.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::net {

void prepare_stream(int fd) {
  const auto set = [fd](int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

Socket::Socket(Loop& loop, int fd) : loop_(&loop), watch_(loop.watch(fd)) {
  if (!watch_) {
    errno_ = errno;
    ::close(fd);
  }
}

Socket::Socket(Socket&& other) noexcept
    : loop_(other.loop_),
      watch_(std::exchange(other.watch_, nullptr)),
      ssl_(std::move(other.ssl_)),
      errno_(other.errno_),
      ssl_error_(other.ssl_error_) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    loop_ = other.loop_;
    watch_ = std::exchange(other.watch_, nullptr);
    ssl_ = std::move(other.ssl_);
    errno_ = other.errno_;
    ssl_error_ = other.ssl_error_;
  }
  return *this;
}

Io Socket::read(char* to, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), to, size, &got);
    if (result == 1) return {IoState::done, got};
    return tls_state(result, false);
  }
  for (;;) {
    const ssize_t got = ::recv(watch_->fd, to, size, 0);
    if (got > 0) {
      // A departure is not lost by this: `gone` stays set, and the next read is tried at once then.
      if (static_cast<std::size_t>(got) < size && !watch_->gone) watch_->readable = false;
      watch_->unheard = 0;
      return {IoState::done, static_cast<std::size_t>(got)};
    }
    if (got == 0) return {IoState::eof, 0};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      watch_->readable = false;
      return {IoState::again, 0};
    }
    errno_ = errno;
    return {IoState::broken, 0};
  }
}

bool Socket::quiet() {
  // Drained when it was last read, and the loop has told of nothing since: no need to ask the kernel.
  if (!ssl_ && !watch_->readable) return true;
  char byte = 0;
  if (ssl_) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
    return result != 1 && tls_state(result, false).state == IoState::again;
  }
  return ::recv(watch_->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

Io Socket::write_plain(std::span<const iovec> pieces) {
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  if (loop_->more() && total <= Late::most_bytes && is_near(total)) {
    if (!watch_->kept.empty()) return {IoState::again, 0};
    watch_->unheard += static_cast<std::uint32_t>(total);
    loop_->late().put(*watch_, pieces, total);
    return {IoState::done, total};
  }
  if (!catch_up()) return {IoState::again, 0};
  // For a few hundred bytes the kernel's reading of a list of pieces costs more than putting them together.
  [[clang::uninitialized]] std::array<char, 2048> small;
  const bool gather = total <= small.size();
  msghdr message{};
  if (gather) {
    char* to = small.data();
    for (const iovec& piece : pieces) {
      if (piece.iov_len != 0) to = static_cast<char*>(::mempcpy(to, piece.iov_base, piece.iov_len));
    }
  } else {
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = std::min<std::size_t>(pieces.size(), 64);
  }
  for (;;) {
    const ssize_t sent =
        gather ? ::send(watch_->fd, small.data(), total, MSG_NOSIGNAL) : ::sendmsg(watch_->fd, &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      watch_->unheard =
          static_cast<std::uint32_t>(std::min(watch_->unheard + static_cast<std::size_t>(sent), Late::most_unheard));
      return {IoState::done, static_cast<std::size_t>(sent)};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      watch_->writable = false;
      return {IoState::again, 0};
    }
    errno_ = errno;
    return {IoState::broken, 0};
  }
}

bool Socket::is_near(std::size_t total) {
  if (watch_->unheard + total <= Late::most_unheard) return true;
  int queued = 0;
  if (watch_->late || ::ioctl(watch_->fd, SIOCOUTQ, &queued) != 0 || queued < 0) return false;
  watch_->unheard = static_cast<std::uint32_t>(std::min<std::size_t>(queued, Late::most_unheard));
  return watch_->unheard + total <= Late::most_unheard;
}

Io Socket::write(std::span<const iovec> pieces) {
  if (!ssl_) return write_plain(pieces);
  // Small pieces are put together, so that they travel in one TLS record. The same bytes make the same records however
  // they are cut, since OpenSSL wants a record that is pending offered again.
  [[clang::uninitialized]] std::array<char, 16 * 1024> record;
  std::size_t total = 0;
  std::size_t at = 0;  // in the first piece
  while (!pieces.empty()) {
    if (at == pieces.front().iov_len) {
      pieces = pieces.subspan(1);
      at = 0;
      continue;
    }
    const char* from = static_cast<const char*>(pieces.front().iov_base) + at;
    std::size_t size = pieces.front().iov_len - at;
    if (size < record.size() && pieces.size() > 1) {
      std::memcpy(record.data(), from, size);
      for (const iovec& piece : pieces.subspan(1)) {
        const std::size_t part = std::min(piece.iov_len, record.size() - size);
        if (part != 0) std::memcpy(record.data() + size, piece.iov_base, part);
        size += part;
      }
      from = record.data();
    }
    ERR_clear_error();
    std::size_t sent = 0;
    const int result = SSL_write_ex(ssl_.get(), from, size, &sent);
    if (result != 1) {
      const Io state = tls_state(result, true);
      if (state.state == IoState::again && total > 0) return {IoState::done, total};
      return state;
    }
    total += sent;
    for (at += sent; at > pieces.front().iov_len; pieces = pieces.subspan(1)) at -= pieces.front().iov_len;
  }
  return {IoState::done, total};
}

Io Socket::tls_state(int result, bool writing) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      watch_->readable = false;
      if (writing) watch_->writable = false;
      return {IoState::again, 0};
    case SSL_ERROR_WANT_WRITE: watch_->writable = false; return {IoState::again, 0};
    case SSL_ERROR_ZERO_RETURN: return {IoState::eof, 0};
    case SSL_ERROR_SYSCALL:
      errno_ = errno;
      ssl_error_ = ERR_peek_error();
      return {IoState::broken, 0};
    default:
      ssl_error_ = ERR_peek_error();
      errno_ = 0;
      return {IoState::broken, 0};
  }
}

bool Socket::catch_up() {
  if (watch_->late) loop_->late().send();
  return watch_->kept.empty();
}

void Socket::secure(Ssl ssl) {
  (void)catch_up();  // the peer asked for nothing that is not said
  ssl_ = std::move(ssl);
  SSL_set_fd(ssl_.get(), watch_->fd);
  SSL_set_mode(ssl_.get(),
               SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

Task<Result<bool>> Socket::shake(Sleeper& sleeper) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) co_return true;
    const int reason = SSL_get_error(ssl_.get(), result);
    Woke woke = Woke::ready;
    if (reason == SSL_ERROR_WANT_READ) {
      watch_->readable = false;
      woke = co_await sleeper.readable(*watch_);
    } else if (reason == SSL_ERROR_WANT_WRITE) {
      watch_->writable = false;
      woke = co_await sleeper.writable(*watch_);
    } else {
      errno_ = reason == SSL_ERROR_SYSCALL ? errno : 0;
      ssl_error_ = ERR_peek_error();
      std::string why = error();
      if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
        why = std::string("certificate refused: ") + X509_verify_cert_error_string(verdict);
      }
      co_return fail(Fault::upstream_unreachable, "The upstream's TLS handshake failed.", "TLS: " + why);
    }
    if (woke == Woke::timeout)
      co_return fail(Fault::upstream_timeout, "The upstream did not connect in time.", "TLS handshake timed out");
    if (woke == Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
  }
}

void Socket::finish() {
  if (catch_up()) ::shutdown(watch_->fd, SHUT_WR);
}

void Socket::close() {
  if (!watch_) return;
  if (!catch_up()) return abort();
  if (ssl_ && SSL_is_init_finished(ssl_.get()) && ssl_error_ == 0 && errno_ == 0) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // one record, if the kernel takes it; nobody waits for the answer
  }
  ssl_.reset();
  loop_->drop(std::exchange(watch_, nullptr));
}

void Socket::abort() {
  if (!watch_) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(watch_->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ssl_.reset();
  loop_->drop(std::exchange(watch_, nullptr));
}

std::string Socket::error() const {
  if (ssl_error_ != 0) {
    std::array<char, 200> text{};
    ERR_error_string_n(ssl_error_, text.data(), text.size());
    return text.data();
  }
  return errno_ != 0 ? std::strerror(errno_) : "connection closed";
}

std::string Socket::peer() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (!watch_ || getpeername(watch_->fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text.data(), text.size());
  } else if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text.data(), text.size());
  }
  std::string out = text.data();
  if (out.starts_with("::ffff:") && out.find('.') != std::string::npos) out.erase(0, 7);
  return out;
}

}  // namespace sluice::net
