// A stream that is one JSON array: its elements as frames, whatever pieces it comes in. SPDX-License-Identifier: MIT
#include "dialects/gemini/codec.h"

namespace sluice::gemini {
namespace {

constexpr std::size_t limit = 16 * 1024 * 1024;

bool blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// raw of a frame: from behind the last element to the end of this one, so that all raws in a row are the stream. A
// closing bracket is a frame that says nothing.
class ArrayFramer final : public Framer {
 public:
  void feed(std::string_view bytes) override {
    forget_read();
    if (inside_) {
      buffer_ += bytes;
    } else {
      piece_ = bytes;
    }
  }

  Result<std::optional<Frame>> next() override {
    if (dead_) return broken("the stream is dead");
    const std::string_view all = text();
    for (; seen_ < all.size(); ++seen_) {
      const char c = all[seen_];
      if (depth_ > 0) {
        if (inside(c)) return frame(all, false);
        continue;
      }
      if (blank(c)) continue;
      if (c == '{' && (place_ == Place::before || place_ == Place::open || place_ == Place::comma)) {
        started_ = true;
        start_ = seen_;
        depth_ = 1;
        place_ = place_ == Place::before ? Place::lone : Place::element;
      } else if (c == '[' && place_ == Place::before) {
        place_ = Place::open;
      } else if (c == ',' && place_ == Place::element) {
        place_ = Place::comma;
      } else if (c == ']' && (place_ == Place::element || place_ == Place::open)) {
        place_ = Place::closed;
        start_ = seen_;
        return frame(all, true);
      } else {
        return broken(std::string("'") + c + "' between the elements of a JSON array");
      }
    }
    if (all.size() - at_ > limit) return broken("an array element over the limit");
    forget_read();
    return std::nullopt;
  }

  Result<std::optional<Frame>> end() override {
    if (dead_) return broken("the stream is dead");
    if (depth_ > 0) return broken("cut inside an array element");
    return std::nullopt;
  }

 private:
  enum class Place : std::uint8_t { before, open, element, comma, closed, lone };

  [[nodiscard]] std::string_view text() const { return inside_ ? std::string_view(buffer_) : piece_; }

  // Drops what frames were made of; the unfinished rest is kept here, for the piece may be gone when the next one
  // comes.
  void forget_read() {
    if (inside_) {
      buffer_.erase(0, at_);
    } else {
      buffer_.assign(piece_.substr(at_));
      piece_ = {};
    }
    inside_ = !buffer_.empty();
    seen_ -= at_;
    if (started_) start_ -= at_;
    at_ = 0;
  }

  // One byte of an element; true when it was the last.
  bool inside(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      return false;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      return --depth_ == 0;
    }
    return false;
  }

  Frame frame(std::string_view all, bool comment) {
    ++seen_;
    Frame out{.raw = all.substr(at_, seen_ - at_), .comment = comment};
    if (!comment) out.data = all.substr(start_, seen_ - start_);
    at_ = seen_;
    started_ = false;
    return out;
  }

  std::unexpected<Failure> broken(std::string detail) {
    dead_ = true;
    return fail(Fault::upstream_broken, "The upstream's stream is no JSON array.", std::move(detail));
  }

  std::string buffer_;      // what earlier pieces left, and the last piece
  std::string_view piece_;  // the last piece, when nothing was left
  bool inside_ = false;     // text() is buffer_
  std::size_t at_ = 0;      // behind the last frame
  std::size_t seen_ = 0;    // how far text() was looked at
  std::size_t start_ = 0;   // of the element
  bool started_ = false;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  Place place_ = Place::before;
  bool dead_ = false;
};

}  // namespace

std::unique_ptr<Framer> array_framer() {
  return std::make_unique<ArrayFramer>();
}

}  // namespace sluice::gemini
