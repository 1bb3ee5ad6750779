// Any bytes through the HTTP/1.1 readers: nothing crashes, and what they say does not depend on how the bytes arrive.
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "wire/http1.h"

namespace {

using namespace sluice::http1;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

std::string payload(std::string_view body, std::size_t step, bool& bad) {
  ChunkFollower follower;
  std::string out;
  while (!body.empty()) {
    std::string_view piece = body.substr(0, step);
    body.remove_prefix(piece.size());
    while (!piece.empty()) {
      const auto seen = follower.take(piece);
      require(seen.consumed <= piece.size() && seen.payload.size() <= seen.consumed);
      bad = seen.step == Step::bad;
      if (bad) return out;
      out += seen.payload;
      if (seen.step == Step::done) return out;
      require(seen.consumed > 0);
      piece.remove_prefix(seen.consumed);
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  RequestHead request;
  std::size_t seen = 0;
  const Parsed whole = parse_request(text, {}, seen, request);
  if (whole.step == Step::done) {
    require(whole.consumed <= size && !request.method.empty() && !request.target.empty());
    require(request.fields.count("content-length") <= 1 && request.fields.count("transfer-encoding") <= 1);
    require(!(request.fields.has("content-length") && request.fields.has("transfer-encoding")));
    // One byte after the other gives the same head.
    RequestHead again;
    std::size_t searched = 0;
    Parsed parsed;
    std::size_t end = 0;
    while (parsed.step == Step::more && end < size) {
      parsed = parse_request(std::string_view(text).substr(0, ++end), {}, searched, again);
    }
    require(parsed.step == Step::done && parsed.consumed == whole.consumed && again.target == request.target &&
            again.fields.size() == request.fields.size() && again.body.length == request.body.length);
  }
  ResponseHead response;
  seen = 0;
  if (const Parsed parsed = parse_response(text, {}, seen, false, response); parsed.step == Step::done) {
    require(parsed.consumed <= size && response.status >= 100 && response.status <= 999);
  }
  bool bad_whole = false, bad_bytes = false;
  const std::string once = payload(text, size + 1, bad_whole), bytes = payload(text, 1, bad_bytes);
  require(bad_whole == bad_bytes && once == bytes);
  return 0;
}
