// SPDX-License-Identifier: MIT
#include "dialects/anthropic/chunk_framer.h"

#include "base/text.h"
#include "dialects/anthropic/anthropic.h"
#include "dialects/aws_error.h"
#include "wire/sse.h"

namespace sluice::anthropic {

Frame ChunkFramer::spoken() {
  raw_.clear();
  // Line breaks would end the data line.
  if (data_.find_first_of("\r\n") != std::string::npos) data_ = json::compact(data_);
  sse::append_event(raw_, type_, data_);
  return {.event = type_, .data = data_, .raw = raw_};
}

Result<std::optional<Frame>> ChunkFramer::next() {
  TRY(const auto frame, inner_.next());
  if (!frame) return std::nullopt;
  if (frame->failure) {
    type_ = "error";
    data_ = write_error(read_aws_error(0, frame->data, frame->event), {});
    return spoken();
  }
  json::Document doc;
  const auto root = doc.parse(frame->data);
  auto event = root ? base64_decode((*root)["bytes"].text()) : std::nullopt;
  json::Document inside;
  if (event) data_ = *std::move(event);
  const auto whole = event ? inside.parse(data_) : Result<json::Value>(json::Value());
  if (!event || !whole || !whole->is_object()) {
    return fail({.fault = Fault::upstream_broken,
                 .message = "The upstream's stream could not be read.",
                 .detail = "a chunk that holds no event"});
  }
  type_ = (*whole)["type"].text();
  return spoken();
}

}  // namespace sluice::anthropic
