// The pieces that histories and answers share in writing. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/openai_chat/message.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"

namespace sluice::openai_chat {
namespace {

// Which vendor's form of reasoning an entry is; clients look at it before they send it back.
std::string_view format_of(const std::optional<Seal>& seal) {
  if (!seal) return "unknown";
  switch (seal->dialect) {
    case DialectId::anthropic:
    case DialectId::bedrock_converse: return "anthropic-claude-v1";
    case DialectId::gemini: return "google-gemini-v1";
    case DialectId::openai_responses: return "openai-responses-v1";
    case DialectId::openai_chat:
    case DialectId::openai_completions:
    case DialectId::cohere: return "unknown";
  }
  return "unknown";
}

bool is_detail(const Part& part) {
  return (part.as<Reasoning>() || part.as<Opaque>()) && !remembered(part.extras, self, "detail").empty();
}

// An upstream gets only proofs that it made itself.
bool seal_goes(const Part& part, bool to_client) {
  return part.seal && (to_client || part.seal->dialect == self);
}

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

}  // namespace

void write_reasoning_detail(json::Writer& out, const Part& part, std::int64_t index, bool to_client) {
  if (const auto* opaque = part.as<Opaque>()) {
    out.raw(opaque->raw);
    return;
  }
  const auto* reasoning = part.as<Reasoning>();
  const bool sealed = seal_goes(part, to_client);
  out.begin_object();
  if (reasoning == nullptr || (reasoning->redacted && reasoning->text.empty())) {
    out.member("type", "reasoning.encrypted");
    if (sealed) out.member("data", seal_text(*part.seal, self));
  } else {
    out.member("type", reasoning->summary ? "reasoning.summary" : "reasoning.text");
    out.member(reasoning->summary ? "summary" : "text", reasoning->text);
    if (sealed) out.member("signature", seal_text(*part.seal, self));
  }
  bool format = false;
  if (reasoning != nullptr && part.extras.origin == self) {
    for (const Extra& extra : part.extras.members) {
      if (extra.key.starts_with('\x1f')) continue;
      format |= extra.key == "format";
      out.member_raw(extra.key, extra.raw);
    }
  }
  if (!format) out.member("format", std::string(format_of(part.seal)));
  out.member("index", index);
  out.end_object();
}

bool write_reasoning_details(json::Writer& out, std::span<const Part> parts, std::string_view key, bool to_client) {
  bool open = false;
  std::int64_t index = 0;
  const auto entry = [&](const Part& part) {
    if (!open) out.key(key).begin_array();
    open = true;
    write_reasoning_detail(out, part, index++, to_client);
  };
  for (const Part& part : parts) {
    if (is_detail(part) || (part.as<Reasoning>() && seal_goes(part, to_client))) entry(part);
    // A proof on the text has no place of its own: an entry that says so.
    if (part.as<Text>() && seal_goes(part, to_client)) {
      Part proof{.body = Reasoning{.redacted = true}, .seal = part.seal};
      proof.extras.add(self, "id", "\"content\"");
      entry(proof);
    }
  }
  if (open) out.end_array();
  return open;
}

bool write_annotations(json::Writer& out, std::span<const Part> parts) {
  const bool cited = std::ranges::any_of(
      parts, [](const Part& part) { return part.as<Text>() != nullptr && !part.as<Text>()->citations.empty(); });
  if (!cited) return false;
  bool open = false;
  std::int64_t offset = 0;
  for (const Part& part : parts) {
    const auto* text = part.as<Text>();
    if (text == nullptr) continue;
    for (const Citation& citation : text->citations) {
      const bool own = citation.origin == self && !citation.raw.empty();
      if (!own && citation.url.empty()) continue;
      if (!open) out.key("annotations").begin_array();
      open = true;
      if (own) {
        out.raw(citation.raw);
        continue;
      }
      out.begin_object().member("type", "url_citation").key("url_citation").begin_object();
      out.member("start_index", offset + citation.start.value_or(0));
      out.member("end_index", offset + citation.end.value_or(code_points(text->text)));
      out.member("url", citation.url);
      out.member("title", citation.title);
      out.end_object().end_object();
    }
    offset += code_points(text->text);
  }
  if (open) out.end_array();
  return open;
}

void write_call_seal(json::Writer& out, const Seal& seal, bool to_client) {
  if (!to_client && seal.dialect != self) return;
  out.key("extra_content").begin_object().key("google").begin_object();
  out.member("thought_signature", seal_text(seal, self));
  out.end_object().end_object();
}

std::string_view arguments_or_empty(const ToolCall& call) {
  return call.arguments.empty() && call.kind == ToolKind::function ? std::string_view("{}")
                                                                   : std::string_view(call.arguments);
}

}  // namespace sluice::openai_chat
