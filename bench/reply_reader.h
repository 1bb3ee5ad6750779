// Reads one reply after another from a proxy and judges it: strict HTTP/1.1 framing, status 200, the whole text with
// its end mark and token counts, every event of a stream, the dialect's proper end, and the request's own tag
// throughout. A proxy that loses, mixes up or cuts anything is counted as wrong, not as fast. No sockets.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "ask.h"

namespace bench {

struct Expected {
  const Manner* manner = nullptr;
  bool stream = false;
  Steering steer;
};

class ReplyReader {
 public:
  enum class State { more, done, wrong };

  // Prepares for the reply to the request that carried `tag`.
  void begin(const Expected& expected, const Tag& tag) {
    expected_ = &expected;
    tag_ = tag;
    part_ = Part::head;
    head_.clear();
    line_.clear();
    events_ = 0;
    seen_ = {};
    started_ = false;
  }

  // Takes bytes from the front of `bytes`. `on_event(stamp)` is called for each paced event with its mock time.
  template <class OnEvent>
  State feed(std::string_view& bytes, OnEvent&& on_event) {
    for (;;) {
      switch (part_) {
        case Part::head: {
          if (!take_line(bytes)) return State::more;
          if (line_.empty()) {  // the head's end
            if (!read_head()) return wrong("bad head");
            continue;
          }
          head_.append(line_).append("\r\n");
          line_.clear();
          continue;
        }
        case Part::counted: {
          const auto some = bytes.substr(0, left_);
          bytes.remove_prefix(some.size());
          left_ -= some.size();
          body(some, on_event);
          if (left_ != 0) return State::more;
          return judge();
        }
        case Part::chunk_size: {
          if (!take_line(bytes)) return State::more;
          const auto [end, fault] = std::from_chars(line_.data(), line_.data() + line_.size(), left_, 16);
          if (fault != std::errc{} || (end != line_.data() + line_.size() && *end != ';'))
            return wrong("bad chunk size");
          line_.clear();
          part_ = left_ == 0 ? Part::trailer : Part::chunk;
          continue;
        }
        case Part::chunk: {
          const auto some = bytes.substr(0, left_);
          bytes.remove_prefix(some.size());
          left_ -= some.size();
          body(some, on_event);
          if (left_ != 0) return State::more;
          part_ = Part::chunk_end;
          continue;
        }
        case Part::chunk_end: {
          if (!take_line(bytes)) return State::more;
          if (!line_.empty()) return wrong("chunk longer than its size");
          part_ = Part::chunk_size;
          continue;
        }
        case Part::trailer: {
          if (!take_line(bytes)) return State::more;
          if (line_.empty()) return judge();
          line_.clear();
          continue;
        }
      }
    }
  }

  [[nodiscard]] bool started() const { return started_; }  // a body byte has come
  [[nodiscard]] unsigned events() const { return events_; }
  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  [[nodiscard]] const std::string& head() const { return head_; }

 private:
  enum class Part { head, counted, chunk_size, chunk, chunk_end, trailer };

  State wrong(std::string_view why) {
    complaint_.assign(why).append("; head: ").append(head_).append("; body: ").append(text_, 0, 400);
    return State::wrong;
  }

  // Moves one line without its CRLF into line_. False when it is not all here.
  bool take_line(std::string_view& bytes) {
    const auto end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    if (end == bytes.npos) return false;
    if (line_.ends_with('\r')) line_.pop_back();
    return true;
  }

  bool read_head() {
    const std::string_view head = head_;
    text_.clear();
    sse_line_.clear();
    status_ok_ = head.starts_with("HTTP/1.1 200 ");
    if (const auto length = header(head, "content-length"); !length.empty()) {
      part_ = Part::counted;
      return std::from_chars(length.data(), length.data() + length.size(), left_).ec == std::errc{};
    }
    part_ = Part::chunk_size;
    return !header(head, "transfer-encoding").empty();
  }

  template <class OnEvent>
  void body(std::string_view bytes, OnEvent&& on_event) {
    started_ = started_ || !bytes.empty();
    if (!expected_->stream || !status_ok_) {
      text_.append(bytes);
      return;
    }
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      if (end == bytes.npos) {
        sse_line_.append(bytes);
        return;
      }
      std::string_view line = bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (!sse_line_.empty()) line = sse_line_.append(line);
      sse_event(line, on_event);
      sse_line_.clear();
    }
  }

  template <class OnEvent>
  void sse_event(std::string_view line, OnEvent&& on_event) {
    if (!line.starts_with("data:")) return;
    if (const auto at = line.find(stamp_name); at != line.npos) {
      std::uint64_t stamp = 0;
      const char* from = line.data() + at + stamp_name.size();
      std::from_chars(from, line.data() + line.size(), stamp);
      const auto tag = line.find(tag_name, at);
      if (tag == line.npos ||
          line.substr(tag + tag_name.size(), tag_size) != std::string_view(tag_.data(), tag_.size()))
        return;  // then one is missing
      ++events_;
      on_event(stamp);
    }
    expected_->manner->watch(line, seen_);
  }

  State judge() {
    if (!status_ok_) return wrong("status");
    if (expected_->stream) {
      if (events_ != expected_->steer.events) return wrong("events lost");
      return seen_.finished && seen_.ended ? State::done : wrong("no proper end of the stream");
    }
    const std::string_view text = text_;
    const auto end = text.find(reply_end);
    if (text.size() < expected_->steer.text || end == text.npos || end < tag_size + 1) return wrong("reply cut short");
    if (text.substr(end - tag_size - 1, tag_size) != std::string_view(tag_.data(), tag_.size()))
      return wrong("another request's reply");
    if (!text.starts_with('{') || !text.ends_with('}')) return wrong("not an object");
    return expected_->manner->counted(text) ? State::done : wrong("stop reason or token counts are wrong");
  }

  const Expected* expected_ = nullptr;
  Tag tag_{};
  Part part_ = Part::head;
  std::string head_, line_, text_, sse_line_, complaint_;
  std::size_t left_ = 0;
  unsigned events_ = 0;
  bool status_ok_ = false, started_ = false;
  Seen seen_;
};

}  // namespace bench
