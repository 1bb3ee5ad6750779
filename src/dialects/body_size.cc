// SPDX-License-Identifier: MIT
#include "dialects/body_size.h"

namespace sluice {
namespace {

constexpr std::size_t around_body = 256, around_part = 64;

std::size_t size_of(const std::vector<Part>& parts) {
  std::size_t size = 0;
  for (const Part& part : parts) {
    size += around_part;
    if (const auto* text = part.as<Text>()) {
      size += text->text.size() + text->text.size() / 16;  // for escapes
    } else if (const auto* media = part.as<Media>()) {
      size += media->data.size();
    } else if (const auto* reasoning = part.as<Reasoning>()) {
      size += reasoning->text.size() + reasoning->text.size() / 16;
    } else if (const auto* call = part.as<ToolCall>()) {
      size += call->arguments.size() + call->arguments.size() / 4;  // often a string of JSON: many escapes
    } else if (const auto* result = part.as<ToolResult>()) {
      size += size_of(result->parts) + result->json.size();
    } else if (const auto* tool = part.as<ServerTool>()) {
      size += tool->raw.size();
    } else if (const auto* opaque = part.as<Opaque>()) {
      size += opaque->raw.size();
    }
    if (part.seal) size += part.seal->raw.size();
  }
  return size;
}

}  // namespace

std::size_t body_size(const ChatRequest& request) {
  std::size_t size = around_body;
  for (const Turn& turn : request.turns) size += size_of(turn.parts);
  for (const Tool& tool : request.tools) {
    size += around_part + tool.description.size() + tool.schema.size() + tool.vendor_raw.size();
  }
  if (request.format) size += request.format->schema.size();
  return size;
}

std::size_t body_size(const Reply& reply) {
  std::size_t size = around_body + reply.usage.raw.size();
  for (const Choice& choice : reply.choices) size += around_body + size_of(choice.parts);
  return size;
}

}  // namespace sluice
