// The conversation as messages: user and assistant by turns, every part a block. SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialects/bedrock_converse/blocks.h"
#include "dialects/bedrock_converse/formats.h"
#include "dialects/bedrock_converse/writing.h"
#include "dialects/call_input.h"
#include "dialects/media_type.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "dialects/tool_name.h"

namespace sluice::bedrock_converse {
namespace {

constexpr std::string_view no_words = ".";  // a document needs a text beside it

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  Error error{.fault = Fault::unsupported};
  error.message = std::move(message);
  error.param = std::move(pointer);
  return fail(std::move(error));
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Pointer place(const Writing& w, const PlacedPart& at) {
  // What was made up stands near a turn that may hold nothing.
  const bool nowhere = at.index >= w.request.turns[at.turn].parts.size();
  return nowhere ? pointer_to_turn(w.request, at.turn) : pointer_to_part(w.request, at.turn, at.index);
}

std::string_view word(MediaKind kind) {
  switch (kind) {
    case MediaKind::image: return "image";
    case MediaKind::audio: return "sound";
    case MediaKind::video: return "video";
    case MediaKind::document: return "document";
  }
  return "file";
}

std::string mime_of(const Media& media) {
  if (!media.mime.empty()) return media.mime;
  if (media.form == MediaForm::base64) {
    if (const auto told = media_type_of(media.data); !told.empty()) return std::string(told);
  }
  return media.kind == MediaKind::image ? "image/png" : media.kind == MediaKind::document ? "application/pdf" : "";
}

// The format of a file that can be said. Error: unsupported.
Result<std::string> format_of(const Media& media, const Pointer& pointer) {
  if (media.form == MediaForm::text) {
    const auto known = format_of_mime(MediaKind::document, media.mime);
    return std::string(known.empty() ? std::string_view("txt") : known);
  }
  const std::string mime = mime_of(media);
  if (const auto format = format_of_mime(media.kind, mime); !format.empty()) return std::string(format);
  if (media.origin == self) return mime.empty() ? std::string() : mime.substr(mime.find('/') + 1);
  return unsupported(pointer, "Bedrock takes no " + std::string(word(media.kind)) + " of the type " +
                                  (mime.empty() ? "that this is" : mime) + '.');
}

Result<bool> sayable_media(Writing& w, const Media& media, const Pointer& pointer, Role role) {
  if (!w.own && role != Role::user) {
    w.notes.lost(pointer, "bedrock takes files from the user only");
    return false;
  }
  switch (media.form) {
    case MediaForm::base64:
    case MediaForm::text: break;
    case MediaForm::uri:
      if (media.origin == self || media.data.starts_with("s3://")) break;
      return unsupported(pointer, "This file lives with another vendor. Send its content, or put it into S3.");
    case MediaForm::url:
      return unsupported(pointer, "Bedrock fetches nothing from the web: send the " + std::string(word(media.kind)) +
                                      "'s content in base64 instead of its address.");
    case MediaForm::file_id:
    case MediaForm::blocks:
      return unsupported(pointer, "This file lives with another vendor. Send its content in base64.");
  }
  TRY(const std::string format, format_of(media, pointer));
  return true;
}

// Whether the part is said at all; if not, a Note tells why (an empty text needs none).
Result<bool> sayable(Writing& w, const PlacedPart& placed, Role role, const Pointer& pointer) {
  const Part& part = *placed.part;
  const bool own_seal = part.seal && part.seal->dialect == self;
  if (const auto* reasoning = part.as<Reasoning>()) {
    // Models without proofs want their own thinking back as it was.
    if (own_seal || (w.own && !part.seal && !reasoning->text.empty())) return true;
    if (part.seal) {
      std::string seal = pointer_to_seal(w.request, placed.turn, placed.index);
      if (!seal.starts_with(pointer.text())) w.notes.lost(std::move(seal), "a proof of another vendor");
    }
    w.notes.lost(pointer, "thinking without the vendor's own proof is refused");
    return false;
  }
  if (part.seal && !own_seal) {
    w.notes.lost(pointer_to_seal(w.request, placed.turn, placed.index), "a proof of another vendor");
  }
  if (w.own) return true;
  if (const auto* text = part.as<Text>(); text != nullptr && blank(text->text)) {
    if (!text->text.empty()) w.notes.restated(pointer, "white space alone is left out: it is refused");
    return false;
  }
  if (const auto* media = part.as<Media>()) return sayable_media(w, *media, pointer, role);
  const auto* tool = part.as<ServerTool>();
  const auto* opaque = part.as<Opaque>();
  if ((tool != nullptr && tool->origin != self) || (opaque != nullptr && opaque->origin != self)) {
    w.notes.lost(pointer, tool != nullptr ? "a tool that another vendor ran" : "bedrock does not know it");
    return false;
  }
  return true;
}

// Where an image's `detail` stood.
std::string detail_pointer(const Writing& w, const std::string& part) {
  return part + (w.request.origin == DialectId::openai_chat || w.request.origin == DialectId::cohere
                     ? "/image_url/detail"
                     : "/detail");
}

// Writes one part as a block.
class BlockWriting {
 public:
  BlockWriting(Writing& w, const PlacedPart& at, Pointer pointer)
      : w_(w), at_(at), pointer_(std::move(pointer)), part_(*at.part) {}

  void operator()(const Text& text) {
    if (!text.citations.empty() && text.citations.front().origin != self) {
      w_.notes.lost(pointer_to_citations(w_.request, at_.turn, at_.index), "earlier citations of another vendor");
      Part plain = part_;
      plain.as<Text>()->citations.clear();
      return write_text(w_.out, plain, text.text, pointer_, w_.notes);
    }
    write_text(w_.out, part_, text.text, pointer_, w_.notes);
  }
  void operator()(const Refusal& refusal) {
    w_.notes.restated(pointer_, "a refusal is text here");
    write_text(w_.out, part_, refusal.text, pointer_, w_.notes);
  }
  void operator()(const Reasoning&) { write_reasoning(w_.out, part_, pointer_, w_.notes); }

  void operator()(const Media& media) {
    const std::string format = format_of(media, pointer_).value_or("");
    std::string name = media.name;
    if (media.kind == MediaKind::document && !w_.own) name = free_name(media.name);
    if (media.kind != MediaKind::document && !name.empty() && !w_.own) {
      w_.notes.lost(pointer_, "only documents have a name here");
      name.clear();
    }
    if (!media.detail.empty()) w_.notes.lost(detail_pointer(w_, pointer_), "bedrock has no image detail");
    const bool told = w_.own && media.mime.empty();
    if (media.origin != self && media.mime == "image/jpg") w_.notes.restated(pointer_, "image/jpg is image/jpeg");
    write_media(w_.out, part_, told ? std::string_view() : std::string_view(format), name, pointer_, w_.notes);
  }

  void operator()(const ToolCall& call) {
    bool wrapped = false;
    const std::string input = w_.own ? own_input(call) : call_input(call, wrapped);
    if (wrapped) w_.notes.restated(pointer_, "arguments are an object here: wrapped as {\"input\": …}");
    write_call(w_.out, part_, call_id(call.id), tool_name(call.name), input, pointer_, w_.notes);
  }

  void operator()(const ToolResult& result) {
    json::Writer& out = w_.out;
    out.begin_object().key("toolResult").begin_object();
    out.member("toolUseId", call_id(result.call_id));
    out.key("content").begin_array();
    write_items(result);
    out.end_array();
    const bool well = !remembered(part_.extras, self, status_memory).empty();
    if (result.is_error || well) out.member("status", result.is_error ? "error" : "success");
    write_inner_extras(out, part_.extras, self, "toolResult");
    out.end_object();
    write_extras(out, part_.extras, self, pointer_, w_.notes);
    out.end_object();
  }

  void operator()(const ServerTool& tool) { w_.out.raw(tool.raw); }
  void operator()(const Opaque& opaque) { w_.out.raw(opaque.raw); }

 private:
  static std::string own_input(const ToolCall& call) { return call.arguments.empty() ? "{}" : call.arguments; }

  std::string call_id(const std::string& id) {
    const std::string taken = w_.call_id(id);
    if (taken != id) w_.notes.restated(pointer_, "an id that bedrock takes");
    return taken;
  }
  std::string tool_name(const std::string& name) {
    const std::string taken = w_.tool_name(name);
    if (taken != name) w_.notes.restated(pointer_, "a name that bedrock takes");
    return taken;
  }

  // The vendor demands a name of few characters, and another one for each document.
  std::string free_name(const std::string& wanted) {
    std::string name = document_name(wanted);
    if (wanted.empty()) {
      w_.notes.added(pointer_, "bedrock demands a name for each document");
    } else if (name != wanted) {
      w_.notes.restated(pointer_, "a document's name that bedrock takes");
    }
    if (name.empty()) name = "document";
    std::string free = name;
    for (int n = 2; std::ranges::find(w_.document_names, free) != w_.document_names.end(); ++n) {
      free = name + " (" + std::to_string(n) + ')';
    }
    if (free != name && !wanted.empty()) w_.notes.restated(pointer_, "two documents of one name are refused");
    w_.document_names.push_back(free);
    return free;
  }

  void write_items(const ToolResult& result) {
    // Beside media the object stands as a text too.
    const bool object = result.json.starts_with('{');
    if (object) w_.out.begin_object().member_raw("json", result.json).end_object();
    if (!object && !result.json.empty() && result.parts.empty()) {
      w_.out.begin_object().member("text", result.json).end_object();
    }
    for (std::size_t i = 0; i < result.parts.size(); ++i) {
      const Part& inner = result.parts[i];
      const auto* text = inner.as<Text>();
      if (object && text != nullptr && text->text == result.json) continue;
      Pointer pointer = place(w_, at_);
      if (at_.index < w_.request.turns[at_.turn].parts.size()) {
        pointer = pointer_to_result_part(w_.request, at_.turn, at_.index, i);
      }
      write_item(inner, text, pointer);
    }
  }

  void write_item(const Part& inner, const Text* text, const Pointer& pointer) {
    if (text != nullptr && !remembered(inner.extras, self, json_memory).empty() && json::valid(text->text)) {
      w_.out.begin_object().member_raw("json", text->text).end_object();
      return;
    }
    if (!w_.own && inner.cache)
      w_.notes.restated(pointer_to_mark(w_.request, pointer), "the mark stands behind the result");
    const PlacedPart placed{&inner, at_.turn, at_.index};
    const auto keep = sayable(w_, placed, Role::user, pointer);
    // What cannot be left out of a turn can be left out of a result: the call stays answered.
    if (!keep) w_.notes.lost(pointer, keep.error()->message);
    if (!keep || !*keep) return;
    std::visit(BlockWriting(w_, placed, pointer), inner.body);
  }

  Writing& w_;
  const PlacedPart& at_;
  Pointer pointer_;
  const Part& part_;
};

// The mark of a part, or of what is inside it: a result has one mark, behind it.
std::optional<CacheMark> mark_of(const Part& part) {
  if (part.cache) return part.cache;
  if (const auto* result = part.as<ToolResult>()) {
    for (const Part& inner : result->parts) {
      if (inner.cache) return inner.cache;
    }
  }
  return std::nullopt;
}

void write_part(Writing& w, const PlacedPart& placed) {
  const Pointer pointer = place(w, placed);
  std::visit(BlockWriting(w, placed, pointer), placed.part->body);
  write_mark(w, mark_of(*placed.part), pointer);
}

// The client's own messages, one to one.
Dialogue stand(const ChatRequest& request) {
  Dialogue out;
  for (std::size_t t = leading_system(request); t < request.turns.size(); ++t) {
    const Turn& turn = request.turns[t];
    Message message{.role = turn.role};
    for (std::size_t i = 0; i < turn.parts.size(); ++i) message.parts.push_back({&turn.parts[i], t, i});
    out.messages.push_back(std::move(message));
  }
  return out;
}

void note_turns(const Writing& w) {
  for (std::size_t t = 0; t < w.request.turns.size(); ++t) {
    const Turn& turn = w.request.turns[t];
    if (!turn.name.empty()) w.notes.lost(pointer_to_turn(w.request, t) + "/name", "bedrock names nobody");
    // Messages were put together anew: nothing of an old one's own has a place.
    Extras foreign = turn.extras;
    if (foreign.origin == self) foreign.origin = DialectId::openai_chat;
    note_extras(foreign, self, pointer_to_turn(w.request, t), w.notes);
  }
}

void count_marks(Writing& w) {
  constexpr std::ptrdiff_t most = 4;
  std::ptrdiff_t count = 0;
  for (const Tool& tool : w.request.tools) count += tool.cache.has_value();
  for (std::size_t t = 0; t < leading_system(w.request); ++t) {
    count += std::ranges::count_if(w.request.turns[t].parts, [](const Part& p) { return p.cache.has_value(); });
  }
  for (const Message& message : w.dialogue.messages) {
    count += std::ranges::count_if(message.parts, [](const PlacedPart& p) { return mark_of(*p.part).has_value(); });
  }
  if (count > most) w.marks_to_skip = static_cast<std::size_t>(count - most);
}

bool is_document(const PlacedPart& placed) {
  const auto* media = placed.part->as<Media>();
  return media != nullptr && media->kind == MediaKind::document;
}
bool is_text(const PlacedPart& placed) {
  return placed.part->as<Text>() != nullptr || placed.part->as<Refusal>() != nullptr;
}

}  // namespace

std::string Writing::call_id(std::string_view id) const {
  if (own) return std::string(id);
  return rules.nine_letter_ids ? mistral_tool_id(id) : to_portable_tool_id(id, "tooluse_");
}

std::string Writing::tool_name(std::string_view name) const {
  return own ? std::string(name) : to_portable_tool_name(name);
}

void write_mark(Writing& w, const std::optional<CacheMark>& mark, const Pointer& pointer) {
  if (!mark) return;
  if (w.own) return bedrock_converse::write_mark(w.out, *mark, mark->ttl);
  if (w.marks_to_skip > 0) {
    --w.marks_to_skip;
    w.notes.lost(pointer_to_mark(w.request, pointer), "bedrock takes four cache points: the last ones stay");
    return;
  }
  if (!w.rules.caches) {
    w.notes.lost(pointer_to_mark(w.request, pointer), "this model takes no cache points");
    return;
  }
  // The vendor has two lifetimes, and one of them is what it takes when none is said.
  std::string_view ttl = mark->ttl;
  if (!ttl.empty() && ttl != "5m" && ttl != "1h") ttl = ttl.ends_with('h') ? "1h" : "5m";
  if (!w.rules.caches_long) ttl = {};
  if (ttl != mark->ttl)
    w.notes.restated(pointer_to_mark(w.request, pointer), "the nearest lifetime that this model takes");
  bedrock_converse::write_mark(w.out, *mark, ttl);
  if (mark->extras.origin != self) note_extras(mark->extras, self, pointer_to_mark(w.request, pointer), w.notes);
}

Result<void> lay_out(Writing& w) {
  if (w.own) {
    w.dialogue = stand(w.request);
  } else {
    const bool in_place = w.rules.claude && w.rules.claude_rules.system_in_messages;
    w.dialogue = alternate(w.request, {.system_in_place = in_place}, w.notes);
  }
  for (Message& message : w.dialogue.messages) {
    std::size_t kept = 0;
    for (const PlacedPart& placed : message.parts) {
      TRY(const bool keep, sayable(w, placed, message.role, place(w, placed)));
      if (keep) message.parts[kept++] = placed;
    }
    message.parts.resize(kept);
  }
  if (w.own) return {};
  std::erase_if(w.dialogue.messages, [](const Message& m) { return m.parts.empty(); });
  note_turns(w);
  if (w.dialogue.messages.empty()) {
    return unsupported(pointer_to(w.request, Field::system),
                       "Bedrock needs a user message: this conversation holds nothing else that can be said to it.");
  }
  count_marks(w);
  const Message& last = w.dialogue.messages.back();
  if (!w.rules.claude || last.role != Role::assistant) return {};
  if (!w.rules.claude_rules.prefill) {
    return unsupported(pointer_to_turn(w.request, last.parts.back().turn),
                       "This Claude model does not continue an assistant message: end with a user message.");
  }
  trim_prefill(w.request, w.dialogue, w.notes);
  return {};
}

void write_messages(Writing& w) {
  json::Writer& out = w.out;
  const std::size_t leading = leading_system(w.request);
  out.key("messages").begin_array();
  for (std::size_t m = 0; m < w.dialogue.messages.size(); ++m) {
    const Message& message = w.dialogue.messages[m];
    out.begin_object();
    out.member("role", message.role == Role::assistant ? "assistant"
                       : message.role == Role::system  ? "system"
                                                       : "user");
    out.key("content").begin_array();
    for (const PlacedPart& placed : message.parts) write_part(w, placed);
    if (!w.own && std::ranges::any_of(message.parts, is_document) && std::ranges::none_of(message.parts, is_text)) {
      w.notes.added(pointer_to_turn(w.request, message.parts.front().turn), "a document needs a text beside it");
      out.begin_object().member("text", no_words).end_object();
    }
    out.end_array();
    if (w.own)
      write_extras(out, w.request.turns[leading + m].extras, self, pointer_to_turn(w.request, leading + m), w.notes);
    out.end_object();
  }
  out.end_array();
}

void write_system(Writing& w) {
  const std::size_t leading = leading_system(w.request);
  bool open = false;
  const auto begin = [&] {
    if (!std::exchange(open, true)) w.out.key("system").begin_array();
  };
  for (std::size_t t = 0; t < leading; ++t) {
    const Turn& turn = w.request.turns[t];
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const PlacedPart placed{&turn.parts[i], t, i};
      const Pointer pointer = place(w, placed);
      const auto keep = sayable(w, placed, Role::system, pointer);
      if (!keep) w.notes.lost(pointer, keep.error()->message);
      if (!keep || !*keep) continue;
      begin();
      write_part(w, placed);
    }
  }
  for (const std::string& hint : w.hints) {
    begin();
    w.out.begin_object().member("text", hint).end_object();
  }
  if (open) w.out.end_array();
}

}  // namespace sluice::bedrock_converse
