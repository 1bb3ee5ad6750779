// SPDX-License-Identifier: MIT
#include "dialects/gemini/parts.h"

#include <algorithm>

#include "base/text.h"
#include "dialects/data_url.h"
#include "dialects/gemini/names.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

struct MimeRow {
  std::string_view suffix, mime;
};
constexpr MimeRow mimes[] = {
    {".png", "image/png"},    {".jpg", "image/jpeg"},  {".jpeg", "image/jpeg"},     {".webp", "image/webp"},
    {".gif", "image/gif"},    {".heic", "image/heic"}, {".pdf", "application/pdf"}, {".txt", "text/plain"},
    {".md", "text/markdown"}, {".html", "text/html"},  {".csv", "text/csv"},        {".json", "application/json"},
    {".mp3", "audio/mp3"},    {".wav", "audio/wav"},   {".ogg", "audio/ogg"},       {".flac", "audio/flac"},
    {".mp4", "video/mp4"},    {".webm", "video/webm"}, {".mov", "video/quicktime"}, {".mpeg", "video/mpeg"},
};

bool youtube(std::string_view uri) {
  return uri.find("youtube.com/") != std::string_view::npos || uri.find("youtu.be/") != std::string_view::npos;
}

// The vendor's own storage, which nobody else can read.
bool stored(std::string_view uri) {
  return !(uri.starts_with("https://") || uri.starts_with("http://")) ||
         uri.find("generativelanguage.googleapis.com/") != std::string_view::npos;
}

// The data object's members that are not among `known` go to the part's extras, under the object's name.
template <class Known>
void keep_inner(json::Value data, std::string_view name, Extras& extras, Known known) {
  Leftovers rest;
  for (const auto [key, value] : data.members()) {
    if (!value.is_null() && !known(key)) rest.add(key, value.raw());
  }
  if (!rest.empty()) extras.add(self, name, rest.take());
}

// Google's own clients write bytes in the URL's alphabet, which nobody else reads.
constexpr std::string_view url_alphabet = "url_alphabet";

void read_bytes(Media& media, Extras& extras) {
  if (!media.data.contains('-') && !media.data.contains('_')) return;
  media.data = standard_base64(media.data);
  remember(extras, self, url_alphabet);
}

void write_bytes(json::Writer& out, const Media& media, const Extras& extras) {
  if (remembered(extras, self, url_alphabet).empty()) {
    out.member("data", media.data);
    return;
  }
  std::string data = media.data;
  std::ranges::replace(data, '+', '-');
  std::ranges::replace(data, '/', '_');
  out.member("data", data);
}

void read_blob(json::Value data, std::string_view name, bool inline_data, Part& part) {
  Media media{.form = MediaForm::base64, .origin = self};
  media.mime = field(data, "mimeType").text();
  media.name = field(data, "displayName").text();
  media.data = field(data, inline_data ? "data" : "fileUri").text();
  if (inline_data) {
    media.kind = kind_of_mime(media.mime);
    read_bytes(media, part.extras);
  } else {
    media.form = stored(media.data) ? MediaForm::uri : MediaForm::url;
    media.kind = !media.mime.empty()   ? kind_of_mime(media.mime)
                 : youtube(media.data) ? MediaKind::video
                                       : kind_of_mime(mime_of_name(media.data));
  }
  keep_inner(data, name, part.extras, [&](std::string_view key) {
    return is_name(key, "mimeType") || is_name(key, "displayName") || is_name(key, inline_data ? "data" : "fileUri");
  });
  part.body = std::move(media);
}

void read_call(json::Value data, Part& part) {
  ToolCall call{.id = field(data, "id").text(), .name = field(data, "name").text()};
  call.id_made_up = call.id.empty();
  const json::Value args = field(data, "args");
  call.arguments = args ? std::string(args.raw()) : "{}";
  keep_inner(data, "functionCall", part.extras,
             [](std::string_view key) { return key == "id" || key == "name" || key == "args"; });
  part.body = std::move(call);
}

Result<void> read_result(json::Value data, Part& part) {
  ToolResult result{.call_id = field(data, "id").text(), .name = field(data, "name").text(), .plain_string = true};
  const json::Value response = field(data, "response");
  // What this dialect says of a plain text and of an error; everything else stays the object that it is.
  const json::Value output = response.size() == 1 ? response["output"] : json::Value();
  const json::Value error = response.size() == 1 ? response["error"] : json::Value();
  result.is_error = static_cast<bool>(error);
  if (output.is_string() || error.is_string()) {
    result.parts.push_back(Part{.body = Text{.text = (output ? output : error).text()}});
  } else if (response) {
    result.json = std::string(response.raw());
  }
  TRY_VOID(read_parts(field(data, "parts"), result.parts));
  // Beside media the object stands as a text too: other dialects have no object there.
  if (!result.json.empty() && !result.parts.empty()) {
    result.parts.insert(result.parts.begin(), Part{.body = Text{.text = result.json}});
  }
  keep_inner(data, "functionResponse", part.extras,
             [](std::string_view key) { return key == "id" || key == "name" || key == "response" || key == "parts"; });
  part.body = std::move(result);
  return {};
}

// Calls and results of tools that the vendor runs. The proof beside them is kept apart.
void read_server(json::Value data, std::string_view name, Part& part) {
  ServerTool tool{.origin = self, .is_result = name == "codeExecutionResult" || name == "toolResponse"};
  tool.id = field(data, "id").text();
  tool.name = name == "executableCode" || name == "codeExecutionResult" ? "code_execution"
                                                                        : lower(field(data, "toolType").text());
  Leftovers raw;
  raw.add(name, data.raw());
  tool.raw = raw.take();
  part.body = std::move(tool);
}

constexpr std::string_view data_fields[] = {"text",        "functionCall",   "functionResponse",    "inlineData",
                                            "fileData",    "executableCode", "codeExecutionResult", "toolCall",
                                            "toolResponse"};

void read_detail(json::Value resolution, Part& part) {
  const std::string level = field(resolution, "level").text();
  auto* media = part.as<Media>();
  if (media != nullptr && resolution.size() == 1 && level == "MEDIA_RESOLUTION_LOW") {
    media->detail = "low";
  } else if (media != nullptr && resolution.size() == 1 && level == "MEDIA_RESOLUTION_HIGH") {
    media->detail = "high";
  } else {
    part.extras.add(self, "mediaResolution", resolution.raw());
  }
}

Part opaque(json::Value value, std::string_view type, std::optional<Seal> seal) {
  Leftovers raw;
  for (const auto [key, member] : value.members()) {
    if (!is_name(key, "thoughtSignature")) raw.add(key, member.raw());
  }
  return {.body = Opaque{.origin = self, .type = std::string(type), .raw = raw.empty() ? "{}" : raw.take()},
          .seal = std::move(seal)};
}

}  // namespace

Result<Part> read_part(json::Value value) {
  if (!value.is_object()) return fail(Fault::bad_request, "A part must be an object.");
  Part part;
  json::Value data, resolution;
  std::string_view name, unknown;
  int kinds = 0;
  bool thought = false;
  for (const auto [key, member] : value.members()) {
    if (member.is_null()) continue;
    const auto* known = std::ranges::find_if(data_fields, [&](std::string_view f) { return is_name(key, f); });
    if (known != std::end(data_fields)) {
      data = member;
      name = *known;
      ++kinds;
    } else if (is_name(key, "thoughtSignature")) {
      if (const std::string raw = member.text(); !raw.empty()) part.seal = read_seal(raw, self);
    } else if (key == "thought" && member.boolean()) {
      thought = *member.boolean();
    } else if (is_name(key, "mediaResolution") && member.is_object()) {
      resolution = member;
    } else {
      if (unknown.empty()) unknown = key;
      part.extras.add(self, key, member.raw());
    }
  }
  // Two kinds of data in one part, or one that nobody here knows: carried as it stands.
  if (kinds > 1 || (kinds == 0 && !unknown.empty())) return opaque(value, unknown, std::move(part.seal));
  if (kinds == 0) {
    if (!part.seal) return opaque(value, "", {});
    part.body = Text{};  // a proof alone stands on an empty text
  } else if (name == "text") {
    if (thought) {
      part.body = Reasoning{.text = data.text()};
    } else {
      part.body = Text{.text = data.text()};
    }
  } else if (name == "functionCall") {
    read_call(data, part);
  } else if (name == "functionResponse") {
    TRY_VOID(read_result(data, part));
  } else if (name == "inlineData" || name == "fileData") {
    read_blob(data, name, name == "inlineData", part);
  } else {
    read_server(data, name, part);
  }
  if (resolution) read_detail(resolution, part);
  if (thought && kinds == 0) part.body = Reasoning{.redacted = part.seal->dialect != self};
  if (thought && part.as<Reasoning>() == nullptr) part.extras.add(self, "thought", "true");
  return part;
}

Result<void> read_parts(json::Value parts, std::vector<Part>& out) {
  if (!parts) return {};
  if (parts.is_object()) {
    TRY(Part part, read_part(parts));
    out.push_back(std::move(part));
    return {};
  }
  if (!parts.is_array()) return fail(Fault::bad_request, "'parts' must be a list of parts.");
  out.reserve(out.size() + parts.size());
  for (const json::Value element : parts.elements()) {
    TRY(Part part, read_part(element));
    out.push_back(std::move(part));
  }
  return {};
}

MediaKind kind_of_mime(std::string_view mime) {
  if (mime.starts_with("image/")) return MediaKind::image;
  if (mime.starts_with("audio/")) return MediaKind::audio;
  if (mime.starts_with("video/")) return MediaKind::video;
  return MediaKind::document;
}

std::string_view mime_of_name(std::string_view name) {
  name = name.substr(0, name.find_first_of("?#"));
  const std::string text = lower(name);
  for (const MimeRow& row : mimes) {
    if (text.ends_with(row.suffix)) return row.mime;
  }
  return {};
}

void write_inner_extras(json::Writer& out, const Extras& extras, std::string_view name) {
  if (extras.origin != self) return;
  for (const Extra& extra : extras.members) {
    if (extra.key != name) continue;
    json::Document doc;
    const auto inner = doc.parse(extra.raw);
    if (!inner) continue;
    for (const auto [key, value] : inner->members()) out.member_raw(key, value.raw());
  }
}

void write_outer_extras(json::Writer& out, const Extras& extras, std::string_view name) {
  if (extras.origin != self) return;
  for (const Extra& extra : extras.members) {
    if (extra.key != name && !is_memory(extra)) out.member_raw(extra.key, extra.raw);
  }
}

bool can_write_media(const Media& media) {
  switch (media.form) {
    case MediaForm::base64:
    case MediaForm::text:
    case MediaForm::url: return true;
    case MediaForm::uri: return media.origin == self || media.data.starts_with("gs://");
    case MediaForm::file_id: return media.origin == self;
    case MediaForm::blocks: break;
  }
  return false;
}

bool write_media(json::Writer& out, const Media& media, const Extras& extras) {
  if (!can_write_media(media)) return false;
  const bool native = media.origin == self;
  const bool inside = media.form == MediaForm::base64 || media.form == MediaForm::text;
  const std::string_view name = inside ? "inlineData" : "fileData";
  out.key(name).begin_object();
  std::string_view mime = media.mime;
  if (mime.empty() && media.form == MediaForm::text) mime = "text/plain";
  if (mime.empty() && !native) mime = mime_of_name(media.name.empty() ? media.data : media.name);
  if (!mime.empty()) out.member("mimeType", mime);
  if (name == "fileData") {
    out.member("fileUri", media.data);
  } else if (media.form == MediaForm::text) {
    out.member("data", base64(media.data));
  } else {
    write_bytes(out, media, extras);
  }
  if (native && !media.name.empty()) out.member("displayName", media.name);
  write_inner_extras(out, extras, name);
  out.end_object();
  return true;
}

bool write_detail(json::Writer& out, const Media& media) {
  const bool high = media.detail == "high" || media.detail == "original";
  if (!high && media.detail != "low") return false;
  out.key("mediaResolution").begin_object();
  out.member("level", high ? "MEDIA_RESOLUTION_HIGH" : "MEDIA_RESOLUTION_LOW");
  out.end_object();
  return true;
}

std::string call_args(const ToolCall& call) {
  if (call.kind == ToolKind::custom) return "{\"input\":" + json::quote(call.arguments) + '}';
  const auto first = call.arguments.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "{}";
  if (call.arguments[first] != '{' || !json::valid(call.arguments)) return {};
  return call.arguments;
}

void write_call(json::Writer& out, const ToolCall& call, std::string_view args, std::string_view id,
                const Extras& extras) {
  out.key("functionCall").begin_object();
  if (!id.empty()) out.member("id", id);
  out.member("name", call.name);
  out.member_raw("args", args);
  write_inner_extras(out, extras, "functionCall");
  out.end_object();
}

}  // namespace sluice::gemini
