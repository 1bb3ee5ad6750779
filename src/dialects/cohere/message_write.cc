// The pieces that histories, answers and streams share in writing. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/cohere/message.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"

namespace sluice::cohere {
namespace {

constexpr bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// The code points [start, end) of `text`.
std::string_view slice(std::string_view text, std::int64_t start, std::int64_t end) {
  std::int64_t at = -1;
  std::size_t from = text.size();
  std::size_t to = text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (continues(text[i])) continue;
    ++at;
    if (at == start) from = i;
    if (at == end) to = i;
  }
  return from < to ? text.substr(from, to - from) : std::string_view();
}

}  // namespace

bool write_content_part(json::Writer& out, const Part& part, const Pointer& pointer, Notes& notes) {
  if (const auto* opaque = part.as<Opaque>()) {
    if (opaque->origin != self) return false;
    out.raw(opaque->raw);
    return true;
  }
  const auto* text = part.as<Text>();
  const auto* refusal = part.as<Refusal>();
  const auto* reasoning = part.as<Reasoning>();
  if (text == nullptr && refusal == nullptr && reasoning == nullptr) return false;
  out.begin_object();
  if (reasoning != nullptr) {
    out.member("type", "thinking").member("thinking", reasoning->text);
    if (reasoning->redacted) out.member_bool("redacted", true);
  } else {
    out.member("type", "text").member("text", text != nullptr ? text->text : refusal->text);
  }
  write_seal(out, part);
  write_extras(out, part.extras, self, pointer, notes);
  out.end_object();
  return true;
}

void write_tool_call(json::Writer& out, const Part& part, std::string_view id, std::string_view name,
                     const Pointer& pointer, Notes& notes) {
  const auto& call = *part.as<ToolCall>();
  out.begin_object().member("id", id).member("type", "function").key("function").begin_object();
  out.member("name", name);
  if (call.kind == ToolKind::custom) {
    std::string wrapped;
    json::Writer(wrapped).begin_object().member("input", call.arguments).end_object();
    out.member("arguments", wrapped);
  } else {
    out.member("arguments", arguments_or_empty(call));
  }
  write_inner_extras(out, part.extras, self, "function");
  out.end_object();
  write_seal(out, part);
  write_extras(out, part.extras, self, pointer, notes);
  out.end_object();
}

void write_seal(json::Writer& out, const Part& part) {
  if (part.seal) out.member("signature", seal_text(*part.seal, self));
}

std::string citation_json(const Citation& citation, std::string_view text, std::int64_t index) {
  if (citation.origin == self && !citation.raw.empty()) return citation.raw;
  const std::int64_t length = std::ranges::count_if(text, [](char c) { return !continues(c); });
  const std::int64_t start = citation.start.value_or(0);
  const std::int64_t end = citation.end.value_or(length);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().member("start", start).member("end", end).member("text", slice(text, start, end));
  writer.key("sources").begin_array().begin_object().member("type", "document");
  if (!citation.url.empty()) writer.member("id", citation.url);
  writer.key("document").begin_object();
  if (!citation.title.empty()) writer.member("title", citation.title);
  if (!citation.url.empty()) writer.member("url", citation.url);
  if (!citation.cited_text.empty()) writer.member("text", citation.cited_text);
  writer.end_object().end_object().end_array();
  writer.member("content_index", index).member("type", "TEXT_CONTENT").end_object();
  return out;
}

void write_citations(json::Writer& out, const std::vector<Part>& parts, const Extras& extras) {
  bool open = false;
  const auto entry = [&](std::string_view raw) {
    if (!open) out.key("citations").begin_array();
    open = true;
    out.raw(raw);
  };
  std::int64_t index = 0;
  for (const Part& part : parts) {
    const auto* text = part.as<Text>();
    if (text != nullptr) {
      for (const Citation& citation : text->citations) entry(citation_json(citation, text->text, index));
    }
    const bool content = text != nullptr || part.as<Reasoning>() != nullptr || part.as<Refusal>() != nullptr;
    if (content || (part.as<Opaque>() != nullptr && part.as<Opaque>()->origin == self)) ++index;
  }
  const auto left = std::ranges::find(extras.members, "citations", &Extra::key);
  if (extras.origin == self && left != extras.members.end()) {
    json::Document doc;
    if (const auto list = doc.parse(left->raw)) {
      for (const json::Value one : list->elements()) entry(one.raw());
    }
  }
  if (open) out.end_array();
}

Extras without_citations(const Extras& extras) {
  Extras out = extras;
  if (out.origin == self) std::erase_if(out.members, [](const Extra& extra) { return extra.key == "citations"; });
  return out;
}

std::string_view arguments_or_empty(const ToolCall& call) {
  return call.arguments.empty() ? std::string_view("{}") : std::string_view(call.arguments);
}

}  // namespace sluice::cohere
