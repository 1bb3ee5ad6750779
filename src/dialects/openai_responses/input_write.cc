// Turns as items. Own items find together again by where they stood; of other dialects each turn is a message, and what
// is no content of it (reasoning, calls, results) items of its own, in order. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialects/dialogue.h"
#include "dialects/held_state.h"
#include "dialects/openai_responses/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "dialects/tool_name.h"

namespace sluice::openai_responses {
namespace {

// Opaque parts are content where they stood in some; else items.
bool is_content(const Part& part) {
  if (part.as<Opaque>()) return remembered(part.extras, self, memory::at).find('/') != std::string_view::npos;
  return part.as<Text>() || part.as<Refusal>() || part.as<Media>();
}

std::string_view role_word(Role role) {
  switch (role) {
    case Role::system: return "system";
    case Role::developer: return "developer";
    case Role::user:
    case Role::tool: return "user";
    case Role::assistant: return "assistant";
  }
  return "user";
}

class Input {
 public:
  explicit Input(Writing& w) : w_(w), out_(w.out) {}

  Result<void> write() {
    const auto& turns = w_.request.turns;
    std::size_t first = 0;
    if (w_.own() && !turns.empty() && !remembered(turns[0].extras, self, "instructions").empty()) {
      if (const Text* text = only_text(turns[0])) {
        out_.member("instructions", text->text);
        first = 1;
      }
    }
    if (first == turns.size() && w_.own() && held_elsewhere(w_.request)) return {};
    if (w_.own() && turns.size() == first + 1 && !remembered(turns[first].extras, self, memory::string).empty()) {
      if (const Text* text = only_text(turns[first])) {
        out_.member("input", text->text);
        return {};
      }
    }
    out_.key("input").begin_array();
    for (turn_ = first; turn_ < turns.size(); ++turn_) TRY_VOID(turn(turns[turn_]));
    settle();
    out_.end_array();
    return {};
  }

 private:
  static const Text* only_text(const Turn& turn) { return turn.parts.size() == 1 ? turn.parts[0].as<Text>() : nullptr; }
  [[nodiscard]] Pointer at(std::size_t part) const { return pointer_to_part(w_.request, turn_, part); }
  [[nodiscard]] std::string at_turn() const {
    return pointer_to_turn(w_.request, std::min(turn_, w_.request.turns.size() - 1));
  }

  Result<void> turn(const Turn& turn) {
    if (!turn.name.empty()) w_.notes.lost(at_turn() + "/name", "openai_responses names nobody");
    if (!w_.own()) note_extras(turn.extras, self, at_turn(), w_.notes);
    switch (turn.role) {
      case Role::system:
      case Role::developer: return message(turn, 0, turn.parts.size());
      case Role::user:
      case Role::tool: return user(turn);
      case Role::assistant: return assistant(turn);
    }
    return {};
  }

  // --- messages -----------------------------------------------------------------------------------------------------

  // Parts [begin, end) of the turn, all of them content, as one message.
  Result<void> message(const Turn& turn, std::size_t begin, std::size_t end) {
    const bool said = turn.role == Role::assistant;
    std::vector<std::size_t> kept;
    for (std::size_t i = begin; i < end; ++i) {
      const Part& part = turn.parts[i];
      const auto* text = part.as<Text>();
      note_foreign_proof(part, i);
      if (text != nullptr && !text->citations.empty() && !w_.own()) {
        w_.notes.lost(pointer_to_citations(w_.request, turn_, i), "earlier citations are not taken back");
      }
      if (text != nullptr && text->text.empty() && !w_.own()) continue;
      TRY(const bool keep, sayable(w_, part, said, at(i)));
      if (keep) kept.push_back(i);
    }
    // Nothing that can be said: such a message would be refused.
    if (kept.empty() && !w_.own()) return {};
    out_.begin_object();
    if (w_.own()) {
      out_.member("type", "message");
      if (begin < end) write_id(turn.parts[begin]);
    }
    out_.member("role", role_word(turn.role)).key("content");
    const bool empty = kept.empty() || was_empty(turn.parts[kept[0]]);
    if (const Text* text = kept.size() == 1 ? as_string(turn, turn.parts[kept[0]]) : nullptr; text && !empty) {
      if (!w_.own()) note_extras(turn.parts[kept[0]].extras, self, at(kept[0]), w_.notes);
      out_.string(text->text);
    } else {
      out_.begin_array();
      for (const std::size_t i : kept) {
        if (!empty) TRY_VOID(write_content(w_, turn.parts[i], said, at(i)));
      }
      out_.end_array();
    }
    close_item(turn, begin, end);
    out_.end_object();
    return {};
  }

  // It stands for a list without contents.
  static bool was_empty(const Part& part) {
    return !remembered(part.extras, self, memory::empty).empty() && part.as<Text>() && part.as<Text>()->text.empty();
  }

  // The part's text if it may stand as one string.
  [[nodiscard]] const Text* as_string(const Turn& turn, const Part& part) const {
    const auto* text = part.as<Text>();
    if (text == nullptr || part.cache) return nullptr;
    if (!w_.own()) return text;
    const bool string =
        turn.role == Role::assistant ? !remembered(part.extras, self, memory::string).empty() : turn.plain_string;
    return string ? text : nullptr;
  }

  void write_id(const Part& part) {
    const std::string_view id = remembered(part.extras, self, memory::id);
    // Without the reasoning that led to it, an item may not claim to be the one that the vendor knows.
    if (!id.empty() && !forgotten_) out_.member_raw("id", id);
  }

  // What an item's parts keep for it.
  void close_item(const Turn& turn, std::size_t begin, std::size_t end) {
    if (!w_.own()) return;
    for (std::size_t i = begin; i < end; ++i) {
      write_item_members(out_, turn.parts[i]);
      const std::string_view status = remembered(turn.parts[i].extras, self, memory::status);
      if (!status.empty()) out_.member_raw("status", status);
    }
  }

  // --- user ---------------------------------------------------------------------------------------------------------

  Result<void> user(const Turn& turn) {
    if (turn.role == Role::user) forgotten_ = false;
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const auto* result = turn.parts[i].as<ToolResult>();
      if (result == nullptr) continue;
      TRY_VOID(answer(turn.parts[i], *result, i));
    }
    if (turn.parts.empty()) return message(turn, 0, 0);
    for (std::size_t i = 0; i < turn.parts.size();) {
      if (turn.parts[i].as<ToolResult>()) {
        ++i;
        continue;
      }
      std::size_t end = i;
      while (end < turn.parts.size() && !turn.parts[end].as<ToolResult>()) ++end;
      settle();
      TRY_VOID(message(turn, i, end));
      i = end;
    }
    return {};
  }

  Result<void> answer(const Part& part, const ToolResult& result, std::size_t index) {
    const auto call = std::ranges::find(open_calls_, result.call_id);
    if (call != open_calls_.end()) {
      open_calls_.erase(call);
    } else if (!w_.own()) {
      w_.notes.restated(at(index), "a tool result without its call became user text");
      out_.begin_object().member("role", "user").member("content", result_text(result)).end_object();
      return {};
    }
    const bool custom = !remembered(part.extras, self, memory::custom).empty() ||
                        (!w_.own() && std::ranges::find(custom_calls_, result.call_id) != custom_calls_.end());
    out_.begin_object().member("type", custom ? "custom_tool_call_output" : "function_call_output");
    write_id(part);
    out_.member("call_id", call_id(result.call_id));
    if (!result.name.empty() && w_.own()) out_.member("name", result.name);
    TRY_VOID(output(result, index));
    if (part.cache) w_.notes.lost(pointer_to_mark(w_.request, at(index)), "openai_responses has no such cache marks");
    if (const auto status = remembered(part.extras, self, memory::status); !status.empty() && w_.own()) {
      out_.member_raw("status", status);
    }
    write_extras(out_, part.extras, self, at(index), w_.notes);
    out_.end_object();
    return {};
  }

  Result<void> output(const ToolResult& result, std::size_t index) {
    const auto inner = [&](std::size_t i) { return pointer_to_result_part(w_.request, turn_, index, i); };
    const bool error = result.is_error && !w_.own();
    if (error) w_.notes.restated(at(index) + "/is_error", "an error is told in words");
    const bool texts =
        std::ranges::all_of(result.parts, [](const Part& p) { return p.as<Text>() != nullptr && !p.cache; });
    const bool one_string =
        w_.own() ? result.plain_string && result.parts.size() == 1 : texts && (result.parts.size() < 2 || error);
    if (one_string && texts) {
      std::string text = result_text(result);
      if (error) text.insert(0, "Error: ");
      for (std::size_t i = 0; i < result.parts.size() && !w_.own(); ++i) {
        note_extras(result.parts[i].extras, self, inner(i), w_.notes);
      }
      out_.member("output", text);
      return {};
    }
    out_.key("output").begin_array();
    if (error) out_.begin_object().member("type", "input_text").member("text", "Error: ").end_object();
    if (result.parts.empty() && !result.json.empty()) {
      out_.begin_object().member("type", "input_text").member("text", result.json).end_object();
    }
    for (std::size_t i = 0; i < result.parts.size(); ++i) {
      // What cannot be left out of a message can be left out of a result: the call stays answered.
      const auto keep = sayable(w_, result.parts[i], false, inner(i));
      if (!keep) w_.notes.lost(inner(i), keep.error()->message);
      if (keep && *keep) TRY_VOID(write_content(w_, result.parts[i], false, inner(i)));
    }
    out_.end_array();
    return {};
  }

  // --- assistant ----------------------------------------------------------------------------------------------------

  Result<void> assistant(const Turn& turn) {
    if (!w_.own()) settle();
    for (std::size_t i = 0; i < turn.parts.size();) {
      const std::size_t end = item_end(turn, i);
      const Part& part = turn.parts[i];
      if (const auto* call = part.as<ToolCall>()) {
        write_call(part, *call, i);
      } else if (part.as<Reasoning>()) {
        TRY_VOID(reasoning(turn, i, end));
      } else if (const auto* tool = part.as<ServerTool>()) {
        whole(tool->origin, tool->raw, i, "a tool that another vendor ran");
      } else if (const auto* opaque = part.as<Opaque>(); opaque != nullptr && !is_content(part)) {
        whole(opaque->origin, opaque->raw, i, "a part that only its own dialect knows");
      } else if (const auto* media = part.as<Media>(); media != nullptr && is_image_item(part)) {
        image(part, *media);
      } else {
        TRY_VOID(message(turn, i, end));
      }
      i = end;
    }
    return {};
  }

  // Behind the last part of the item that begins at `first`.
  [[nodiscard]] std::size_t item_end(const Turn& turn, std::size_t first) const {
    const Part& part = turn.parts[first];
    std::size_t end = first + 1;
    if (w_.own()) {
      const std::string_view item = item_of(part);
      while (!item.empty() && end < turn.parts.size() && item_of(turn.parts[end]) == item) ++end;
      return end;
    }
    if (!is_content(part) || is_image_item(part)) return end;
    while (end < turn.parts.size() && is_content(turn.parts[end]) && !is_image_item(turn.parts[end])) ++end;
    return end;
  }

  // An image that the assistant made is an item of its own.
  static bool is_image_item(const Part& part) {
    const auto* media = part.as<Media>();
    return media != nullptr && media->kind == MediaKind::image && media->form == MediaForm::base64 &&
           remembered(part.extras, self, memory::at).find('/') == std::string_view::npos;
  }

  void whole(DialectId origin, const RawJson& raw, std::size_t index, std::string_view reason) {
    if (origin == self) {
      out_.raw(raw);
    } else {
      w_.notes.lost(at(index), reason);
    }
  }

  void image(const Part& part, const Media& media) {
    out_.begin_object().member("type", "image_generation_call");
    if (w_.own()) {
      write_id(part);
      if (const auto format = remembered(part.extras, self, memory::format); !format.empty()) {
        out_.member_raw("output_format", format);
      }
      if (const auto status = remembered(part.extras, self, memory::status); !status.empty()) {
        out_.member_raw("status", status);
      }
      write_item_members(out_, part);
    } else {
      out_.member("id", "ig_" + hash_text(std::to_string(fingerprint(media.data)), 24)).member("status", "completed");
    }
    out_.member("result", media.data).end_object();
  }

  // The proof, if the one who is asked made it.
  [[nodiscard]] static bool own_proof(const Part& part) { return part.seal && part.seal->dialect == self; }

  void note_foreign_proof(const Part& part, std::size_t index) {
    if (part.seal && !own_proof(part)) w_.notes.lost(pointer_to_seal(w_.request, turn_, index), foreign_proof);
  }

  // Reasoning that this vendor did not make would be refused. Others take the words alone.
  Result<void> reasoning(const Turn& turn, std::size_t begin, std::size_t end) {
    const Part& last = turn.parts[end - 1];
    const bool proven = own_proof(last);
    // An item with neither proof nor name is nothing that the vendor could know.
    const bool named = !remembered(turn.parts[begin].extras, self, memory::id).empty();
    const bool kept = proven || (w_.own() && !last.seal && (named || !w_.vendor())) ||
                      (!w_.vendor() && !last.as<Reasoning>()->text.empty());
    if (last.seal && !proven) {
      w_.notes.lost(pointer_to_seal(w_.request, turn_, end - 1), foreign_proof);
    }
    if (!kept) {
      forgotten_ = true;
      for (std::size_t i = begin; i < end; ++i) {
        if (!turn.parts[i].as<Reasoning>()->text.empty()) {
          w_.notes.lost(at(i), "reasoning without the vendor's own proof is refused");
        }
      }
      return {};
    }
    out_.begin_object().member("type", "reasoning");
    if (w_.own()) write_id(turn.parts[begin]);
    // Words of another vendor's thinking stand here as a summary, which every service of this dialect takes.
    for (const bool summary : {true, false}) {
      bool open = summary;
      if (summary) out_.key("summary").begin_array();
      for (std::size_t i = begin; i < end; ++i) {
        const auto* thought = turn.parts[i].as<Reasoning>();
        if (thought == nullptr || thought->redacted || (thought->summary || !w_.own()) != summary) continue;
        if (!open) out_.key("content").begin_array();
        open = true;
        Part written = turn.parts[i];
        written.as<Reasoning>()->summary = summary;
        TRY_VOID(write_content(w_, written, true, at(i)));
      }
      if (open) out_.end_array();
    }
    if (proven) out_.member("encrypted_content", last.seal->raw);
    close_item(turn, begin, end);
    out_.end_object();
    return {};
  }

  void write_call(const Part& part, const ToolCall& call, std::size_t index) {
    open_calls_.push_back(call.id);
    const bool custom = call.kind == ToolKind::custom;
    if (custom) custom_calls_.push_back(call.id);
    out_.begin_object().member("type", custom ? "custom_tool_call" : "function_call");
    const bool known = !forgotten_ && (!part.seal || own_proof(part));
    if (w_.own() && !call.native_id.empty() && known) out_.member("id", call.native_id);
    out_.member("call_id", call_id(call.id));
    const std::string name = w_.own() ? call.name : to_portable_tool_name(call.name);
    if (name != call.name) w_.notes.restated(at(index), "a tool's name has characters that are not taken");
    out_.member("name", name);
    const bool nothing = call.arguments.empty() && !custom && !w_.own();
    out_.member(custom ? "input" : "arguments", nothing ? std::string_view("{}") : std::string_view(call.arguments));
    if (const auto status = remembered(part.extras, self, memory::status); !status.empty() && w_.own()) {
      out_.member_raw("status", status);
    }
    note_foreign_proof(part, index);
    if (part.cache) w_.notes.lost(pointer_to_mark(w_.request, at(index)), "openai_responses has no such cache marks");
    write_extras(out_, part.extras, self, at(index), w_.notes);
    out_.end_object();
  }

  [[nodiscard]] std::string call_id(const std::string& id) const {
    return w_.own() ? id : to_portable_tool_id(id, "call_");
  }

  // Answers calls that nobody answered.
  void settle() {
    if (!w_.own()) {
      for (const std::string& id : open_calls_) {
        const bool custom = std::ranges::find(custom_calls_, id) != custom_calls_.end();
        w_.notes.added(at_turn(), "a tool call without its result got an error result");
        out_.begin_object().member("type", custom ? "custom_tool_call_output" : "function_call_output");
        out_.member("call_id", call_id(id)).member("output", "Error: " + std::string(not_executed)).end_object();
      }
    }
    open_calls_.clear();
  }

  static constexpr std::string_view foreign_proof = "a proof goes only to the vendor that made it";
  Writing& w_;
  json::Writer& out_;
  std::size_t turn_ = 0;
  bool forgotten_ = false;                 // reasoning of this turn was left out
  std::vector<std::string> open_calls_;    // ids that still need their result
  std::vector<std::string> custom_calls_;  // ids of calls in free text
};

}  // namespace

Result<void> write_input(Writing& w) {
  return Input(w).write();
}

}  // namespace sluice::openai_responses
