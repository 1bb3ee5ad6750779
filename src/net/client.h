// One HTTP/1.1 connection to an upstream, for one call at a time: request out, head and body pieces in. Kept alive in a
// Pool between calls. Not here: connecting (connect.h), retries, meaning. SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "net/outbox.h"
#include "net/server.h"
#include "net/socket.h"
#include "wire/http1.h"

namespace sluice::net {

class ClientConnection {
 public:
  explicit ClientConnection(Socket socket, bool fresh = true) : socket_(std::move(socket)), fresh_(fresh) {}
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  enum class Step : std::uint8_t {
    ready,   // a head or a piece is there
    wait,    // sleep until the socket is readable (or writable while the request is still leaving)
    over,    // the body is complete
    broken,  // cut, malformed, or the peer reset; why() tells
  };

  // Starts a call: sends the pieces, keeps what does not leave at once. `head_only`: it asks with HEAD, so that no body
  // comes back.
  void begin(std::span<const iovec> request, bool head_only = false);
  // Sends more of a request that begin() has not sent whole. Only when sending() is false; false: the connection broke.
  [[nodiscard]] bool send(std::span<const iovec> pieces);
  // Sends more of what was kept. False when the connection broke.
  [[nodiscard]] bool push();
  [[nodiscard]] bool sending() const { return outbox_.size() != 0; }

  // Looks for the response head (1xx are skipped). ready: head() is filled, its views live until the next read.
  [[nodiscard]] Step read_head(Scratch& scratch, http1::ResponseHead& head);
  // The next piece of the body's payload, framing taken off; views live until the next read or sleep. Take pieces until
  // it says something else than ready before sleeping: what was read but not taken is lost otherwise.
  [[nodiscard]] Step read_body(Scratch& scratch, std::string_view& payload);

  // True once at least one byte of the response has arrived.
  [[nodiscard]] bool answered() const { return answered_; }
  // True when this connection may serve another call.
  [[nodiscard]] bool reusable() const { return keep_alive_ && over_ && !sending() && left_.empty() && !socket_.gone(); }
  [[nodiscard]] bool fresh() const { return fresh_; }
  // Made ready for the next call.
  void reuse();
  [[nodiscard]] std::string_view why() const { return why_; }
  [[nodiscard]] Socket& socket() { return socket_; }

 private:
  [[nodiscard]] Step fill(Scratch& scratch);
  [[nodiscard]] Step broken(std::string why);
  Socket socket_;
  Outbox outbox_;
  std::string held_;       // an incomplete head
  std::string_view left_;  // read but not taken yet; into the scratch or held_
  std::string why_;
  http1::ChunkFollower chunks_;
  http1::Body body_;
  std::uint64_t length_left_ = 0;
  std::size_t seen_ = 0;
  bool fresh_;
  bool answered_ = false;
  bool keep_alive_ = false;
  bool over_ = false;
  bool head_only_ = false;
};

}  // namespace sluice::net
