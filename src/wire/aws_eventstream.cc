// SPDX-License-Identifier: MIT
#include "wire/aws_eventstream.h"

#include <zlib.h>

#include <array>

namespace sluice::aws_eventstream {
namespace {

constexpr std::size_t prelude = 12;  // length of all, length of the headers, checksum of both
constexpr std::size_t trailer = 4;   // checksum of everything before
constexpr std::size_t most_value = 32767;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

// Bytes of a value of this type; nullopt where a length of two bytes stands in front. Types above uuid are unknown.
std::optional<std::size_t> fixed_size(HeaderType type) {
  constexpr std::array<std::size_t, 10> sizes = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  if (type == HeaderType::bytes || type == HeaderType::string) return std::nullopt;
  return sizes[static_cast<std::size_t>(type)];
}

}  // namespace

std::optional<std::int64_t> integer(const Header& header) {
  switch (header.type) {
    case HeaderType::int8: return static_cast<std::int8_t>(big_endian(header.value));
    case HeaderType::int16: return static_cast<std::int16_t>(big_endian(header.value));
    case HeaderType::int32: return static_cast<std::int32_t>(big_endian(header.value));
    case HeaderType::int64:
    case HeaderType::timestamp: return static_cast<std::int64_t>(big_endian(header.value));
    case HeaderType::bool_true:
    case HeaderType::bool_false:
    case HeaderType::bytes:
    case HeaderType::string:
    case HeaderType::uuid: break;
  }
  return std::nullopt;
}

std::string_view Message::text(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name && header.type == HeaderType::string) return header.value;
  }
  return {};
}

void Framer::feed(std::string_view bytes) {
  const std::string_view left = text().substr(at_);
  if (left.empty()) {
    buffer_.clear();
    piece_ = bytes;
    inside_ = false;
  } else {
    if (inside_) {
      buffer_.erase(0, at_);
    } else {
      buffer_.assign(left);
    }
    buffer_ += bytes;
    piece_ = {};
    inside_ = true;
  }
  at_ = 0;
}

std::unexpected<Failure> Framer::broken(std::string_view why) {
  why_ = why;
  return fail(Fault::upstream_broken, "The upstream's answer broke in the middle of the stream.", std::string(why));
}

bool Framer::read_headers(std::string_view bytes) {
  headers_.clear();
  const auto take = [&](std::size_t size) -> std::optional<std::string_view> {
    if (bytes.size() < size) return std::nullopt;
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return taken;
  };
  while (!bytes.empty()) {
    const auto name = take(1 + static_cast<unsigned char>(bytes[0]));
    const auto type = name ? take(1) : std::nullopt;
    if (!type || name->size() == 1 || static_cast<unsigned char>((*type)[0]) > 9) return false;
    Header header{.name = name->substr(1), .type = static_cast<HeaderType>((*type)[0])};
    auto size = fixed_size(header.type);
    if (!size) {
      const auto length = take(2);
      if (!length) return false;
      size = big_endian(*length);
      if (*size > most_value) return false;
    }
    const auto value = take(*size);
    if (!value) return false;
    header.value = *value;
    headers_.push_back(header);
  }
  return true;
}

Result<std::optional<Message>> Framer::next() {
  if (!why_.empty()) return broken(why_);
  const std::string_view left = text().substr(at_);
  // What is not complete is taken into the buffer, so that the fed piece may go.
  const auto wait = [&]() -> std::optional<Message> {
    if (!inside_ && !left.empty()) {
      buffer_.assign(left);
      piece_ = {};
      at_ = 0;
      inside_ = true;
    }
    return std::nullopt;
  };
  if (left.size() < prelude) return wait();
  const std::size_t total = big_endian(left.substr(0, 4));
  const std::size_t headers = big_endian(left.substr(4, 4));
  if (!prelude_seen_) {
    // Before the lengths are believed: a wrong one would wait for megabytes that never come.
    if (checksum(left.substr(0, 8)) != big_endian(left.substr(8, 4))) return broken("an event-stream prelude checksum");
    if (total < prelude + trailer + headers) return broken("event-stream lengths that contradict each other");
    if (total > limits_.message || headers > limits_.headers) return broken("an event-stream message over the limit");
    prelude_seen_ = true;
  }
  if (left.size() < total) return wait();
  Message message{.raw = left.substr(0, total)};
  if (checksum(message.raw.substr(0, total - trailer)) != big_endian(message.raw.substr(total - trailer))) {
    return broken("an event-stream message checksum");
  }
  if (!read_headers(message.raw.substr(prelude, headers))) return broken("a broken event-stream header");
  message.payload = message.raw.substr(prelude + headers, total - prelude - headers - trailer);
  message.headers = headers_;
  message.message_type = message.text(":message-type");
  message.event_type = message.text(message.message_type == "exception" ? ":exception-type"
                                    : message.message_type == "error"   ? ":error-code"
                                                                        : ":event-type");
  at_ += total;
  prelude_seen_ = false;
  return message;
}

bool append_message(std::string& out, std::span<const Header> headers, std::string_view payload) {
  std::string block;
  for (const Header& header : headers) {
    if (header.name.empty() || header.name.size() > 255) return false;
    block += static_cast<char>(header.name.size());
    block += header.name;
    block += static_cast<char>(header.type);
    if (const auto size = fixed_size(header.type)) {
      if (*size != header.value.size()) return false;
    } else {
      if (header.value.size() > most_value) return false;
      append_big_endian(block, header.value.size(), 2);
    }
    block += header.value;
  }
  const std::size_t total = prelude + block.size() + payload.size() + trailer;
  if (block.size() > Limits{}.headers || total > Limits{}.message) return false;
  const std::size_t start = out.size();
  out.reserve(start + total);
  append_big_endian(out, total, 4);
  append_big_endian(out, block.size(), 4);
  append_big_endian(out, checksum(std::string_view(out).substr(start)), 4);
  out += block;
  out += payload;
  append_big_endian(out, checksum(std::string_view(out).substr(start)), 4);
  return true;
}

bool append_event(std::string& out, std::string_view event_type, std::string_view payload) {
  const std::array headers = {Header{":event-type", HeaderType::string, event_type},
                              Header{":content-type", HeaderType::string, "application/json"},
                              Header{":message-type", HeaderType::string, "event"}};
  return append_message(out, headers, payload);
}

bool append_exception(std::string& out, std::string_view exception_type, std::string_view payload) {
  const std::array headers = {Header{":exception-type", HeaderType::string, exception_type},
                              Header{":content-type", HeaderType::string, "application/json"},
                              Header{":message-type", HeaderType::string, "exception"}};
  return append_message(out, headers, payload);
}

}  // namespace sluice::aws_eventstream
