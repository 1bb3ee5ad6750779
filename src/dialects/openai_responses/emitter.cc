// SPDX-License-Identifier: MIT
#include "dialects/openai_responses/emitter.h"

#include <span>

#include "base/json.h"
#include "wire/sse.h"

namespace sluice::openai_responses {
namespace {

// JSON that came from elsewhere may have line breaks between its tokens, and a line break would end the event.
void append_line(std::string& out, std::string_view json) {
  const std::size_t from = out.size();
  out += json;
  for (std::size_t i = from; i < out.size(); ++i) {
    if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
  }
}

}  // namespace

void Emitter::send(std::string_view type, std::string_view members) {
  if (out_ == nullptr) return;
  *out_ += "event: ";
  *out_ += type;
  *out_ += "\ndata: {\"type\":\"";
  *out_ += type;
  *out_ += "\",\"sequence_number\":";
  *out_ += std::to_string(sequence_++);
  if (!members.empty()) *out_ += ',';
  append_line(*out_, members);
  *out_ += "}\n\n";
}

void Emitter::comment(std::string_view text) {
  if (out_ != nullptr) sse::append_comment(*out_, text);
}

void Emitter::forward(std::string_view type, std::string_view raw) {
  if (out_ == nullptr) return;
  const json::Edit number{.pointer = "/sequence_number", .value = std::to_string(sequence_)};
  const auto numbered = json::apply(raw, std::span(&number, 1));
  if (!numbered) return;
  ++sequence_;
  *out_ += "event: ";
  append_line(*out_, type);
  *out_ += "\ndata: ";
  append_line(*out_, *numbered);
  *out_ += "\n\n";
}

}  // namespace sluice::openai_responses
