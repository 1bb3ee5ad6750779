// Any bytes through the SSE framer: the frames do not depend on the cuts, and no raw byte is lost.
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "wire/sse.h"

namespace {

struct Seen {
  std::string frames, raw;
};

Seen read(std::string_view text, std::size_t step) {
  sluice::sse::Framer framer;
  Seen seen;
  const auto take = [&](const sluice::sse::Frame& frame) {
    seen.frames += std::string(frame.event) + '\x01' + std::string(frame.data) + (frame.has_data ? '\x02' : '\x03');
    seen.raw += frame.raw;
  };
  while (!text.empty()) {
    const std::string piece(text.substr(0, step));
    text.remove_prefix(piece.size());
    framer.feed(piece);
    while (const auto frame = framer.next()) take(*frame);
  }
  if (const auto frame = framer.rest()) take(*frame);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Seen whole = read(text, size + 1);
  for (const std::size_t step : {1u, 2u, 7u}) {
    const Seen pieces = read(text, step);
    if (pieces.frames != whole.frames || pieces.raw != whole.raw) __builtin_trap();
  }
  // Line breaks at the very end belong to no frame, and neither does a byte order mark; everything else is in one.
  std::string_view expected = text;
  if (expected.starts_with("\xef\xbb\xbf")) expected.remove_prefix(3);
  if (!expected.starts_with(whole.raw)) __builtin_trap();
  if (expected.substr(whole.raw.size()).find_first_not_of("\r\n") != std::string_view::npos) __builtin_trap();

  // What is written is read back as one event.
  std::string out;
  sluice::sse::append_event(out, "e", text);
  sluice::sse::Framer framer;
  framer.feed(out);
  if (const auto frame = framer.next(); !frame || frame->event != "e" || frame->raw.size() != out.size())
    __builtin_trap();
  return 0;
}
