// Any bytes through the event-stream framer: what it says does not depend on the cuts, no byte of a message is lost,
// and what is written is read back. SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <string>

#include "wire/aws_eventstream.h"

namespace {

using namespace sluice::aws_eventstream;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

struct Seen {
  std::string messages, raw;
  bool broken = false;
};

Seen read(std::string_view bytes, std::size_t step) {
  Framer framer;
  Seen seen;
  while (!bytes.empty() && !seen.broken) {
    const std::string piece(bytes.substr(0, step));
    bytes.remove_prefix(piece.size());
    framer.feed(piece);
    for (;;) {
      const auto message = framer.next();
      seen.broken = !message;
      if (!message || !*message) break;
      for (const Header& header : (*message)->headers) {
        seen.messages += std::string(header.name) + '\x01' + std::string(header.value) + '\x02';
        require(header.value.size() >= (integer(header) ? 1U : 0U));
      }
      seen.messages += std::string((*message)->payload) + '\x03';
      seen.raw += (*message)->raw;
      std::string again;
      require(append_message(again, (*message)->headers, (*message)->payload) && again == (*message)->raw);
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Seen whole = read(bytes, size + 1);
  require(bytes.starts_with(whole.raw));
  for (const std::size_t step : {1U, 3U, 13U}) {
    const Seen pieces = read(bytes, step);
    require(pieces.messages == whole.messages && pieces.raw == whole.raw && pieces.broken == whole.broken);
  }
  // The bytes as headers and payload of a message with good checksums: most of the reader lies behind those.
  std::string framed;
  const std::size_t name = std::min<std::size_t>(size, size == 0 ? 0 : data[0] % 32);
  const Header header{std::string_view(bytes).substr(0, name), static_cast<HeaderType>(name % 10),
                      std::string_view(bytes).substr(name / 2)};
  if (append_message(framed, std::span(&header, 1), bytes)) {
    const Seen seen = read(framed, 5);
    require(!seen.broken && seen.raw == framed);
  } else {
    require(framed.empty());
  }
  return 0;
}
