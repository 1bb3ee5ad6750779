// Messages of application/vnd.amazon.eventstream, both ways: bytes in any pieces -> checked messages whose raw bytes
// can be forwarded untouched, and messages -> bytes. Not here: what a message means. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::aws_eventstream {

// The numbers are the wire's.
enum class HeaderType : std::uint8_t {
  bool_true = 0,
  bool_false = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  bytes = 6,
  string = 7,
  timestamp = 8,  // milliseconds since 1970
  uuid = 9,
};

struct Header {
  std::string_view name;
  HeaderType type = HeaderType::string;
  std::string_view value;  // as on the wire without its length: big-endian numbers, 16 bytes of a uuid; empty for bools
};
// The value of a number or timestamp; nullopt for the other types.
[[nodiscard]] std::optional<std::int64_t> integer(const Header& header);

struct Message {
  std::string_view message_type;  // :message-type, "event", "exception" or "error"; empty when it is not said
  std::string_view event_type;    // :event-type, or what an exception or error has instead: its type or code
  std::string_view payload;
  std::string_view raw;  // exact bytes, checksums included
  std::span<const Header> headers;

  // The value of a header of type string, or empty.
  [[nodiscard]] std::string_view text(std::string_view name) const;
};

struct Limits {
  std::size_t message = 16 * 1024 * 1024;  // bytes of a whole message
  std::size_t headers = 128 * 1024;
};

// Feed a piece, then call next() until it answers nullopt. Messages are views into the fed piece or the inner buffer:
// valid until the next call of next() or feed(). Only an unfinished tail is copied.
class Framer {
 public:
  explicit Framer(Limits limits = {}) : limits_(limits) {}
  void feed(std::string_view bytes);
  // Error: upstream_broken for a wrong checksum, impossible lengths, a broken header or a limit; nothing more comes
  // then.
  [[nodiscard]] Result<std::optional<Message>> next();
  // Bytes of a message that is not complete.
  [[nodiscard]] std::size_t held() const { return text().size() - at_; }

 private:
  [[nodiscard]] std::string_view text() const { return inside_ ? std::string_view(buffer_) : piece_; }
  [[nodiscard]] bool read_headers(std::string_view bytes);
  std::unexpected<Failure> broken(std::string_view why);
  Limits limits_;
  std::string buffer_;         // the unfinished tail of earlier pieces, and the piece that completed it
  std::string_view piece_;     // the piece last fed, when nothing was held back
  std::size_t at_ = 0;         // start of the next message in text()
  bool inside_ = false;        // text() is buffer_
  bool prelude_seen_ = false;  // of the message at at_: its lengths are known to be good
  std::string_view why_;       // why the stream is dead; empty while it is not
  std::vector<Header> headers_;
};

// Appends one message. False, and nothing is appended, when a name, a value or the whole is longer than the form (or
// the default limits) can say, or a value does not fit its type.
[[nodiscard]] bool append_message(std::string& out, std::span<const Header> headers, std::string_view payload);
// Appends an event with a JSON payload: ":event-type", ":content-type", ":message-type".
[[nodiscard]] bool append_event(std::string& out, std::string_view event_type, std::string_view payload);
// The same for an exception.
[[nodiscard]] bool append_exception(std::string& out, std::string_view exception_type, std::string_view payload);

}  // namespace sluice::aws_eventstream
