// A connected stream socket on a loop: plain, or TLS directly on the descriptor. Non-blocking; the caller sleeps on
// watch(). SPDX-License-Identifier: MIT
#pragma once

#include <openssl/ssl.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "net/loop.h"

namespace sluice::net {

enum class IoState : std::uint8_t {
  done,    // `size` bytes went through
  again,   // nothing now: sleep on the watch (for reading or writing as was tried)
  eof,     // the peer closed properly
  broken,  // the connection is dead; error() says why
};
struct Io {
  IoState state = IoState::done;
  std::size_t size = 0;
};

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslFree>;

class Socket {
 public:
  Socket() = default;
  // Takes a connected, non-blocking descriptor. Not open() when the kernel refuses to watch it.
  Socket(Loop& loop, int fd);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { close(); }

  [[nodiscard]] bool open() const { return watch_ != nullptr; }
  [[nodiscard]] Watch& watch() { return *watch_; }
  [[nodiscard]] bool gone() const { return watch_->gone; }
  [[nodiscard]] bool tls() const { return ssl_ != nullptr; }
  [[nodiscard]] SSL* ssl() { return ssl_.get(); }
  [[nodiscard]] Loop& loop() { return *loop_; }

  // Reads what is there. A short read of a plain socket means drained: the watch is then not readable any more.
  [[nodiscard]] Io read(char* to, std::size_t size);
  // True when nothing waits to be read and the peer is there: what an idle connection must be to serve again.
  [[nodiscard]] bool quiet();
  // Writes as much as the peer takes now: all pieces, some bytes (size tells), or none (again). What was not taken must
  // be offered again as the next bytes, cut as you like, but not fewer of them.
  [[nodiscard]] Io write(std::span<const iovec> pieces);

  // Speaks TLS from now on; the handshake is run by shake(). `ssl` is set to connect or accept state by the caller.
  void secure(Ssl ssl);
  // Runs the handshake until it is over, the sleeper's deadline, or a cancel. Errors: upstream_unreachable with
  // OpenSSL's own words (certificate problems named), upstream_timeout, client_gone when cancelled.
  [[nodiscard]] Task<Result<bool>> shake(Sleeper& sleeper);

  // Says that nothing more will be written, by TCP's means.
  void finish();
  // Says goodbye in TLS when it can be said without waiting, and closes.
  void close();
  // Closes with a reset, so that the peer cannot take what it has for the whole.
  void abort();
  // What the kernel or OpenSSL last complained of.
  [[nodiscard]] std::string error() const;
  [[nodiscard]] std::string peer() const;  // numeric address without port; empty when unknown

 private:
  [[nodiscard]] Io write_plain(std::span<const iovec> pieces);
  // Whether the peer is not further behind than late writes allow, with so many bytes more.
  [[nodiscard]] bool is_near(std::size_t total);
  // Sends what is late. False: the peer has not taken all of it.
  bool catch_up();
  [[nodiscard]] Io tls_state(int result, bool writing);
  Loop* loop_ = nullptr;
  Watch* watch_ = nullptr;
  Ssl ssl_;
  int errno_ = 0;
  unsigned long ssl_error_ = 0;
};

// Options of every stream socket: TCP_NODELAY; keep-alive probes so that a dead peer is noticed within about 2 minutes.
void prepare_stream(int fd);

}  // namespace sluice::net
