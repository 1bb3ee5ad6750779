// The turns of a conversation as messages of this dialect. Tool results stand in messages of their own right behind the
// calls; whatever cannot stand there waits until the last of them. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "dialects/data_url.h"
#include "dialects/dialogue.h"
#include "dialects/openai_chat/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "dialects/tool_name.h"

namespace sluice::openai_chat {
namespace {

constexpr std::string_view attached = "[image attached]";

class Turns {
 public:
  explicit Turns(Writing& w) : w_(w), out_(w.out) {}

  void write() {
    out_.key("messages").begin_array();
    for (turn_ = 0; turn_ < w_.request.turns.size(); ++turn_) {
      const Turn& turn = w_.request.turns[turn_];
      switch (turn.role) {
        case Role::system:
        case Role::developer: system(turn); break;
        case Role::user:
        case Role::tool: user(turn); break;
        case Role::assistant: assistant(turn); break;
      }
    }
    settle();
    out_.end_array();
  }

 private:
  struct Placed {
    const Part* part;
    Pointer pointer;
  };

  Pointer at(std::size_t part) const { return pointer_to_part(w_.request, turn_, part); }

  void open_message(std::string_view role, const Turn& turn) {
    out_.begin_object().member("role", std::string(role));
    if (turn.name.empty()) return;
    if (w_.vendor.names) {
      out_.member("name", turn.name);
    } else {
      w_.notes.lost(pointer_to_turn(w_.request, turn_) + "/name", "this vendor takes no names on messages");
    }
  }

  void close_message(const Turn& turn) {
    if (!turn.parts.empty() && !remembered(turn.extras, self, "marked").empty()) {
      write_cache_mark(w_, turn.parts.back().cache, pointer_to_turn(w_.request, turn_));
    }
    write_extras(out_, turn.extras, self, pointer_to_turn(w_.request, turn_), w_.notes);
    out_.end_object();
  }

  // --- system -------------------------------------------------------------------------------------------------------

  void system(const Turn& turn) {
    settle();
    const bool developer = turn.role == Role::developer && w_.vendor.developer;
    if (turn.role == Role::developer && !developer && w_.own()) {
      w_.notes.restated(pointer_to_turn(w_.request, turn_) + "/role", "this vendor knows only the role system");
    }
    const std::vector<Placed> parts = placed(turn);
    if (parts.empty() && !w_.own()) return;
    open_message(developer ? "developer" : "system", turn);
    content(turn, parts, w_.vendor.lists);
    close_message(turn);
  }

  // --- user and tool ------------------------------------------------------------------------------------------------

  void user(const Turn& turn) {
    std::vector<Placed> rest;
    const bool tool_turn = turn.role == Role::tool;
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      if (const auto* result = turn.parts[i].as<ToolResult>()) {
        if (!result_goes(*result, i)) continue;
        tool(turn, turn.parts[i], *result, i, tool_turn);
      } else if (!says_nothing(turn.parts[i]) || turn.parts.size() == 1) {
        rest.push_back({&turn.parts[i], at(i)});
      }
    }
    if (rest.empty() && (tool_turn || !turn.parts.empty())) return;
    settle();
    open_message("user", turn);
    content(turn, rest, true);
    close_message(turn);
  }

  // An orphan of another dialect becomes text; a client of this dialect hears about it from the upstream.
  bool result_goes(const ToolResult& result, std::size_t part) {
    const auto call = std::ranges::find(open_calls_, result.call_id);
    if (call != open_calls_.end()) {
      open_calls_.erase(call);
      return true;
    }
    if (w_.own()) return true;
    w_.notes.restated(at(part), "a tool result without its call became user text");
    settle();
    out_.begin_object().member("role", "user").member("content", result_text(result)).end_object();
    return false;
  }

  void tool(const Turn& turn, const Part& part, const ToolResult& result, std::size_t index, bool whole_turn) {
    out_.begin_object().member("role", "tool");
    out_.member("tool_call_id", call_id(result.call_id));
    if (!result.name.empty() && w_.own() && w_.vendor.names) out_.member("name", result.name);
    result_content(result, index);
    if (whole_turn && w_.own()) {
      close_message(turn);
      return;
    }
    write_cache_mark(w_, part.cache, at(index));
    write_extras(out_, part.extras, self, at(index), w_.notes);
    out_.end_object();
  }

  void result_content(const ToolResult& result, std::size_t index) {
    std::vector<Placed> texts;
    std::vector<std::string> pieces;  // the same in words, media as a mark
    bool plain = true;
    bool media = false;
    for (std::size_t i = 0; i < result.parts.size(); ++i) {
      const Part& part = result.parts[i];
      const Pointer pointer = pointer_to_result_part(w_.request, turn_, index, i);
      if (const auto* text = part.as<Text>()) {
        pieces.push_back(text->text);
        plain &= !part.cache && !has_list_extras(part);
        texts.push_back({&part, pointer});
      } else if (part.as<Media>() != nullptr && !w_.own()) {
        w_.notes.restated(pointer, "a tool result carries text only: it follows as a user message");
        pieces.emplace_back(attached);
        waiting_.push_back({&part, pointer});
        media = true;
      } else {
        plain = false;
        texts.push_back({&part, pointer});
      }
    }
    if (texts.empty() && !result.json.empty()) pieces.insert(pieces.begin(), result.json);
    if (result.is_error) {
      w_.notes.restated(at(index) + "/is_error", "an error is told in words");
      if (pieces.empty()) pieces.emplace_back();
      pieces.front().insert(0, "Error: ");
    }
    if (media && w_.vendor.lists && pieces.size() > 1) {  // apart, so that JSON stays JSON
      out_.key("content").begin_array();
      for (const std::string& piece : pieces)
        out_.begin_object().member("type", "text").member("text", piece).end_object();
      out_.end_array();
      return;
    }
    const bool list = w_.own() ? !result.plain_string : !plain && w_.vendor.lists && !result.is_error;
    if (!list) {
      std::string joined;
      for (const std::string& piece : pieces) joined += piece;
      out_.member("content", joined);
      return;
    }
    out_.key("content").begin_array();
    for (const Placed& one : texts) content_part(one);
    out_.end_array();
  }

  // --- assistant ----------------------------------------------------------------------------------------------------

  void assistant(const Turn& turn) {
    settle();
    std::vector<Placed> said;
    std::vector<Placed> calls;
    const Part* refusal = nullptr;
    const Part* audio = nullptr;
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const Part& part = turn.parts[i];
      if (part.seal && part.seal->dialect != self) {
        w_.notes.lost(pointer_to_seal(w_.request, turn_, i), "a proof goes only to the vendor that made it");
      }
      if (part.as<ToolCall>()) {
        calls.push_back({&part, at(i)});
      } else if (part.as<Reasoning>() || !remembered(part.extras, self, "detail").empty()) {
        reasoning_note(at(i), !said.empty());
      } else if (const auto* r = part.as<Refusal>(); r != nullptr && remembered(part.extras, self, "part").empty()) {
        refusal = &part;
      } else if (const auto* media = part.as<Media>();
                 media != nullptr && !assistant_media(*media, part, at(i), audio)) {
        continue;
      } else if (part.as<Media>() == nullptr && !says_nothing(part)) {
        said.push_back({&part, at(i)});
      }
    }
    // Nothing that can be said: such a message would be refused.
    if (said.empty() && calls.empty() && refusal == nullptr && audio == nullptr && !w_.own()) return;
    open_message("assistant", turn);
    write_reasoning(turn, !calls.empty());
    content(turn, said, w_.vendor.lists);
    if (refusal != nullptr) out_.member("refusal", refusal->as<Refusal>()->text);
    if (audio != nullptr) {
      out_.key("audio").begin_object().member("id", audio->as<Media>()->data);
      write_extras(out_, audio->extras, self, "", w_.notes);
      out_.end_object();
    }
    annotations(turn);
    if (!calls.empty()) {
      out_.key("tool_calls").begin_array();
      for (const Placed& call : calls) tool_call(call);
      out_.end_array();
    }
    close_message(turn);
  }

  // True: stands in the content (never, today); audio by id has a member of its own.
  bool assistant_media(const Media& media, const Part& part, const Pointer& pointer, const Part*& audio) {
    if (media.kind == MediaKind::audio && media.form == MediaForm::file_id && media.origin == self) {
      audio = &part;
    } else {
      w_.notes.lost(pointer, "an assistant message carries text only");
    }
    return false;
  }

  void reasoning_note(const Pointer& pointer, bool amid) {
    if (w_.vendor.reasoning_field.empty()) {
      w_.notes.lost(pointer, "this vendor takes no reasoning of earlier turns");
    } else if (amid) {
      w_.notes.restated(pointer, "reasoning amid an answer moved to its front");
    }
  }

  void write_reasoning(const Turn& turn, bool calls) {
    const std::string_view field = w_.vendor.reasoning_field;
    if (field.empty()) return;
    std::string text;
    for (const Part& part : turn.parts) {
      if (const auto* reasoning = part.as<Reasoning>()) text += reasoning->text;
    }
    if (!text.empty() || (calls && w_.vendor.reasoning_after_calls)) out_.member(field, text);
    if (w_.vendor.reasoning_details) write_reasoning_details(out_, turn.parts, "reasoning_details", false);
  }

  void annotations(const Turn& turn) {
    const bool own = w_.own() && w_.vendor.any_extra;
    if (own) write_annotations(out_, turn.parts);
    for (std::size_t i = 0; !own && i < turn.parts.size(); ++i) {
      const auto* text = turn.parts[i].as<Text>();
      if (text != nullptr && !text->citations.empty()) {
        w_.notes.lost(pointer_to_citations(w_.request, turn_, i), "earlier citations are not taken back");
      }
    }
  }

  void tool_call(const Placed& placed) {
    const auto& call = *placed.part->as<ToolCall>();
    open_calls_.push_back(call.id);
    const bool custom = call.kind == ToolKind::custom && w_.vendor.custom_tools;
    out_.begin_object();
    out_.member("id", call_id(call.id));
    out_.member("type", custom ? "custom" : "function").key(custom ? "custom" : "function").begin_object();
    const std::string name = w_.own() ? call.name : to_portable_tool_name(call.name);
    if (name != call.name) w_.notes.restated(placed.pointer, "a tool's name has characters that are not taken");
    out_.member("name", name);
    if (custom) {
      out_.member("input", call.arguments);
    } else if (call.kind == ToolKind::custom) {
      std::string wrapped;
      json::Writer(wrapped).begin_object().member("input", call.arguments).end_object();
      out_.member("arguments", wrapped);
    } else {
      out_.member("arguments", w_.own() ? std::string_view(call.arguments) : arguments_or_empty(call));
    }
    write_inner_extras(out_, placed.part->extras, self, custom ? "custom" : "function");
    out_.end_object();
    if (placed.part->seal) write_call_seal(out_, *placed.part->seal, false);
    if (!marked_whole(*placed.part)) write_cache_mark(w_, placed.part->cache, placed.pointer);
    write_extras(out_, placed.part->extras, self, placed.pointer, w_.notes);
    out_.end_object();
  }

  std::string call_id(const std::string& id) const {
    if (w_.vendor.nine_letter_ids) return mistral_tool_id(id);
    return w_.own() ? id : to_portable_tool_id(id, "call_");
  }

  // The part's mark stands on the message.
  bool marked_whole(const Part& part) const {
    const Turn& turn = w_.request.turns[turn_];
    return !turn.parts.empty() && &part == &turn.parts.back() && !remembered(turn.extras, self, "marked").empty();
  }

  // --- content ------------------------------------------------------------------------------------------------------

  std::vector<Placed> placed(const Turn& turn) const {
    std::vector<Placed> out;
    out.reserve(turn.parts.size());
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      if (!says_nothing(turn.parts[i])) out.push_back({&turn.parts[i], at(i)});
    }
    return out;
  }

  // Empty texts, which other dialects' clients send and several of these vendors refuse.
  [[nodiscard]] bool says_nothing(const Part& part) const {
    const auto* text = part.as<Text>();
    return text != nullptr && text->text.empty() && !w_.own();
  }

  static bool has_list_extras(const Part& part) {
    return std::ranges::any_of(part.extras.members, [](const Extra& extra) { return !extra.key.starts_with('\x1f'); });
  }

  // "content": one string where that says all, else a list. `lists`: the vendor takes a list here.
  void content(const Turn& turn, const std::vector<Placed>& parts, bool lists) {
    const bool texts = std::ranges::all_of(parts, [](const Placed& p) { return p.part->as<Text>() != nullptr; });
    const bool marked = std::ranges::any_of(parts, [&](const Placed& p) {
      return p.part->cache.has_value() && w_.vendor.cache_control && !marked_whole(*p.part);
    });
    bool one_string = turn.plain_string;
    if (!w_.own()) one_string = texts && parts.size() == 1;
    if (parts.empty()) {
      if (turn.plain_string && w_.own()) {
        out_.member("content", "");
      } else if (w_.own() && turn.role != Role::assistant) {
        out_.key("content").begin_array().end_array();
      } else {
        out_.key("content").null();
      }
      return;
    }
    if (texts && ((one_string && !marked) || !lists)) {
      std::string joined;
      for (const Placed& p : parts) {
        if (!joined.empty() && turn.role != Role::assistant) joined += "\n\n";
        if (parts.size() > 1) joined += p.part->as<Text>()->text;
        if (p.part->cache && !marked_whole(*p.part))
          w_.notes.lost(pointer_to_mark(w_.request, p.pointer), "no place for a cache mark");
        note_extras(p.part->extras, self, p.pointer, w_.notes);
      }
      out_.member("content", parts.size() > 1 ? joined : parts.front().part->as<Text>()->text);
      return;
    }
    out_.key("content").begin_array();
    for (const Placed& one : parts) content_part(one);
    out_.end_array();
  }

  void content_part(const Placed& placed) {
    const Part& part = *placed.part;
    if (const auto* opaque = part.as<Opaque>()) {
      if (opaque->origin == self) {
        out_.raw(opaque->raw);
      } else {
        w_.notes.lost(placed.pointer, "a part that only its own dialect knows");
      }
      return;
    }
    if (part.as<ServerTool>()) {
      w_.notes.lost(placed.pointer, "openai_chat has no blocks of server tools");
      return;
    }
    if (part.as<ToolCall>() || part.as<Reasoning>()) {
      w_.notes.lost(placed.pointer, "only an assistant message has it");
      return;
    }
    if (const auto* media = part.as<Media>(); media != nullptr && !sayable(*media)) {
      w_.notes.lost(placed.pointer, "openai_chat cannot carry it in this form");
      return;
    }
    out_.begin_object();
    if (const auto* text = part.as<Text>()) {
      out_.member("type", "text").member("text", text->text);
    } else if (const auto* refusal = part.as<Refusal>()) {
      out_.member("type", "refusal").member("refusal", refusal->text);
    } else if (const auto* media = part.as<Media>()) {
      media_part(*media, part, placed.pointer);
    }
    if (!marked_whole(part)) write_cache_mark(w_, part.cache, placed.pointer);
    write_extras(out_, part.extras, self, placed.pointer, w_.notes);
    out_.end_object();
  }

  bool sayable(const Media& media) const {
    switch (media.form) {
      case MediaForm::url:
        return media.kind != MediaKind::document || w_.vendor.any_extra || w_.vendor.name == "mistral";
      case MediaForm::base64: return true;
      case MediaForm::text: return true;
      case MediaForm::file_id:  // the files of Responses live in the same place, but an image stands by no id here
        return media.origin == self ||
               (media.origin == DialectId::openai_responses && media.kind == MediaKind::document);
      case MediaForm::uri:
      case MediaForm::blocks: return false;
    }
    return false;
  }

  void url_part(std::string_view name, const Media& media, const Part& part, const std::string& url) {
    out_.member("type", std::string(name));
    if (!remembered(part.extras, self, "short").empty()) {
      out_.member(name, url);
      return;
    }
    out_.key(name).begin_object().member("url", url);
    if (!media.detail.empty()) out_.member("detail", media.detail);
    write_inner_extras(out_, part.extras, self, name);
    out_.end_object();
  }

  void media_part(const Media& media, const Part& part, const Pointer& pointer) {
    const bool gemini = w_.request.origin == DialectId::gemini;
    const bool url_only = media.kind == MediaKind::image || media.kind == MediaKind::video;
    if (!media.detail.empty() && media.kind != MediaKind::image && !w_.own()) {
      w_.notes.lost(pointer + (gemini ? "/mediaResolution" : "/detail"), "only images have a detail here");
    }
    if (!media.name.empty() && url_only && !w_.own()) w_.notes.lost(pointer, "openai_chat has no name for it");
    const std::string url = media.form == MediaForm::base64 ? write_data_url(media.mime, media.data) : media.data;
    if (media.form == MediaForm::text) {  // a text document goes inline
      w_.notes.restated(pointer, "a text document became text");
      out_.member("type", "text").member("text", media.data);
      return;
    }
    const bool as_file = media.form == MediaForm::file_id || !remembered(part.extras, self, "file").empty() ||
                         (media.kind == MediaKind::document && media.form == MediaForm::base64);
    if (as_file) {
      out_.member("type", "file").key("file").begin_object();
      if (media.form == MediaForm::file_id) {
        out_.member("file_id", media.data);
      } else {
        out_.member("file_data", url);
      }
      if (!media.name.empty()) {
        out_.member("filename", media.name);
      } else if (!w_.own()) {
        out_.member("filename", "document.pdf");
      }
      write_inner_extras(out_, part.extras, self, "file");
      out_.end_object();
      return;
    }
    const bool wav = media.mime == "audio/wav" || media.mime == "audio/x-wav" || media.mime == "audio/wave";
    const bool mp3 = media.mime == "audio/mpeg" || media.mime == "audio/mp3";
    if (media.kind == MediaKind::audio && media.form == MediaForm::base64 && (wav || mp3)) {
      out_.member("type", "input_audio").key("input_audio").begin_object();
      out_.member("data", media.data).member("format", wav ? "wav" : "mp3");
      write_inner_extras(out_, part.extras, self, "input_audio");
      out_.end_object();
      return;
    }
    switch (media.kind) {
      case MediaKind::image: url_part("image_url", media, part, url); return;
      case MediaKind::video: url_part("video_url", media, part, url); return;
      case MediaKind::audio: url_part("audio_url", media, part, url); return;
      case MediaKind::document: url_part("document_url", media, part, url); return;
    }
  }

  // Answers calls that nobody answered, and lets go what waited behind the results.
  void settle() {
    if (!w_.own()) {
      for (const std::string& id : open_calls_) {
        w_.notes.added(pointer_to_turn(w_.request, std::min(turn_, w_.request.turns.size() - 1)),
                       "a tool call without its result got an error result");
        out_.begin_object().member("role", "tool").member("tool_call_id", call_id(id));
        out_.member("content", "Error: " + std::string(not_executed)).end_object();
      }
    }
    open_calls_.clear();
    if (waiting_.empty()) return;
    out_.begin_object().member("role", "user").key("content").begin_array();
    const std::size_t turn = turn_;
    turn_ = std::min(turn_, w_.request.turns.size() - 1);
    for (const Placed& one : std::exchange(waiting_, {})) content_part(one);
    turn_ = turn;
    out_.end_array().end_object();
  }

  Writing& w_;
  json::Writer& out_;
  std::size_t turn_ = 0;
  std::vector<std::string> open_calls_;  // ids that still need their result
  std::vector<Placed> waiting_;          // images of tool results
};

}  // namespace

void write_turns(Writing& w) {
  Turns(w).write();
}

}  // namespace sluice::openai_chat
