// Reading. SPDX-License-Identifier: MIT
#include "dialects/openai_chat/message.h"

#include <algorithm>

#include "dialects/data_url.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"

namespace sluice::openai_chat {
namespace {

// Members of an inner object that are not in `known` go to the part's extras.
void spare_inner(Extras& extras, json::Value object, std::string_view inner,
                 std::initializer_list<std::string_view> known) {
  for (const auto [key, value] : object.members()) {
    if (std::ranges::find(known, key) == known.end()) add_inner(extras, self, inner, key, value.raw());
  }
}

void spare(Extras& extras, json::Value object, std::initializer_list<std::string_view> known) {
  for (const auto [key, value] : object.members()) {
    if (std::ranges::find(known, key) == known.end()) extras.add(self, key, value.raw());
  }
}

Part opaque(json::Value part) {
  return {.body = Opaque{.origin = self, .type = part["type"].text(), .raw = std::string(part.raw())}};
}

// A URL or data URL into the right form of media.
void place(Media& media, std::string url) {
  if (const auto data = read_data_url(url)) {
    media.form = MediaForm::base64;
    media.mime = std::string(data->mime);
    media.data = std::string(data->base64);
  } else {
    media.form = MediaForm::url;
    media.data = std::move(url);
  }
}

Part read_url_part(json::Value part, std::string_view member, MediaKind kind) {
  const json::Value inside = part[member];
  Media media{.kind = kind, .origin = self};
  Part out;
  if (inside.is_string()) {  // Mistral's short form
    place(media, inside.text());
    remember(out.extras, self, "short");
  } else if (inside["url"].is_string()) {
    place(media, inside["url"].text());
    media.detail = inside["detail"].text();
    spare_inner(out.extras, inside, member, {"url", "detail"});
  } else {
    return opaque(part);
  }
  out.body = std::move(media);
  return out;
}

std::string_view audio_mime(std::string_view format) {
  if (format == "wav") return "audio/wav";
  if (format == "mp3") return "audio/mp3";  // the name that vendors list
  return {};
}

Part read_audio_part(json::Value part) {
  const json::Value inside = part["input_audio"];
  const std::string format = inside["format"].text();
  const std::string_view mime = audio_mime(format);
  if (!inside["data"].is_string() || mime.empty()) return opaque(part);
  Part out{.body = Media{.kind = MediaKind::audio,
                         .form = MediaForm::base64,
                         .data = inside["data"].text(),
                         .mime = std::string(mime),
                         .origin = self}};
  spare_inner(out.extras, inside, "input_audio", {"data", "format"});
  return out;
}

Part read_file_part(json::Value part) {
  const json::Value inside = part["file"];
  Media media{.kind = MediaKind::document, .name = inside["filename"].text(), .origin = self};
  if (inside["file_id"].is_string()) {
    media.form = MediaForm::file_id;
    media.data = inside["file_id"].text();
  } else if (inside["file_data"].is_string()) {
    place(media, inside["file_data"].text());
  } else {
    return opaque(part);
  }
  if (media.mime.starts_with("image/")) media.kind = MediaKind::image;
  if (media.mime.starts_with("audio/")) media.kind = MediaKind::audio;
  if (media.mime.starts_with("video/")) media.kind = MediaKind::video;
  Part out{.body = std::move(media)};
  remember(out.extras, self, "file");
  spare_inner(out.extras, inside, "file", {"filename", "file_id", "file_data"});
  return out;
}

// Mistral's thinking inside content: {type: thinking, thinking: [{type: text, text}]} or a string.
Part read_thinking_part(json::Value part) {
  Reasoning reasoning;
  if (part["thinking"].is_string()) reasoning.text = part["thinking"].text();
  for (const json::Value piece : part["thinking"].elements()) reasoning.text += piece["text"].text();
  Part out{.body = std::move(reasoning)};
  spare(out.extras, part, {"type", "thinking", "closed"});
  return out;
}

// LiteLLM's form of Claude's blocks.
void read_thinking_blocks(json::Value blocks, std::vector<Part>& out) {
  for (const json::Value block : blocks.elements()) {
    const bool redacted = block["type"].equals("redacted_thinking");
    Part part{.body = Reasoning{.text = block["thinking"].text(), .redacted = redacted}};
    const std::string proof = redacted ? block["data"].text() : block["signature"].text();
    if (!proof.empty()) part.seal = read_seal(proof, DialectId::anthropic);
    out.push_back(std::move(part));
  }
}

// Proofs that stand in reasoning_details but belong to a call, or to the text.
void hand_out_seals(std::vector<Part>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto* reasoning = parts[i].as<Reasoning>();
    if (reasoning == nullptr || !reasoning->redacted || !parts[i].seal) continue;
    const auto id = std::ranges::find(parts[i].extras.members, "id", &Extra::key);
    if (id == parts[i].extras.members.end()) continue;
    const std::string name = id->raw.size() > 2 ? json::unescape(id->raw.substr(1, id->raw.size() - 2)) : "";
    const auto owner = std::ranges::find_if(parts, [&](const Part& part) {
      const auto* call = part.as<ToolCall>();
      return (call != nullptr && call->id == name) || (name == "content" && part.as<Text>() != nullptr);
    });
    // Only our own envelopes change their place; a vendor's stay as they came.
    if (owner == parts.end() || owner->seal || parts[i].seal->dialect == self) continue;
    owner->seal = std::move(parts[i].seal);
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i--));
  }
}

// What `text` says in front of each part and behind the last; false when it is no repetition of them.
bool find_gaps(std::string_view text, const std::vector<Part>& parts, std::vector<std::string_view>& gaps) {
  for (const Part& part : parts) {
    const auto* reasoning = part.as<Reasoning>();
    const std::string_view told = reasoning == nullptr ? std::string_view() : std::string_view(reasoning->text);
    const auto at = text.find(told);
    if (at == std::string_view::npos) return false;
    gaps.push_back(text.substr(0, at));
    text.remove_prefix(at + told.size());
  }
  gaps.push_back(text);
  return true;
}

void read_reasoning(std::string text, json::Value details, json::Value blocks, std::vector<Part>& out) {
  for (const json::Value detail : details.elements()) out.push_back(read_reasoning_detail(detail));
  if (out.empty()) read_thinking_blocks(blocks, out);
  // The plain text repeats what blocks say; it counts where they say nothing, and for what it says before, between and
  // behind them.
  std::string said;
  for (const Part& part : out) {
    if (const auto* reasoning = part.as<Reasoning>()) said += reasoning->text;
  }
  if (text.size() <= said.size()) return;
  const auto plain = [](std::string_view piece) { return Part{.body = Reasoning{.text = std::string(piece)}}; };
  if (text.ends_with(said)) {
    text.resize(text.size() - said.size());
    out.insert(out.begin(), plain(text));
  } else if (text.starts_with(said)) {
    out.push_back(plain(std::string_view(text).substr(said.size())));
  } else if (std::vector<std::string_view> gaps; find_gaps(text, out, gaps)) {
    for (std::size_t i = gaps.size(); i-- > 0;) {
      if (!gaps[i].empty()) out.insert(out.begin() + static_cast<std::ptrdiff_t>(i), plain(gaps[i]));
    }
  }
}

void read_content(json::Value content, bool history, MessageParts& out) {
  if (content.is_string()) {
    std::string text = content.text();
    out.plain_string = true;
    if (history || !text.empty()) out.parts.emplace_back().body = Text{.text = std::move(text)};
    return;
  }
  for (const json::Value part : content.elements()) out.parts.push_back(read_content_part(part));
}

void read_audio(json::Value audio, MessageParts& out) {
  Part part;
  if (audio["data"].is_string()) {
    part.body =
        Media{.kind = MediaKind::audio, .form = MediaForm::base64, .data = audio["data"].text(), .origin = self};
    spare(part.extras, audio, {"data"});
  } else {
    part.body = Media{.kind = MediaKind::audio, .form = MediaForm::file_id, .data = audio["id"].text(), .origin = self};
    spare(part.extras, audio, {"id"});
  }
  remember(part.extras, self, "member");
  out.parts.push_back(std::move(part));
}

}  // namespace

std::string legacy_call_id(std::string_view name) {
  return "call_" + hash_text(name, 24);
}

std::optional<CacheMark> read_cache_mark(json::Value owner) {
  const auto [ours, common] = owner.pick("prompt_cache_breakpoint", "cache_control");
  return read_cache_mark(ours, common);
}

std::optional<CacheMark> read_cache_mark(json::Value ours, json::Value common) {
  const json::Value mark = ours.is_object() ? ours : common;
  if (!mark.is_object()) return std::nullopt;
  CacheMark out{.ttl = mark["ttl"].text()};
  for (const auto [key, value] : mark.members()) {
    const bool form = key == "ttl" || (key == "type" && value.equals("ephemeral")) ||
                      (key == "mode" && value.equals("explicit") && ours.is_object());
    if (!form) out.extras.add(self, key, value.raw());
  }
  if (ours.is_object()) remember(out.extras, self, "breakpoint");
  return out;
}

Part read_content_part(json::Value part) {
  Part out;
  std::string scratch;
  const std::string_view type = part["type"].view(scratch);
  const auto rest = [&](std::initializer_list<std::string_view> known) {
    for (const auto [key, value] : part.members()) {
      if (key == "type" || key == "prompt_cache_breakpoint") continue;
      // Some say it in both words: the second stays beside.
      if (key == "cache_control" && !part["prompt_cache_breakpoint"].is_object()) continue;
      if (std::ranges::find(known, key) == known.end()) out.extras.add(self, key, value.raw());
    }
    out.cache = read_cache_mark(part);
  };
  if (type == "text" && part["text"].is_string()) {
    out.body = Text{.text = part["text"].text()};
    rest({"text"});
  } else if (type == "image_url") {
    out = read_url_part(part, "image_url", MediaKind::image);
    if (!out.as<Opaque>()) rest({"image_url"});
  } else if (type == "video_url") {
    out = read_url_part(part, "video_url", MediaKind::video);
    if (!out.as<Opaque>()) rest({"video_url"});
  } else if (type == "audio_url") {
    out = read_url_part(part, "audio_url", MediaKind::audio);
    if (!out.as<Opaque>()) rest({"audio_url"});
  } else if (type == "document_url") {
    out = read_url_part(part, "document_url", MediaKind::document);
    if (!out.as<Opaque>()) rest({"document_url"});
  } else if (type == "input_audio") {
    out = read_audio_part(part);
    if (!out.as<Opaque>()) rest({"input_audio"});
  } else if (type == "file") {
    out = read_file_part(part);
    if (!out.as<Opaque>()) rest({"file"});
  } else if (type == "refusal" && part["refusal"].is_string()) {
    out.body = Refusal{.text = part["refusal"].text()};
    remember(out.extras, self, "part");
    rest({"refusal"});
  } else if (type == "thinking") {
    out = read_thinking_part(part);
  } else {
    out = opaque(part);
  }
  return out;
}

Part read_tool_call(json::Value call) {
  ToolCall out{.id = call["id"].text()};
  Part part;
  const bool custom = call["type"].equals("custom");
  const std::string_view inner = custom ? "custom" : "function";
  const json::Value body = call[inner];
  if (custom) {
    out.kind = ToolKind::custom;
    out.arguments = body["input"].text();
  } else {
    // Some vendors send the arguments as an object.
    out.arguments = body["arguments"].is_string() ? body["arguments"].text() : std::string(body["arguments"].raw());
    if (out.arguments == "null") out.arguments.clear();
  }
  out.name = body["name"].text();
  out.id_made_up = out.id.empty();
  if (const json::Value sealed = call["extra_content"]["google"]["thought_signature"]; sealed.is_string()) {
    part.seal = read_seal(sealed.text(), self);
  } else if (const json::Value lite = call["provider_specific_fields"]["thought_signature"]; lite.is_string()) {
    part.seal = read_seal(lite.text(), DialectId::gemini);
  }
  part.cache = read_cache_mark(call);
  for (const auto [key, value] : call.members()) {
    if (key == "id" || key == "type" || key == inner || key == "index" || key == "cache_control") continue;
    if (part.seal && (key == "extra_content" || key == "provider_specific_fields")) continue;
    part.extras.add(self, key, value.raw());
  }
  spare_inner(part.extras, body, inner, {"name", custom ? "input" : "arguments"});
  part.body = std::move(out);
  return part;
}

Part read_reasoning_detail(json::Value detail) {
  std::string scratch;
  const std::string_view type = detail["type"].view(scratch);
  Reasoning reasoning;
  std::string_view proof;
  if (type == "reasoning.text") {
    reasoning.text = detail["text"].text();
    proof = "signature";
  } else if (type == "reasoning.summary") {
    reasoning.text = detail["summary"].text();
    reasoning.summary = true;
    proof = "signature";
  } else if (type == "reasoning.encrypted") {
    reasoning.redacted = true;
    proof = "data";
  } else {
    Part out = opaque(detail);
    remember(out.extras, self, "detail");
    return out;
  }
  Part out{.body = std::move(reasoning)};
  if (const std::string text = detail[proof].text(); !text.empty()) out.seal = read_seal(text, self);
  for (const auto [key, value] : detail.members()) {
    if (key == "type" || key == "text" || key == "summary" || key == proof || key == "index") continue;
    out.extras.add(self, key, value.raw());
  }
  remember(out.extras, self, "detail");
  return out;
}

Citation read_annotation(json::Value annotation) {
  const json::Value inside = annotation["url_citation"];
  return {.url = inside["url"].text(),
          .title = inside["title"].text(),
          .cited_text = inside["content"].text(),
          .start = inside["start_index"].integer(),
          .end = inside["end_index"].integer(),
          .origin = self,
          .raw = std::string(annotation.raw())};
}

MessageParts read_message(json::Value message, bool history) {
  MessageParts out;
  const auto [content, refusal, images, audio, annotations, calls, old_call, thought, thought_too, details, blocks] =
      message.pick("content", "refusal", "images", "audio", "annotations", "tool_calls", "function_call",
                   "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks");
  read_reasoning(thought.is_string() ? thought.text() : thought_too.text(), details, blocks, out.parts);
  read_content(content, history, out);
  if (std::string text = refusal.text(); !text.empty()) {
    Part part{.body = Refusal{.text = std::move(text)}};
    remember(part.extras, self, "member");
    out.parts.push_back(std::move(part));
  }
  for (const json::Value image : images.elements()) {
    Part part = read_content_part(image);
    remember(part.extras, self, "member");
    out.parts.push_back(std::move(part));
  }
  if (audio.is_object()) read_audio(audio, out);
  if (annotations.size() > 0) {
    const auto text = std::ranges::find_if(out.parts, [](const Part& part) { return part.as<Text>() != nullptr; });
    if (text == out.parts.end()) {
      out.extras.add(self, "annotations", annotations.raw());
    } else {
      for (const json::Value one : annotations.elements()) text->as<Text>()->citations.push_back(read_annotation(one));
    }
  }
  for (const json::Value call : calls.elements()) out.parts.push_back(read_tool_call(call));
  if (old_call.is_object()) {
    const std::string name = old_call["name"].text();
    out.parts.push_back(
        {.body = ToolCall{.id = legacy_call_id(name), .name = name, .arguments = old_call["arguments"].text()}});
  }
  hand_out_seals(out.parts);
  for (const auto [key, value] : message.members()) {
    constexpr std::string_view known[] = {
        "role",      "content",           "refusal",         "images",        "audio",
        "reasoning", "annotations",       "tool_calls",      "function_call", "reasoning_content",
        "name",      "reasoning_details", "thinking_blocks", "cache_control"};
    if (std::ranges::find(known, key) != std::end(known)) continue;
    out.extras.add(self, key, value.raw());
  }
  return out;
}

}  // namespace sluice::openai_chat
