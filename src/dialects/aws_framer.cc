// SPDX-License-Identifier: MIT
#include "dialects/aws_framer.h"

namespace sluice {

Result<std::optional<Frame>> AwsFramer::next() {
  TRY(const auto message, inner_.next());
  if (!message) return std::nullopt;
  Frame frame{.event = message->event_type, .data = message->payload, .raw = message->raw};
  frame.failure = message->message_type == "exception" || message->message_type == "error";
  // An error has its words in a header.
  if (message->message_type == "error") frame.data = message->text(":error-message");
  return frame;
}

Result<std::optional<Frame>> AwsFramer::end() {
  if (inner_.held() == 0) return std::nullopt;
  return fail({.fault = Fault::upstream_broken,
               .message = "The upstream's stream broke off.",
               .detail = "the bytes ended inside an event",
               .code = "stream_truncated"});
}

}  // namespace sluice
