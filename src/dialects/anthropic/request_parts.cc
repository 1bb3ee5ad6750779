// SPDX-License-Identifier: MIT
#include "dialects/anthropic/request_parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "dialects/anthropic/blocks.h"
#include "dialects/call_input.h"
#include "dialects/media_type.h"
#include "dialects/pointer.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "dialects/tool_name.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;

std::string mime_of(const Media& media) {
  if (media.mime == "image/jpg") return "image/jpeg";
  if (!media.mime.empty()) return media.mime;
  if (const auto told = media_type_of(media.data); !told.empty()) return std::string(told);
  return media.kind == MediaKind::image ? "image/png" : "application/pdf";
}

constexpr auto image_types = std::to_array<std::string_view>({"image/jpeg", "image/png", "image/gif", "image/webp"});

bool plain_text(std::string_view mime) {
  return mime.starts_with("text/") || mime == "application/json";
}

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  Error error{.fault = Fault::unsupported};
  error.message = std::move(message);
  error.param = std::move(pointer);
  return fail(std::move(error));
}

Pointer place(const PartRules& rules, const PlacedPart& at) {
  // What was made up stands near a turn that may hold nothing.
  if (at.index >= rules.request.turns[at.turn].parts.size()) return pointer_to_turn(rules.request, at.turn);
  if (rules.inner) return pointer_to_result_part(rules.request, at.turn, at.index, *rules.inner);
  return pointer_to_part(rules.request, at.turn, at.index);
}

// Where an image's `detail` stood.
std::string detail_pointer(const PartRules& rules, const std::string& part) {
  return part + (rules.request.origin == DialectId::openai_chat ? "/image_url/detail" : "/detail");
}

Result<bool> sayable_media(const PartRules& rules, const Media& media, const Pointer& pointer, Role role,
                           Notes& notes) {
  if (media.kind == MediaKind::audio || media.kind == MediaKind::video) {
    return unsupported(pointer,
                       "Claude takes no audio or video. Send text, images or documents, or choose another model.");
  }
  if (!rules.own && role != Role::user) {
    notes.lost(pointer, "anthropic takes no media there");
    return false;
  }
  switch (media.form) {
    case MediaForm::url:
    case MediaForm::text: return true;
    case MediaForm::base64: {
      const std::string mime = mime_of(media);
      if (rules.own || mime == "application/pdf") return true;
      if (media.kind == MediaKind::image) {
        if (std::ranges::find(image_types, mime) != image_types.end()) return true;
        return unsupported(pointer, "Claude takes JPEG, PNG, GIF and WebP images; this one is " + mime + '.');
      }
      if (plain_text(mime) && base64_decode(media.data)) {
        notes.restated(pointer, "a text document is plain text here");
        return true;
      }
      return unsupported(pointer, "Claude takes PDF and plain text documents; this one is " + mime + '.');
    }
    case MediaForm::file_id:
    case MediaForm::blocks:
      if (media.origin == self) return true;
      break;
    case MediaForm::uri: break;
  }
  return unsupported(pointer,
                     "This file lives with another vendor. Send its content, or choose a model of that vendor.");
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool own_seal(const Part& part) {
  return part.seal && part.seal->dialect == self;
}

bool sayable_reasoning(const PartRules& rules, const PlacedPart& placed, const Pointer& pointer, Notes& notes) {
  const Part& part = *placed.part;
  if (own_seal(part)) return true;
  if (part.seal) {
    // Where the proof does not stand in the part, it has a place of its own.
    std::string seal = pointer_to_seal(rules.request, placed.turn, placed.index);
    if (!seal.starts_with(pointer.text())) notes.lost(std::move(seal), "a proof of another vendor");
  }
  // Look-alike servers make thinking without a proof and want it back so.
  const bool bare = !part.seal && rules.as_said && rules.provider != "anthropic";
  if (!bare) notes.lost(pointer, "thinking without the vendor's own proof is refused");
  return bare;
}

void write_source(json::Writer& out, const Media& media) {
  out.key("source").begin_object();
  switch (media.form) {
    case MediaForm::url: out.member("type", "url").member("url", media.data); break;
    case MediaForm::file_id: out.member("type", "file").member("file_id", media.data); break;
    case MediaForm::blocks: out.member("type", "content").member_raw("content", media.data); break;
    case MediaForm::text:
      out.member("type", "text").member("media_type", "text/plain").member("data", media.data);
      break;
    case MediaForm::base64:
    case MediaForm::uri: {
      const std::string mime = mime_of(media);
      if (media.kind == MediaKind::document && plain_text(mime) && media.origin != self) {
        out.member("type", "text").member("media_type", "text/plain");
        out.member("data", base64_decode(media.data).value_or(""));
      } else {
        out.member("type", "base64").member("media_type", mime).member("data", media.data);
      }
      break;
    }
  }
  out.end_object();
}

// Writes the members of one block; its object is open.
class BlockWriting {
 public:
  BlockWriting(json::Writer& out, PartRules& rules, const PlacedPart& at, Pointer pointer, Notes& notes)
      : out_(out), rules_(rules), at_(at), pointer_(std::move(pointer)), part_(*at.part), notes_(notes) {}

  void operator()(const Text& text) {
    out_.member("type", "text").member("text", text.text);
    std::size_t lost = 0;
    write_citations(out_, text.citations, lost);
    if (lost > 0) notes_.lost(pointer_to_citations(rules_.request, at_.turn, at_.index), "citations of another vendor");
  }

  void operator()(const Refusal& refusal) {
    out_.member("type", "text").member("text", refusal.text);
    notes_.restated(pointer_, "a refusal is text here");
  }

  void operator()(const Media& media) {
    out_.member("type", media.kind == MediaKind::image ? "image" : "document");
    write_source(out_, media);
    if (media.kind == MediaKind::document && !media.name.empty()) out_.member("title", media.name);
    if (!media.detail.empty()) notes_.lost(detail_pointer(rules_, pointer_), "anthropic has no image detail");
    if (media.mime == "image/jpg") notes_.restated(pointer_, "image/jpg is image/jpeg");
  }

  void operator()(const Reasoning& reasoning) {
    if (reasoning.redacted) {
      out_.member("type", "redacted_thinking").member("data", part_.seal->raw);
      return;
    }
    out_.member("type", "thinking").member("thinking", reasoning.text);
    if (part_.seal) out_.member("signature", part_.seal->raw);
  }

  void operator()(const ToolCall& call) {
    bool wrapped = false;
    const std::string input = call_input(call, wrapped);
    if (wrapped) notes_.restated(pointer_, "arguments are an object here: wrapped as {\"input\": …}");
    out_.member("type", "tool_use").member("id", id(call.id));
    out_.member("name", rules_.own ? call.name : to_portable_tool_name(call.name));
    if (!rules_.own && !portable_tool_name(call.name)) notes_.restated(pointer_, "a name that anthropic takes");
    out_.member_raw("input", input);
  }

  void operator()(const ToolResult& result) {
    out_.member("type", "tool_result").member("tool_use_id", id(result.call_id));
    if (result.plain_string && result.parts.size() == 1 && result.parts[0].as<Text>() != nullptr) {
      out_.member("content", result.parts[0].as<Text>()->text);
    } else if (result.parts.empty() && !result.json.empty()) {
      out_.member("content", result.json);
    } else {
      write_inner(result);
    }
    if (result.is_error) out_.member_bool("is_error", true);
  }

  void operator()(const ServerTool& tool) { static_cast<void>(tool); }
  void operator()(const Opaque& opaque) { static_cast<void>(opaque); }

 private:
  std::string id(const std::string& own) {
    if (rules_.own || portable_tool_id(own)) return own;
    notes_.restated(pointer_, "an id that anthropic takes");
    return to_portable_tool_id(own, "toolu_");
  }

  void write_inner(const ToolResult& result) {
    bool open = false;
    for (std::size_t i = 0; i < result.parts.size(); ++i) {
      rules_.inner = i;
      const PlacedPart inner{&result.parts[i], at_.turn, at_.index};
      const auto keep = sayable(rules_, inner, Role::user, notes_);
      // What cannot be left out of a turn can be left out of a result: the call stays answered.
      if (!keep) notes_.lost(place(rules_, inner), keep.error()->message);
      if (!keep || !*keep) continue;
      if (!std::exchange(open, true)) out_.key("content").begin_array();
      write_part(out_, rules_, inner, notes_);
    }
    rules_.inner.reset();
    if (open) out_.end_array();
  }

  json::Writer& out_;
  PartRules& rules_;
  const PlacedPart& at_;
  Pointer pointer_;
  const Part& part_;
  Notes& notes_;
};

// Blocks that are kept whole.
const RawJson* whole_block(const Part& part) {
  if (const auto* tool = part.as<ServerTool>()) return &tool->raw;
  if (const auto* opaque = part.as<Opaque>()) return &opaque->raw;
  return nullptr;
}

}  // namespace

bool is_vendor_file(const Part& part) {
  const auto* media = part.as<Media>();
  return media != nullptr && media->form == MediaForm::file_id && media->origin == self;
}

Result<bool> sayable(const PartRules& rules, const PlacedPart& placed, Role role, Notes& notes) {
  const Part& part = *placed.part;
  if (rules.as_said && part.as<Reasoning>() == nullptr && !part.seal) return true;
  if (const auto* text = part.as<Text>(); text != nullptr && blank(text->text)) {
    if (!text->text.empty()) notes.restated(place(rules, placed), "white space alone is left out: it is refused");
    if (part.seal) notes.lost(pointer_to_seal(rules.request, placed.turn, placed.index), "a proof of another vendor");
    return false;
  }
  if (const auto* media = part.as<Media>()) return sayable_media(rules, *media, place(rules, placed), role, notes);
  if (part.as<Reasoning>() != nullptr) return sayable_reasoning(rules, placed, place(rules, placed), notes);
  if (part.seal) notes.lost(pointer_to_seal(rules.request, placed.turn, placed.index), "a proof of another vendor");
  if (const auto* tool = part.as<ServerTool>(); tool != nullptr && tool->origin != self) {
    notes.lost(place(rules, placed), "a tool that another vendor ran");
    return false;
  }
  if (const auto* opaque = part.as<Opaque>(); opaque != nullptr && opaque->origin != self) {
    notes.lost(place(rules, placed), "anthropic does not know it");
    return false;
  }
  return true;
}

void write_mark(json::Writer& out, PartRules& rules, const std::optional<CacheMark>& mark, const Pointer& pointer,
                Notes& notes) {
  if (!mark) return;
  if (rules.marks_to_skip > 0) {
    --rules.marks_to_skip;
    notes.lost(pointer_to_mark(rules.request, pointer), "anthropic takes four cache marks: the last ones stay");
    return;
  }
  write_cache_mark(out, *mark);
}

void write_part(json::Writer& out, PartRules& rules, const PlacedPart& placed, Notes& notes) {
  const Part& part = *placed.part;
  if (const RawJson* whole = whole_block(part)) {
    out.raw(*whole);
    return;
  }
  Pointer pointer = place(rules, placed);
  out.begin_object();
  std::visit(BlockWriting(out, rules, placed, pointer, notes), part.body);
  write_mark(out, rules, part.cache, pointer, notes);
  write_extras(out, part.extras, self, pointer, notes);
  out.end_object();
}

}  // namespace sluice::anthropic
