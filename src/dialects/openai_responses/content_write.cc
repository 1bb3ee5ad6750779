// Parts as content of a message or of a tool's output. SPDX-License-Identifier: MIT
#include "base/text.h"
#include "dialects/data_url.h"
#include "dialects/openai_responses/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

std::unexpected<Failure> unsupported(const Pointer& pointer, std::string_view message) {
  return fail(Error{.fault = Fault::unsupported, .message = std::string(message), .param = pointer});
}

// Whose files these are: chat's live in the same place.
bool own_file(const Media& media) {
  return media.origin == self || media.origin == DialectId::openai_chat;
}

Result<bool> sayable_media(Writing& w, const Media& media, bool said, const Pointer& pointer) {
  if (said) {
    w.notes.lost(pointer, "an assistant message carries text only");
    return false;
  }
  if (media.kind == MediaKind::audio || media.kind == MediaKind::video) {
    return unsupported(pointer,
                       "The Responses API takes no audio or video. Send text, images or documents, or choose another "
                       "model.");
  }
  switch (media.form) {
    case MediaForm::url:
    case MediaForm::base64:
    case MediaForm::text: return true;
    case MediaForm::file_id:
      if (own_file(media)) return true;
      break;
    case MediaForm::uri:
    case MediaForm::blocks: break;
  }
  return unsupported(pointer,
                     "This file lives with another vendor. Send its content, or choose a model of that vendor.");
}

std::string_view default_name(std::string_view mime) {
  if (mime.starts_with("text/")) return "document.txt";
  return mime == "application/json" ? "document.json" : "document.pdf";
}

void write_image(Writing& w, const Media& media, const Pointer& pointer) {
  w.out.member("type", "input_image");
  if (media.form == MediaForm::file_id) {
    w.out.member("file_id", media.data);
  } else {
    w.out.member("image_url", media.form == MediaForm::base64 ? write_data_url(media.mime, media.data) : media.data);
  }
  if (!media.detail.empty()) {
    w.out.member("detail", media.detail);
  } else if (!w.own()) {
    w.out.member("detail", "auto");  // required by the vendor's own types
  }
  if (!media.name.empty() && !w.own()) w.notes.lost(pointer, "openai_responses has no name for an image");
}

void write_file(Writing& w, const Media& media, const Pointer& pointer) {
  w.out.member("type", "input_file");
  switch (media.form) {
    case MediaForm::file_id: w.out.member("file_id", media.data); break;
    case MediaForm::url: w.out.member("file_url", media.data); break;
    case MediaForm::text:
      w.notes.restated(pointer, "a text document became a file");
      w.out.member("file_data", write_data_url("text/plain", base64(media.data)));
      break;
    case MediaForm::base64:
    case MediaForm::uri:
    case MediaForm::blocks: w.out.member("file_data", write_data_url(media.mime, media.data)); break;
  }
  if (!media.name.empty()) {
    w.out.member("filename", media.name);
  } else if (!w.own() && (media.form == MediaForm::base64 || media.form == MediaForm::text)) {
    w.out.member("filename", media.form == MediaForm::text ? "document.txt" : default_name(media.mime));
  }
  if (!media.detail.empty()) w.out.member("detail", media.detail);
}

void write_citations(Writing& w, const Text& text) {
  bool open = false;
  for (const Citation& citation : text.citations) {
    if (citation.origin != self) continue;
    if (!open) w.out.key("annotations").begin_array();
    open = true;
    w.out.raw(citation.raw);
  }
  if (open) w.out.end_array();
}

void write_mark(Writing& w, const Part& part, bool said, const Pointer& pointer) {
  if (!part.cache) return;
  // Only marks of this vendor's own kind are meant for it: it caches by itself.
  const bool ours = part.cache->extras.origin == self || part.cache->extras.origin == DialectId::openai_chat;
  const bool breakpoint = ours && !remembered(part.cache->extras, part.cache->extras.origin, "breakpoint").empty();
  if (!breakpoint || (said && !w.own())) {
    w.notes.lost(pointer_to_mark(w.request, pointer), "openai_responses has no such cache marks");
    return;
  }
  w.out.key("prompt_cache_breakpoint").begin_object().member("mode", "explicit");
  if (!part.cache->ttl.empty()) w.out.member("ttl", part.cache->ttl);
  write_extras(w.out, part.cache->extras, self, pointer + "/prompt_cache_breakpoint", w.notes);
  w.out.end_object();
}

}  // namespace

Result<bool> sayable(Writing& w, const Part& part, bool said, const Pointer& pointer) {
  if (const auto* media = part.as<Media>(); media != nullptr && !w.own()) {
    return sayable_media(w, *media, said, pointer);
  }
  if (const auto* opaque = part.as<Opaque>(); opaque != nullptr && opaque->origin != self) {
    w.notes.lost(pointer, "a part that only its own dialect knows");
    return false;
  }
  if (const auto* tool = part.as<ServerTool>(); tool != nullptr && tool->origin != self) {
    w.notes.lost(pointer, "a tool that another vendor ran");
    return false;
  }
  return true;
}

Result<void> write_content(Writing& w, const Part& part, bool said, const Pointer& pointer) {
  if (const auto* opaque = part.as<Opaque>()) {
    w.out.raw(opaque->raw);
    return {};
  }
  w.out.begin_object();
  if (const auto* text = part.as<Text>()) {
    const std::string_view type = remembered(part.extras, self, memory::type);
    w.out.key("type").raw(!type.empty() ? type : said ? R"("output_text")" : R"("input_text")");
    w.out.member("text", text->text);
    write_citations(w, *text);
  } else if (const auto* refusal = part.as<Refusal>()) {
    w.out.member("type", "refusal").member("refusal", refusal->text);
  } else if (const auto* media = part.as<Media>()) {
    const bool file = media->kind != MediaKind::image || !remembered(part.extras, self, memory::file).empty();
    file ? write_file(w, *media, pointer) : write_image(w, *media, pointer);
  } else if (const auto* reasoning = part.as<Reasoning>()) {
    w.out.member("type", reasoning->summary ? "summary_text" : "reasoning_text").member("text", reasoning->text);
  }
  write_mark(w, part, said, pointer);
  if (w.own()) {
    for (const Extra& extra : part.extras.members) {
      if (extra.key.find('\x1f') == std::string::npos && !of_item(part, extra)) w.out.member_raw(extra.key, extra.raw);
    }
  } else {
    note_extras(part.extras, self, pointer, w.notes);
  }
  w.out.end_object();
  return {};
}

}  // namespace sluice::openai_responses
