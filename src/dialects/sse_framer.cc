// SPDX-License-Identifier: MIT
#include "dialects/sse_framer.h"

namespace sluice {
namespace {

std::optional<Frame> framed(const std::optional<sse::Frame>& frame) {
  if (!frame) return std::nullopt;
  return Frame{.event = frame->event, .data = frame->data, .raw = frame->raw, .comment = !frame->has_data};
}

}  // namespace

Result<std::optional<Frame>> SseFramer::next() {
  const auto frame = inner_.next();
  if (!frame && inner_.overflown()) {
    return fail(Fault::upstream_broken, "The upstream sent a stream event that is too large.",
                "an SSE frame over the limit");
  }
  return framed(frame);
}

Result<std::optional<Frame>> SseFramer::end() {
  return framed(inner_.rest());
}

}  // namespace sluice
