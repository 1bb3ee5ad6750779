// Server-sent events as frames (WHATWG HTML, "Parsing an event stream"): bytes in any pieces -> frames whose raw bytes
// can be forwarded untouched. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sse {

struct Frame {
  std::string_view event;  // empty when not named
  std::string_view data;   // data lines joined by LF
  std::string_view raw;    // exact bytes, blank line included
  bool has_data = false;   // false: comments, ids or retry hints only
};

// Feed a piece, then call next() until it answers nullopt. Frames are views into the fed piece or the inner buffer:
// valid until the next feed(). Only an unfinished tail is copied.
class Framer {
 public:
  explicit Framer(std::size_t limit = 16 * 1024 * 1024) : limit_(limit) {}
  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<Frame> next();
  // What stands behind the last blank line, as a frame: for streams that end without one. nullopt when nothing is left.
  [[nodiscard]] std::optional<Frame> rest();
  // A frame grew over the limit; nothing more will come.
  [[nodiscard]] bool overflown() const { return overflown_; }
  // Bytes held back because their frame is not complete.
  [[nodiscard]] std::size_t held() const {
    return buffer_.size() - (inside_ ? at_ : 0) + (inside_ ? 0 : piece_.size() - at_);
  }

 private:
  [[nodiscard]] std::string_view text() const { return inside_ ? std::string_view(buffer_) : piece_; }
  Frame read(std::string_view raw);
  void hold();
  std::size_t limit_;
  std::string buffer_;        // the unfinished tail of earlier pieces, and the piece that completed it
  std::string_view piece_;    // the piece last fed, when nothing was held back
  std::size_t at_ = 0;        // start of the next frame in text()
  std::size_t searched_ = 0;  // how far text() was searched for a blank line
  bool inside_ = false;       // text() is buffer_
  bool first_ = true;         // a byte order mark may still come
  bool overflown_ = false;
  std::string joined_;  // data of several lines
};

// Appends one event. No field can carry a line break: data with several lines becomes several data lines.
void append_event(std::string& out, std::string_view event, std::string_view data);
// The same for JSON, which may have come with line breaks between its tokens and stands in one line.
void append_json(std::string& out, std::string_view event, std::string_view data);
// Appends ": text" and a blank line.
void append_comment(std::string& out, std::string_view text);

}  // namespace sluice::sse
