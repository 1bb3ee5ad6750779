// HTTP/1.1 framing as pure functions over bytes: heads, bodies, chunks. Strict: whatever two readers could frame in two
// ways is refused (RFC 9112; RFC 9110 for fields). Not here: sockets, meaning of fields beyond framing.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http1 {

struct Limits {
  std::size_t head = 32 * 1024;  // bytes of a head, request line included
};
inline constexpr std::size_t max_fields = 100;

struct Field {
  std::string_view name;   // as it came
  std::string_view value;  // without white space around it
};

// Fields of one head, in order. Views into the buffer that was parsed.
class Fields {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Field* begin() const { return fields_.data(); }
  [[nodiscard]] const Field* end() const { return fields_.data() + size_; }
  // First value of that name (ASCII case aside), or empty.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  bool add(Field field) {
    if (size_ == max_fields) return false;
    fields_[size_++] = field;
    return true;
  }
  void clear() { size_ = 0; }

 private:
  std::array<Field, max_fields> fields_;
  std::size_t size_ = 0;
};

enum class BodyKind : std::uint8_t { none, length, chunked, until_close };
struct Body {
  BodyKind kind = BodyKind::none;
  std::uint64_t length = 0;  // for BodyKind::length
};

struct RequestHead {
  std::string_view method;
  std::string_view target;     // as it came: "/path?query", "*" or an absolute form
  std::string_view authority;  // Host (or that of an absolute form)
  int minor = 1;
  Fields fields;
  Body body;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minor = 1;
  Fields fields;
  Body body;
  bool keep_alive = true;
};

enum class Step : std::uint8_t { more, done, bad };
struct Parsed {
  Step step = Step::more;
  std::size_t consumed = 0;  // bytes of the head when done
  int status = 400;          // for bad: the fitting answer
  std::string_view why;      // for bad: a sentence
};

// Parses the head at the front of `buffer`. Call again with more bytes while it says more; `seen` is the caller's, 0 at
// first: it remembers how far the end of the head was searched, so that byte-wise arrival stays linear.
[[nodiscard]] Parsed parse_request(std::string_view buffer, const Limits& limits, std::size_t& seen, RequestHead& out);
// `head_request`: the response answers a HEAD, so it has no body whatever its fields say.
[[nodiscard]] Parsed parse_response(std::string_view buffer, const Limits& limits, std::size_t& seen, bool head_request,
                                    ResponseHead& out);

// Follows a chunked body without copying: take() looks at the next bytes and tells which of them are payload.
class ChunkFollower {
 public:
  struct Piece {
    Step step = Step::more;    // more: feed what comes next; done: the body and its trailers are over
    std::size_t consumed = 0;  // bytes of the input that were looked at
    std::string_view payload;  // payload inside the consumed bytes, may be empty
  };
  // Looks at one stretch: at most up to the end of the current chunk's payload. Call again with the rest of the input
  // until everything is consumed or the step is done or bad.
  [[nodiscard]] Piece take(std::string_view input);
  [[nodiscard]] bool done() const { return state_ == State::over; }

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    last_lf,
    over,
    bad
  };
  State state_ = State::size;
  std::uint64_t left_ = 0;
  std::uint32_t line_ = 0;  // bytes of the current size line or of all trailers
  std::uint8_t digits_ = 0;
};

// True for a legal field name, and for a value without CR, LF, NUL or other controls.
[[nodiscard]] bool is_token(std::string_view text);
[[nodiscard]] bool is_value(std::string_view text);

// Appends "name: value\r\n"; a field that is not legal is left out (no caller's text may split a head).
void append_field(std::string& out, std::string_view name, std::string_view value);
// Appends "HTTP/1.1 200 OK\r\n".
void append_status_line(std::string& out, int status);
[[nodiscard]] std::string_view reason_phrase(int status);
// Appends "1a\r\n"; the caller appends the payload and "\r\n". The last chunk is "0\r\n\r\n".
void append_chunk_size(std::string& out, std::size_t size);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace sluice::http1
