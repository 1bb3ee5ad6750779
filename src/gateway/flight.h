// One upstream call: its connection, its clocks, its attempt in the record. It lives as long as somebody reads it; the
// last reader's departure closes the connection, which is what cancels the call at the vendor.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "config/snapshot.h"
#include "gateway/exchange.h"
#include "net/client.h"
#include "policy/health.h"
#include "upstream/lines.h"
#include "wire/decoder.h"

namespace sluice {

// Sends a comment to a client that streams, so that it does not give up while the upstream thinks.
class Company {
 public:
  virtual ~Company() = default;
  [[nodiscard]] virtual Task<Result<bool>> keep(Exchange& ex) = 0;
};

// The rest of a request's body, while it still arrives.
class Supply {
 public:
  virtual ~Supply() = default;
  enum class Got : std::uint8_t { piece, wait, end };
  // The next bytes for the upstream, framed as its head says; `end` once there are none any more. Views live until the
  // next call or sleep. Errors: client_gone, bad_request.
  [[nodiscard]] virtual Result<Got> next(std::string_view& bytes) = 0;
  // True once bytes were taken that cannot be had again: no other target can be tried then.
  [[nodiscard]] virtual bool begun() const = 0;
};

class Flight {
 public:
  // With `own_address` ("http://host:port", the gateway's as the client knows it; it must outlive the flight) the
  // answer is passed on untouched, with its coding and its fields.
  // `permit` hears how it ended.
  Flight(Exchange& ex, const Target& target, bool stream, Permit permit, std::string_view own_address = {});
  // The same, asleep with another sleeper than the exchange's; both must outlive it, or it is told of another.
  Flight(Exchange& ex, net::Sleeper& sleeper, const Target& target, bool stream, Permit permit,
         std::string_view own_address = {});
  ~Flight();
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  struct Head {
    int status = 0;
    bool event_stream = false;  // a stream's content type, of any dialect
    std::string content_type;
    std::string relayed;  // field lines that go along to the client
    std::optional<std::chrono::milliseconds> retry_after;
    std::string error_kind;                                   // for Dialect::read_error
    std::optional<std::int64_t> input_tokens, output_tokens;  // where a field tells them (Bedrock's InvokeModel)
    // When untouched:
    std::optional<std::uint64_t> length;  // of the body as it comes
    std::string coding;                   // its Content-Encoding
  };

  // Connects or takes an idle connection, sends, and waits for the response head; once more on a fresh connection when
  // an idle one turns out dead before a byte was answered. Errors: upstream_unreachable, _timeout, _broken,
  // client_gone; rate_limited, when a budget has not so much left.
  [[nodiscard]] Task<Result<Head>> begin(std::string_view head, std::string_view body, Company* company);

  // The same for a body that still arrives: `body` is its beginning, `rest` what follows. While it is sent, the first
  // token's clock runs between two steps of the upstream, the client's own between two of the client. The head may come
  // before all was sent. Errors also: request_timeout and those of the supply.
  [[nodiscard]] Task<Result<Head>> upload(std::string_view head, std::string_view body, Supply& rest);

  // The next piece of the body, decompressed; empty at its end. Views live until the next call or sleep. `more` tells
  // whether another piece is at hand without sleeping. Errors: upstream_broken, upstream_timeout, client_gone.
  enum class Got : std::uint8_t { piece, wait, end };
  [[nodiscard]] Result<Got> take(std::string_view& payload);
  // All of the body. Errors also: upstream_broken when it is larger than `most`.
  [[nodiscard]] Task<Result<std::string>> take_all(Company* company, std::size_t most);
  // Sleeps until the upstream has something to read.
  [[nodiscard]] Task<Result<bool>> wait(Company* company);

  // take() and wait() in turn, for who has nothing else to do meanwhile. Never `wait`; an error is told to the attempt.
  [[nodiscard]] Task<Result<Got>> next(std::string_view& payload, Company* company);

  // Sleeps until there is something to read, or the sleeper's own deadline.
  [[nodiscard]] net::Sleeper::Sleep readable() { return sleeper_->readable(connection_->socket().watch()); }
  // Sleeps with this one from here on.
  void sleep_with(net::Sleeper& sleeper) { sleeper_ = &sleeper; }

  // From here on the clock between tokens runs instead of the one to the first token.
  void first_token();
  // The answer is complete: the connection may serve again.
  void land();
  void failed(const Error& error);
  // It ended in this error after a whole answer. The upstream is well when it found fault with the request.
  void refused(const Error& error);

  [[nodiscard]] const Line& line() const { return *line_; }
  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] Attempt& attempt() { return ex_.record.attempts[attempt_]; }
  // Which of the record's attempts it is.
  [[nodiscard]] std::size_t place() const { return attempt_; }

 private:
  [[nodiscard]] const Timeouts& clocks() const { return own_clocks_ ? *own_clocks_ : target_.clocks(); }
  [[nodiscard]] std::optional<double> learnt_p99(std::int64_t now_ms) const;
  [[nodiscard]] Task<Result<bool>> connect(bool may_be_idle);
  [[nodiscard]] Result<Head> take_head(const http1::ResponseHead& response);
  [[nodiscard]] bool goes_on();
  void end(Outcome outcome, std::optional<std::chrono::milliseconds> retry_after = {});
  Exchange& ex_;
  net::Sleeper* sleeper_;
  Target target_;
  std::unique_ptr<const Timeouts> own_clocks_;  // where the request asks for others than the target's
  std::shared_ptr<const Line> line_;
  std::unique_ptr<net::ClientConnection> connection_;
  std::unique_ptr<Decoder> decoder_;
  std::string decoded_;
  Permit permit_;
  std::size_t attempt_;
  bool stream_;
  std::string_view own_address_;
  bool cut_off_ = false;  // the answer came before the request had left: its connection cannot serve again
  std::int64_t first_by_ms_ = net::never;  // first token
  std::int64_t total_by_ms_ = net::never;
  std::int64_t silent_since_ms_ = 0;  // 0: the first token has not come
};

}  // namespace sluice
