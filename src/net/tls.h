// TLS on both sides: what is needed to begin a connection as a client (verified, resumed when possible) or as a server
// (certificate files that may change while running). Not here: records and the handshake (socket.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/ssl.h>

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "net/socket.h"

namespace sluice::net {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

struct SslSessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SslSession = std::unique_ptr<SSL_SESSION, SslSessionFree>;

// Client contexts and their sessions. One per loop, used on its thread only.
class TlsClients {
 public:
  TlsClients() = default;
  TlsClients(const TlsClients&) = delete;
  TlsClients& operator=(const TlsClients&) = delete;
  ~TlsClients();

  // A TLS client ready for Socket::secure: the peer must prove that it is `host` (a name or a numeric address) to the
  // system's roots or those in `ca_file` (may be empty); TLS 1.2 or later; HTTP/1.1. Error: upstream_unreachable, when
  // `ca_file` cannot be used.
  [[nodiscard]] Result<Ssl> begin(std::string_view host, std::uint16_t port, const std::string& ca_file);

  // Origins whose session is remembered, for tests.
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

 private:
  static constexpr std::size_t most_sessions = 512;
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  [[nodiscard]] Result<SSL_CTX*> context(const std::string& ca_file);
  void keep(const std::string& origin, SslSession session);

  std::unordered_map<std::string, SslContext> contexts_;  // by ca_file
  // By origin, the newest last: the oldest is forgotten first.
  struct Kept {
    SslSession session;
    std::list<std::string>::iterator place;
  };
  std::unordered_map<std::string, Kept> sessions_;
  std::list<std::string> order_;
};

// The server side of one listener: certificate chain and key. Shared by all workers; begin() and reload() may be called
// from any thread.
class TlsServer {
 public:
  // PEM files. Error: bad_request with a sentence that names the file and what is wrong with it.
  [[nodiscard]] static Result<std::shared_ptr<TlsServer>> make(std::string cert_file, std::string key_file);

  // Reads the files again. New connections use them; on an error the old ones stay in use.
  [[nodiscard]] Result<bool> reload();
  // A TLS server ready for Socket::secure. Null when memory is out.
  [[nodiscard]] Ssl begin() const;

 private:
  TlsServer(std::string cert_file, std::string key_file, SslContext context);
  const std::string cert_file_, key_file_;
  mutable std::mutex mutex_;
  SslContext context_;
};

}  // namespace sluice::net
