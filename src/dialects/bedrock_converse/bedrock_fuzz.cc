// Any bytes as a Converse request, as an answer and as a stream's events (a JSON object {"name": payload} a line: the
// binary frames around them have a fuzzer of their own). SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include "dialects/anthropic/chunk_framer.h"
#include "dialects/bedrock_converse/bedrock_converse.h"
#include "dialects/fuzz_laws.h"
#include "wire/aws_eventstream.h"

using namespace sluice;

namespace {

void streams(const Dialect& bedrock, std::string_view lines) {
  std::string bytes, chunks;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    json::Document doc;
    const auto root = doc.parse(line);
    if (!root || root->size() == 0) continue;
    const auto [name, payload] = *root->members().begin();
    static_cast<void>(aws_eventstream::append_event(bytes, name, payload.raw()));
    static_cast<void>(aws_eventstream::append_event(chunks, "chunk", line));
  }
  fuzz::streams(bedrock, bytes, "application/vnd.amazon.eventstream");
  // Claude's own words inside such frames.
  anthropic::ChunkFramer framer;
  framer.feed(chunks);
  for (auto frame = framer.next(); frame && *frame; frame = framer.next()) {
    fuzz::require(!(*frame)->raw.empty(), "a frame has its bytes");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Dialect& bedrock = bedrock_converse::bedrock_dialect();
  fuzz::requests(bedrock, bytes);
  fuzz::replies(bedrock, bytes);
  streams(bedrock, bytes);
  return 0;
}
