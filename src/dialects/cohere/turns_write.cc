// The turns of a conversation as messages of this dialect. Tool results stand in messages of their own right behind the
// calls; whatever cannot stand there waits until the last of them. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "dialects/cohere/writing.h"
#include "dialects/data_url.h"
#include "dialects/dialogue.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "dialects/tool_name.h"

namespace sluice::cohere {
namespace {

constexpr std::string_view attached = "[image attached]";

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  Error error{.fault = Fault::unsupported};
  error.message = std::move(message);
  error.param = std::move(pointer);
  return fail(std::move(error));
}

bool plain_text(std::string_view mime) {
  return mime.starts_with("text/") || mime == "application/json";
}

class Turns {
 public:
  explicit Turns(Writing& w) : w_(w), out_(w.out) {}

  Result<void> write() {
    out_.key("messages").begin_array();
    const std::size_t leading = leading_system(w_.request);
    for (turn_ = 0; turn_ < w_.request.turns.size(); ++turn_) {
      if (turn_ == leading) hints();
      const Turn& turn = w_.request.turns[turn_];
      switch (turn.role) {
        case Role::system:
        case Role::developer: system(turn); break;
        case Role::user:
        case Role::tool: TRY_VOID(user(turn)); break;
        case Role::assistant: assistant(turn); break;
      }
    }
    if (leading == w_.request.turns.size()) hints();
    settle();
    out_.end_array();
    return {};
  }

 private:
  Pointer at(std::size_t part) const { return pointer_to_part(w_.request, turn_, part); }

  void hints() {
    for (const std::string& hint : w_.hints) {
      out_.begin_object().member("role", "system").member("content", hint).end_object();
    }
  }

  void open_message(const json::Name& role, const Turn& turn) {
    out_.begin_object().member("role", role.text());
    if (!turn.name.empty()) w_.notes.lost(pointer_to_turn(w_.request, turn_) + "/name", "cohere names nobody");
  }

  void close_message(const Turn& turn) {
    write_extras(out_, without_citations(turn.extras), self, pointer_to_turn(w_.request, turn_), w_.notes);
    out_.end_object();
  }

  // Nothing of it can be said: such a message would be refused.
  void left_out(const Turn& turn) { note_extras(turn.extras, self, pointer_to_turn(w_.request, turn_), w_.notes); }

  // --- system -------------------------------------------------------------------------------------------------------

  void system(const Turn& turn) {
    settle();
    std::vector<Placed> said;
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const Part& part = turn.parts[i];
      if (part.as<Text>() != nullptr || own_opaque(part)) {
        if (w_.own() || !empty(part)) said.push_back({&part, at(i)});
      } else {
        w_.notes.lost(at(i), "system messages are text only");
      }
    }
    if (said.empty() && !w_.own()) return left_out(turn);
    open_message("system", turn);
    content(turn, said);
    close_message(turn);
  }

  // --- user and tool ------------------------------------------------------------------------------------------------

  Result<void> user(const Turn& turn) {
    std::vector<Placed> rest;
    const bool tool_turn = turn.role == Role::tool;
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const Part& part = turn.parts[i];
      if (const auto* result = part.as<ToolResult>()) {
        if (result_goes(*result, i)) TRY_VOID(tool(turn, part, *result, i, tool_turn));
      } else if (const auto* media = part.as<Media>()) {
        TRY(const bool image, user_media(part, *media, i));
        if (image) rest.push_back({&part, at(i)});
      } else if (w_.own() || !empty(part)) {
        rest.push_back({&part, at(i)});
      }
    }
    if (rest.empty() && (tool_turn || !w_.own() || !turn.parts.empty())) {
      if (!tool_turn || !w_.own()) left_out(turn);
      return {};
    }
    settle();
    open_message("user", turn);
    content(turn, rest);
    close_message(turn);
    return {};
  }

  // True: an image, which stands in the content. Documents stand beside the messages.
  Result<bool> user_media(const Part& part, const Media& media, std::size_t index) {
    switch (media.kind) {
      case MediaKind::image:
        if (media.form == MediaForm::url || media.form == MediaForm::base64) return true;
        break;
      case MediaKind::document:
        if (media.form == MediaForm::text || (media.form == MediaForm::base64 && plain_text(media.mime))) {
          if (!w_.own()) w_.notes.restated(at(index), "a document stands beside the conversation here");
          w_.documents.push_back({&part, at(index)});
          return false;
        }
        return unsupported(at(index), "Cohere takes documents as plain text: send the text of this document.");
      case MediaKind::audio:
      case MediaKind::video:
        return unsupported(at(index), "Cohere takes no audio or video. Send text or images, or choose another model.");
    }
    return unsupported(at(index),
                       "This file lives with another vendor. Send its content, or choose a model of that vendor.");
  }

  // An orphan of another dialect becomes text; a client of this dialect hears about it from the upstream.
  bool result_goes(const ToolResult& result, std::size_t part) {
    if (const auto call = std::ranges::find(open_calls_, result.call_id); call != open_calls_.end()) {
      open_calls_.erase(call);
      return true;
    }
    if (w_.own()) return true;
    w_.notes.restated(at(part), "a tool result without its call became user text");
    settle();
    out_.begin_object().member("role", "user").member("content", result_text(result)).end_object();
    return false;
  }

  Result<void> tool(const Turn& turn, const Part& part, const ToolResult& result, std::size_t index, bool whole_turn) {
    out_.begin_object().member("role", "tool").member("tool_call_id", call_id(result.call_id));
    TRY_VOID(result_content(result, index));
    mark(part, at(index));
    if (whole_turn) {
      note_extras(part.extras, self, at(index), w_.notes);
      close_message(turn);
      return {};
    }
    write_extras(out_, part.extras, self, at(index), w_.notes);
    out_.end_object();
    return {};
  }

  Result<void> result_content(const ToolResult& result, std::size_t index) {
    std::vector<Placed> items;
    std::vector<std::string> pieces;  // the same in words, media as a mark
    for (std::size_t i = 0; i < result.parts.size(); ++i) {
      const Part& part = result.parts[i];
      const Pointer pointer = pointer_to_result_part(w_.request, turn_, index, i);
      if (const auto* text = part.as<Text>()) {
        pieces.push_back(text->text);
        items.push_back({&part, pointer});
        if (!w_.own()) note_rest(part, pointer);
      } else if (const auto* media = part.as<Media>(); media != nullptr && !w_.own()) {
        TRY_VOID(result_media(part, *media, pointer, pieces));
      } else if (w_.own()) {
        items.push_back({&part, pointer});
      } else {
        w_.notes.lost(pointer, "cohere's tool results are text and documents");
      }
    }
    if (w_.own() && !result.plain_string) {
      out_.key("content").begin_array();
      for (const Placed& item : items) result_item(item);
      out_.end_array();
      return {};
    }
    if (pieces.empty() && !result.json.empty()) pieces.push_back(result.json);
    if (result.is_error) {
      w_.notes.restated(at(index) + "/is_error", "an error is told in words");
      if (pieces.empty()) pieces.emplace_back();
      pieces.front().insert(0, "Error: ");
    }
    if (pieces.size() <= 1) {
      out_.member("content", pieces.empty() ? std::string_view() : std::string_view(pieces.front()));
      return {};
    }
    out_.key("content").begin_array();
    for (const std::string& piece : pieces) {
      out_.begin_object().member("type", "text").member("text", piece).end_object();
    }
    out_.end_array();
    return {};
  }

  // What another dialect keeps in a result.
  Result<void> result_media(const Part& part, const Media& media, const Pointer& pointer,
                            std::vector<std::string>& pieces) {
    if (media.kind == MediaKind::document && media.form == MediaForm::text) {
      w_.notes.restated(pointer, "a document in a tool result became text");
      pieces.push_back(media.data);
      return {};
    }
    const bool image =
        media.kind == MediaKind::image && (media.form == MediaForm::url || media.form == MediaForm::base64);
    if (!image) return unsupported(pointer, "Cohere's tool results are text: send what this file says.");
    w_.notes.restated(pointer, "a tool result carries text only: it follows as a user message");
    pieces.emplace_back(attached);
    waiting_.push_back({&part, pointer});
    return {};
  }

  void result_item(const Placed& item) {
    const auto* text = item.part->as<Text>();
    if (text == nullptr || !is_document(*item.part)) return content_part(item);
    out_.begin_object().member("type", "document").key("document").begin_object();
    write_inner_extras(out_, item.part->extras, self, "document");
    out_.member_raw("data", document_data(*item.part, text->text, ""));
    out_.end_object();
    write_extras(out_, item.part->extras, self, item.pointer, w_.notes);
    out_.end_object();
  }

  // --- assistant ----------------------------------------------------------------------------------------------------

  void assistant(const Turn& turn) {
    settle();
    std::vector<Placed> said;
    std::vector<Placed> calls;
    std::vector<Placed> plan;
    const bool calling =
        std::ranges::any_of(turn.parts, [](const Part& part) { return part.as<ToolCall>() != nullptr; });
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const Part& part = turn.parts[i];
      if (part.seal && part.seal->dialect != self) {
        w_.notes.lost(pointer_to_seal(w_.request, turn_, i), "a proof goes only to the vendor that made it");
      }
      const Placed placed{&part, at(i)};
      if (part.as<ToolCall>()) {
        calls.push_back(placed);
      } else if (part.as<Text>()) {
        if (!w_.own() && empty(part)) continue;
        // What is said in front of calls is what this vendor calls the plan.
        (w_.own() ? is_plan(part) : calling) ? plan.push_back(placed) : said.push_back(placed);
      } else if (const auto* reasoning = part.as<Reasoning>()) {
        if (w_.own() || !reasoning->text.empty()) {
          said.push_back(placed);
        } else {
          w_.notes.lost(placed.pointer, "thinking without words");
        }
      } else if (part.as<Refusal>() || own_opaque(part)) {
        said.push_back(placed);
      } else {
        w_.notes.lost(placed.pointer, part.as<Media>() ? "an assistant message carries text only"
                                                       : "a part that only its own dialect knows");
      }
    }
    if (said.empty() && calls.empty() && plan.empty() && !w_.own()) return left_out(turn);
    open_message("assistant", turn);
    if (!said.empty()) content(turn, said);
    if (!plan.empty()) write_plan(plan);
    if (!calls.empty()) {
      out_.key("tool_calls").begin_array();
      for (const Placed& call : calls) tool_call(call);
      out_.end_array();
    }
    citations(turn);
    close_message(turn);
  }

  void write_plan(const std::vector<Placed>& plan) {
    std::string joined;  // what a model said in several parts is one text
    for (const Placed& p : plan) {
      joined += p.part->as<Text>()->text;
      if (!w_.own()) note_rest(*p.part, p.pointer);
    }
    out_.member("tool_plan", joined);
  }

  void citations(const Turn& turn) {
    if (w_.own()) return write_citations(out_, turn.parts, turn.extras);
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const auto* text = turn.parts[i].as<Text>();
      if (text != nullptr && !text->citations.empty()) {
        w_.notes.lost(pointer_to_citations(w_.request, turn_, i), "earlier citations of another vendor");
      }
    }
  }

  void tool_call(const Placed& placed) {
    const auto& call = *placed.part->as<ToolCall>();
    open_calls_.push_back(call.id);
    const std::string name = w_.own() ? call.name : to_portable_tool_name(call.name);
    if (name != call.name) w_.notes.restated(placed.pointer, "a tool's name has characters that are not taken");
    mark(*placed.part, placed.pointer);
    write_tool_call(out_, sayable(*placed.part), call_id(call.id), name, placed.pointer, w_.notes);
  }

  std::string call_id(const std::string& id) const { return w_.own() ? id : to_portable_tool_id(id, "call_"); }

  // --- content ------------------------------------------------------------------------------------------------------

  static bool empty(const Part& part) { return part.as<Text>() != nullptr && part.as<Text>()->text.empty(); }
  static bool own_opaque(const Part& part) { return part.as<Opaque>() != nullptr && part.as<Opaque>()->origin == self; }
  static bool has_extras(const Part& part) {
    return std::ranges::any_of(part.extras.members, [](const Extra& extra) { return !extra.key.starts_with('\x1f'); });
  }

  // A proof of another vendor stays here: there is a Note about it.
  static Part sayable(const Part& part) {
    Part out = part;
    if (out.seal && out.seal->dialect != self) out.seal.reset();
    return out;
  }

  void mark(const Part& part, const Pointer& pointer) {
    if (part.cache) w_.notes.lost(pointer_to_mark(w_.request, pointer), "cohere has no cache marks");
  }
  void note_rest(const Part& part, const Pointer& pointer) {
    mark(part, pointer);
    note_extras(part.extras, self, pointer, w_.notes);
  }

  // "content": one string where that says all, else a list.
  void content(const Turn& turn, const std::vector<Placed>& parts) {
    const bool texts = std::ranges::all_of(parts, [](const Placed& p) { return p.part->as<Text>() != nullptr; });
    const bool one = texts && parts.size() == 1 && !(w_.own() && has_extras(*parts.front().part));
    if (one && (!w_.own() || turn.plain_string)) {
      if (!w_.own()) note_rest(*parts.front().part, parts.front().pointer);
      out_.member("content", parts.front().part->as<Text>()->text);
      return;
    }
    out_.key("content").begin_array();
    for (const Placed& p : parts) content_part(p);
    out_.end_array();
  }

  void content_part(const Placed& placed) {
    const Part& part = *placed.part;
    mark(part, placed.pointer);
    if (const auto* media = part.as<Media>()) return image(part, *media, placed.pointer);
    if (part.as<Refusal>() && !w_.own()) w_.notes.restated(placed.pointer, "a refusal is text here");
    if (!write_content_part(out_, sayable(part), placed.pointer, w_.notes)) {
      w_.notes.lost(placed.pointer, "a part that only its own dialect knows");
    }
  }

  void image(const Part& part, const Media& media, const Pointer& pointer) {
    out_.begin_object().member("type", "image_url").key("image_url").begin_object();
    out_.member("url", media.form == MediaForm::base64 ? write_data_url(media.mime, media.data) : media.data);
    if (!media.detail.empty()) {
      if (w_.own() || media.detail == "auto" || media.detail == "low" || media.detail == "high") {
        out_.member("detail", media.detail);
      } else {
        w_.notes.lost(pointer, "cohere knows the details auto, low and high");
      }
    }
    write_inner_extras(out_, part.extras, self, "image_url");
    out_.end_object();
    write_extras(out_, part.extras, self, pointer, w_.notes);
    out_.end_object();
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
    for (const Placed& one : std::exchange(waiting_, {})) content_part(one);
    out_.end_array().end_object();
  }

  Writing& w_;
  json::Writer& out_;
  std::size_t turn_ = 0;
  std::vector<std::string> open_calls_;  // ids that still need their result
  std::vector<Placed> waiting_;          // images of tool results
};

void write_document(Writing& w, const Placed& placed) {
  const Part& part = *placed.part;
  const auto& media = *part.as<Media>();
  const std::string text =
      media.form == MediaForm::base64 ? base64_decode(media.data).value_or(std::string()) : media.data;
  const std::string data = document_data(part, text, media.name);
  if (!remembered(part.extras, self, "string").empty() && data.starts_with('"')) {
    w.out.raw(data);
    return;
  }
  w.out.begin_object();
  w.out.member_raw("data", data);
  if (part.cache) w.notes.lost(pointer_to_mark(w.request, placed.pointer), "cohere has no cache marks");
  write_extras(w.out, part.extras, self, placed.pointer, w.notes);
  w.out.end_object();
}

}  // namespace

Result<void> write_turns(Writing& w) {
  return Turns(w).write();
}

void write_documents(Writing& w) {
  if (w.documents.empty()) return;
  w.out.key("documents").begin_array();
  for (const Placed& placed : w.documents) write_document(w, placed);
  w.out.end_array();
}

}  // namespace sluice::cohere
