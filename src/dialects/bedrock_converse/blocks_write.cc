// Writing. SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include "base/text.h"
#include "dialects/bedrock_converse/blocks.h"
#include "dialects/spare.h"

namespace sluice::bedrock_converse {
namespace {

// Ends the kind's member and the block.
void close(json::Writer& out, const Part& part, std::string_view kind, const Pointer& pointer, Notes& notes) {
  write_inner_extras(out, part.extras, self, kind);
  out.end_object();
  write_extras(out, part.extras, self, pointer, notes);
  out.end_object();
}

// The memory of a list of texts, while the part still says the same.
std::string_view same_pieces(const Part& part, std::string_view between, std::string_view text) {
  const std::string_view raw = remembered(part.extras, self, content_memory);
  json::Document doc;
  const auto list = raw.empty() ? Result<json::Value>(json::Value()) : doc.parse(raw);
  if (raw.empty() || !list) return {};
  std::string joined;
  bool first = true;
  for (const json::Value one : list->elements()) {
    if (!std::exchange(first, false)) joined += between;
    joined += one["text"].text();
  }
  return joined == text ? raw : std::string_view();
}

bool is_guarded(const Part& part) {
  return part.extras.origin == self &&
         std::ranges::find(part.extras.members, guard, &Extra::key) != part.extras.members.end();
}

// The members of a guarded text as it is now.
Extras guarded(Extras extras, std::string_view text) {
  for (Extra& extra : extras.members) {
    if (extra.key != guard) continue;
    const json::Edit edit{.pointer = "/text/text", .value = json::quote(text)};
    extra.raw = json::apply(extra.raw, std::span(&edit, 1)).value_or(extra.raw);
  }
  return extras;
}

std::string_view kind_word(MediaKind kind) {
  switch (kind) {
    case MediaKind::image: return "image";
    case MediaKind::audio: return "audio";
    case MediaKind::video: return "video";
    case MediaKind::document: return "document";
  }
  return "document";
}

void write_source(json::Writer& out, const Part& part, const Media& media) {
  out.key("source").begin_object();
  if (media.form == MediaForm::base64) {
    out.member("bytes", media.data);
  } else if (media.form == MediaForm::text) {
    const std::string_view pieces = same_pieces(part, "\n\n", media.data);
    if (pieces.empty()) {
      out.member("text", media.data);
    } else {
      out.member_raw("content", pieces);
    }
  } else {
    const std::string_view place = remembered(part.extras, self, location_memory);
    json::Document doc;
    const auto known = doc.parse(place);
    out.key("s3Location");
    if (known && (*known)["uri"].equals(media.data)) {
      out.raw(place);
    } else {
      out.begin_object().member("uri", media.data).end_object();
    }
  }
  out.end_object();
}

}  // namespace

void write_text(json::Writer& out, const Part& part, std::string_view text, const Pointer& pointer, Notes& notes) {
  const auto* body = part.as<Text>();
  const bool cited =
      body != nullptr && (!body->citations.empty() || !remembered(part.extras, self, cited_memory).empty());
  out.begin_object();
  if (!cited) {
    if (!is_guarded(part)) out.member("text", text);
    write_extras(out, is_guarded(part) ? guarded(part.extras, text) : part.extras, self, pointer, notes);
    out.end_object();
    return;
  }
  out.key("citationsContent").begin_object();
  const bool bare = text.empty() && !remembered(part.extras, self, bare_memory).empty();
  if (!bare) out.key("content");
  if (bare) {
    // Nothing but the citations stood there.
  } else if (const std::string_view pieces = same_pieces(part, "", text); !pieces.empty()) {
    out.raw(pieces);
  } else {
    out.begin_array().begin_object().member("text", text).end_object().end_array();
  }
  out.key("citations").begin_array();
  for (const Citation& citation : body->citations) out.raw(citation_json(citation));
  out.end_array();
  close(out, part, "citationsContent", pointer, notes);
}

void write_call(json::Writer& out, const Part& part, std::string_view id, std::string_view name, std::string_view input,
                const Pointer& pointer, Notes& notes) {
  out.begin_object().key("toolUse").begin_object();
  out.member("toolUseId", id).member("name", name).member_raw("input", input);
  if (!remembered(part.extras, self, type_memory).empty()) out.member("type", "tool_use");
  close(out, part, "toolUse", pointer, notes);
}

void write_reasoning(json::Writer& out, const Part& part, const Pointer& pointer, Notes& notes) {
  const auto& reasoning = *part.as<Reasoning>();
  out.begin_object().key("reasoningContent").begin_object();
  const bool bare = part.seal && reasoning.text.empty() && (reasoning.redacted || part.seal->dialect != self);
  if (bare) {
    // Of a thought without words only the proof speaks; a hidden one is another thing.
    out.member("redactedContent", redacted_data(*part.seal, reasoning.redacted ? Belongs::itself : Belongs::thought));
  } else {
    out.key("reasoningText").begin_object().member("text", reasoning.text);
    if (part.seal) out.member("signature", seal_text(*part.seal, self));
    out.end_object();
  }
  close(out, part, "reasoningContent", pointer, notes);
}

void write_media(json::Writer& out, const Part& part, std::string_view format, std::string_view name,
                 const Pointer& pointer, Notes& notes) {
  const auto& media = *part.as<Media>();
  const std::string_view kind = kind_word(media.kind);
  out.begin_object().key(kind).begin_object();
  if (!format.empty()) out.member("format", format);
  if (!name.empty()) out.member("name", name);
  write_source(out, part, media);
  close(out, part, kind, pointer, notes);
}

void write_mark(json::Writer& out, const CacheMark& mark, std::string_view ttl) {
  out.begin_object().key("cachePoint").begin_object();
  const bool own = mark.extras.origin == self;
  const bool typed = own && std::ranges::any_of(mark.extras.members, [](const Extra& x) { return x.key == "type"; });
  if (!typed) out.member("type", "default");
  if (!ttl.empty()) out.member("ttl", ttl);
  if (own) {
    for (const Extra& x : mark.extras.members) out.member_raw(x.key, x.raw);
  }
  out.end_object().end_object();
}

std::string redacted_data(const Seal& seal, Belongs belongs) {
  const bool native = seal.dialect == self && belongs == Belongs::itself;
  return native ? seal.raw : base64(seal_beside(seal, self, belongs));
}

void write_proof(json::Writer& out, const Seal& seal, Belongs belongs) {
  out.begin_object().key("reasoningContent").begin_object();
  out.member("redactedContent", redacted_data(seal, belongs)).end_object().end_object();
}

void write_answer_fields(json::Writer& out, std::string_view id, std::string_view model, std::string_view sequence) {
  if (id.empty() && model.empty() && sequence.empty()) return;
  out.key("additionalModelResponseFields").begin_object();
  if (!id.empty()) out.member("id", id);
  if (!model.empty()) out.member("model", model);
  if (!sequence.empty()) out.member("stop_sequence", sequence);
  out.end_object();
}

std::string citation_json(const Citation& citation) {
  if (citation.origin == self && !citation.raw.empty()) return citation.raw;
  std::string text;
  json::Writer out(text);
  out.begin_object();
  if (!citation.title.empty()) out.member("title", citation.title);
  if (!citation.cited_text.empty()) {
    out.key("sourceContent").begin_array().begin_object().member("text", citation.cited_text);
    out.end_object().end_array();
  }
  if (!citation.url.empty()) {
    out.key("location").begin_object().key("web").begin_object().member("url", citation.url);
    out.end_object().end_object();
  }
  out.end_object();
  return text;
}

}  // namespace sluice::bedrock_converse
