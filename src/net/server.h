// A client's HTTP/1.1 connection as the gateway sees it: heads and bodies in, bytes out. Requests on one connection are
// served one after the other. Not here: what a request means. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "net/outbox.h"
#include "net/socket.h"
#include "wire/http1.h"

namespace sluice::net {

// One per loop: where reads land first. Its content is gone at the next sleep of anybody.
struct Scratch {
  static constexpr std::size_t size = 64 * 1024;
  Scratch();
  std::string bytes;  // always `size` long
  // The buffer itself, cut to its first `used` bytes: what is large is handed on without a copy. Another one takes its
  // place, so that views into `bytes` are gone.
  [[nodiscard]] std::string take(std::size_t used);
  // For a buffer of take() that is not needed any more, whatever it holds; anything else is just freed.
  void give_back(std::string buffer);
  // Request heads are big and short-lived: they are lent out and come back.
  std::vector<std::unique_ptr<http1::RequestHead>> heads;

 private:
  std::vector<std::string> spare_;
};

class ServerConnection {
 public:
  ServerConnection(Socket socket, Sleeper& sleeper, Scratch& scratch)
      : socket_(std::move(socket)), sleeper_(sleeper), scratch_(scratch) {}
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  struct Patience {
    std::int64_t idle_ms = 75'000;    // for the first byte of a request
    std::int64_t head_ms = 10'000;    // from then to the end of its head
    std::int64_t body_ms = 60'000;    // longest silence inside its body
    std::int64_t write_ms = 300'000;  // longest time in which the client takes nothing
  };

  // Sleeps until a request's head is complete. False: the client closed, or was idle too long, between two requests.
  // Errors: bad_request and the like with `status` (400, 431, 501, 505) for a broken head, request_timeout,
  // client_gone. After an error the connection must be closed once it is answered.
  [[nodiscard]] Task<Result<bool>> receive_head(const Patience& patience);
  // The head last received. Views live until release_request() or the body grows (receive_body reads it anew).
  [[nodiscard]] const http1::RequestHead& head() const { return *head_; }
  // The whole body, decoded if chunked; says "100 Continue" when the client waits for it. Asked again, the same. The
  // view lives until release_request(). Errors: too_large, request_timeout, client_gone, bad_request (chunk framing).
  [[nodiscard]] Task<Result<std::string_view>> receive_body(const Patience& patience, std::size_t max);
  // The body piece by piece instead, decoded if chunked, for what is too large to be held. begin_body() comes first: it
  // says "100 Continue" when the client waits for it. Errors: client_gone.
  [[nodiscard]] Task<Result<bool>> begin_body(const Patience& patience);
  enum class Body : std::uint8_t { piece, wait, over };
  // The next piece; its view lives until the next call or sleep of anybody. `wait`: sleep until the socket is readable.
  // head() must not be called any more once the body is over. Errors: client_gone, bad_request (chunk framing).
  [[nodiscard]] Result<Body> take_body(std::string_view& payload);
  // Gives the head's index back, which is large; what its views point to stays. head() must not be called until the
  // next request.
  void release_head();
  // True when the whole request has been read from the wire.
  [[nodiscard]] bool request_read() const { return body_read_; }
  // Forgets head and body, and their memory when it is more than `keep`; what the client sent beyond stays for the next
  // request.
  void release_request(std::size_t keep = 4096);

  // Sends the pieces, or keeps what the client does not take yet: then co_await flush() before anything else.
  [[nodiscard]] Sent send(std::span<const iovec> pieces) { return outbox_.send(socket_, pieces); }
  // Errors: client_gone, also when the client takes nothing for write_ms.
  [[nodiscard]] Task<Result<bool>> flush(const Patience& patience);
  // Lets the client read what was sent before the connection closes, though it still sends (RFC 9112, 9.6).
  [[nodiscard]] Task<void> linger();

  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] Sleeper& sleeper() { return sleeper_; }
  // Bytes of the current request's body on the wire.
  [[nodiscard]] bool idle() const { return in_.size() == used_; }

 private:
  [[nodiscard]] Result<bool> parse_head();
  [[nodiscard]] Task<Result<bool>> more(std::int64_t deadline_ms);
  void end_body();
  Socket socket_;
  Sleeper& sleeper_;
  Scratch& scratch_;
  Outbox outbox_;
  std::string in_;        // the current request, and what came after it
  std::size_t used_ = 0;  // bytes of in_ that belong to the current request
  std::size_t seen_ = 0;
  std::string decoded_;  // a chunked body
  // Of a body that is taken piece by piece: what was read and not taken, in in_ (its end, then) or in the scratch.
  std::string_view left_;
  bool left_in_ = false;
  bool counted_ = false;  // it has a length, else chunks
  std::uint64_t length_left_ = 0;
  http1::ChunkFollower chunks_;
  std::unique_ptr<http1::RequestHead> head_;
  std::size_t head_size_ = 0;
  bool body_read_ = true;
};

}  // namespace sluice::net
