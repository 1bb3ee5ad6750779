// SPDX-License-Identifier: MIT
#include "wire/sse.h"

#include <algorithm>
#include <cstring>

#include "base/json.h"

namespace sluice::sse {
namespace {

constexpr std::string_view plain_start = "data: ";

// Offset behind the blank line that ends the frame starting at 0 of `text`, searching from `from`; 0 when there is none
// yet. A CR at the very end is not judged: its LF may follow.
std::size_t frame_end(std::string_view text, std::size_t& from) {
  std::size_t i = from;
  while (i < text.size()) {
    // Find the end of a line.
    const char* p = text.data() + i;
    const std::size_t left = text.size() - i;
    const void* lf = std::memchr(p, '\n', left);
    const std::size_t lf_at = lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - p) : left;
    const void* cr = std::memchr(p, '\r', lf_at);
    std::size_t end = cr ? i + static_cast<std::size_t>(static_cast<const char*>(cr) - p) : i + lf_at;
    if (end >= text.size()) {
      from = text.size();  // no line end yet; the start of the line does not matter for the search
      return 0;
    }
    std::size_t behind = end + 1;
    if (text[end] == '\r') {
      if (behind == text.size()) {
        from = end;
        return 0;
      }
      if (text[behind] == '\n') ++behind;
    }
    // A blank line follows when the next line end comes at once.
    if (behind >= text.size()) {
      from = end;
      return 0;
    }
    if (text[behind] == '\n') return behind + 1;
    if (text[behind] == '\r') {
      if (behind + 1 == text.size()) {
        from = end;
        return 0;
      }
      return behind + (text[behind + 1] == '\n' ? 2 : 1);
    }
    i = behind;
  }
  from = i;
  return 0;
}

// The size of a frame of one unnamed data line, the commonest by far, at the start of `text`; 0 when it is another or
// not complete.
std::size_t plain_frame(std::string_view text) {
  if (!text.starts_with(plain_start)) return 0;
  const void* lf = std::memchr(text.data(), '\n', text.size());
  if (!lf) return 0;
  const auto size = static_cast<std::size_t>(static_cast<const char*>(lf) - text.data());
  if (size + 1 == text.size() || text[size + 1] != '\n' || std::memchr(text.data(), '\r', size)) return 0;
  return size + 2;
}

}  // namespace

void Framer::feed(std::string_view bytes) {
  const std::string_view left = text().substr(at_);
  if (left.empty()) {
    buffer_.clear();
    piece_ = bytes;
    inside_ = false;
    searched_ = 0;
  } else {
    if (inside_) {
      buffer_.erase(0, at_);
    } else {
      buffer_.assign(left);
    }
    searched_ = searched_ > at_ ? searched_ - at_ : 0;
    buffer_ += bytes;
    piece_ = {};
    inside_ = true;
  }
  at_ = 0;
}

// Takes the unfinished tail into the buffer, so that the fed piece may go.
void Framer::hold() {
  if (inside_) return;
  buffer_.assign(piece_.substr(at_));
  searched_ -= std::min(searched_, at_);
  piece_ = {};
  at_ = 0;
  inside_ = true;
}

std::optional<Frame> Framer::next() {
  if (overflown_) return std::nullopt;
  std::string_view all = text();
  if (first_ && all.size() - at_ >= 3) {
    if (all.substr(at_).starts_with("\xef\xbb\xbf")) at_ += 3;
    first_ = false;
    if (searched_ < at_) searched_ = at_;
  } else if (first_ && !all.substr(at_).empty() && all[at_] != '\xef') {
    first_ = false;
  }
  // Blank lines in front of a frame belong to nothing; they stay in the raw bytes of the frame that follows.
  std::size_t start = at_;
  while (start < all.size() && (all[start] == '\n' || all[start] == '\r')) ++start;
  if (const std::size_t plain = searched_ > start ? 0 : plain_frame(all.substr(start)); plain > 0) {
    const std::string_view raw = all.substr(at_, start + plain - at_);
    at_ = searched_ = start + plain;
    if (raw.size() <= limit_) {
      const auto data = raw.substr(raw.size() - plain + plain_start.size(), plain - plain_start.size() - 2);
      return Frame{.data = data, .raw = raw, .has_data = true};
    }
    overflown_ = true;
    return std::nullopt;
  }
  std::size_t from = searched_ > start ? searched_ - start : 0;
  const std::size_t size = frame_end(all.substr(start), from);
  searched_ = start + from;
  if (size == 0) {
    if (all.size() - at_ > limit_) overflown_ = true;
    hold();
    return std::nullopt;
  }
  const std::string_view raw = all.substr(at_, start + size - at_);
  at_ = start + size;
  searched_ = at_;
  if (raw.size() > limit_) {
    overflown_ = true;
    return std::nullopt;
  }
  return read(raw);
}

std::optional<Frame> Framer::rest() {
  const std::string_view left = text().substr(at_);
  at_ = text().size();
  if (left.find_first_not_of("\r\n") == std::string_view::npos || overflown_) return std::nullopt;
  return read(left);
}

Frame Framer::read(std::string_view raw) {
  Frame frame{.raw = raw};
  std::size_t i = 0;
  bool several = false;
  while (i < raw.size()) {
    const char* p = raw.data() + i;
    const std::size_t left = raw.size() - i;
    const void* lf = std::memchr(p, '\n', left);
    std::size_t size = lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - p) : left;
    if (const void* cr = std::memchr(p, '\r', size)) size = static_cast<std::size_t>(static_cast<const char*>(cr) - p);
    const std::string_view line = raw.substr(i, size);
    i += size;
    if (i < raw.size()) i += raw.substr(i).starts_with("\r\n") ? 2 : 1;
    if (line.empty() || line[0] == ':') continue;
    const auto colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "data") {
      if (!frame.has_data) {
        frame.data = value;
        frame.has_data = true;
      } else {
        if (!several) joined_.assign(frame.data);
        several = true;
        joined_ += '\n';
        joined_ += value;
      }
    } else if (name == "event") {
      frame.event = value;
    }
  }
  if (several) frame.data = joined_;
  return frame;
}

void append_event(std::string& out, std::string_view event, std::string_view data) {
  if (!event.empty()) {
    out += "event: ";
    out += event.substr(0, event.find_first_of("\r\n"));
    out += '\n';
  }
  for (;;) {
    const auto end = data.find_first_of("\r\n");
    out += "data: ";
    out += data.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  out += '\n';
}

void append_json(std::string& out, std::string_view event, std::string_view data) {
  if (data.find_first_of("\r\n") == std::string_view::npos) {
    append_event(out, event, data);
  } else {
    append_event(out, event, json::compact(data));
  }
}

void append_comment(std::string& out, std::string_view text) {
  out += ": ";
  out += text.substr(0, text.find_first_of("\r\n"));
  out += "\n\n";
}

}  // namespace sluice::sse
