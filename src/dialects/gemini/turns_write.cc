// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialects/dialogue.h"
#include "dialects/gemini/parts.h"
#include "dialects/gemini/tool_names.h"
#include "dialects/gemini/turns.h"
#include "dialects/pointer.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

// Stands where a signature is demanded and none can be had (protocols: Gemini, section 4, rule 6).
constexpr std::string_view sentinel = "skip_thought_signature_validator";

class Contents {
 public:
  Contents(const ChatRequest& request, const Destination& to, const ModelRules& rules, Notes& notes)
      : request_(request), to_(to), rules_(rules), notes_(notes) {}

  Result<void> run(json::Writer& out, std::string_view hint) {
    leading_ = leading_system(request_);
    note_turns();
    TRY_VOID(system(out, hint));
    if (own_ && std::none_of(request_.turns.begin() + static_cast<std::ptrdiff_t>(leading_), request_.turns.end(),
                             [](const Turn& t) { return t.role == Role::system || t.role == Role::developer; })) {
      dialogue_.messages = as_they_stand();
    } else {
      dialogue_ = alternate(request_, {.system_in_place = false, .drop_empty_text = true}, notes_);
    }
    find_current_turn();
    out.key("contents").begin_array();
    for (std::size_t m = 0; m < dialogue_.messages.size(); ++m) TRY_VOID(message(out, m));
    if (out.empty()) {
      return fail(Fault::unsupported, "Gemini needs at least one user message that it can read; there is none.");
    }
    out.end_array();
    return {};
  }

 private:
  // True for what stands in no turn: alternate() made it.
  [[nodiscard]] bool made(const PlacedPart& p) const {
    const std::vector<Part>& parts = request_.turns[p.turn].parts;
    return p.index >= parts.size() || &parts[p.index] != p.part;
  }
  [[nodiscard]] Pointer at(const PlacedPart& p) const {
    const bool nowhere = p.index >= request_.turns[p.turn].parts.size();
    return nowhere ? pointer_to_turn(request_, p.turn) : pointer_to_part(request_, p.turn, p.index);
  }

  [[nodiscard]] std::vector<Message> as_they_stand() const {
    std::vector<Message> out;
    for (std::size_t t = leading_; t < request_.turns.size(); ++t) {
      const Turn& turn = request_.turns[t];
      Message one{.role = turn.role == Role::assistant ? Role::assistant : Role::user};
      // The Contents that one turn was made of.
      std::string first(remembered(turn.extras, self, "at"));
      if (first.empty()) first = std::to_string(t - leading_);
      std::string_view content = first;
      for (std::size_t i = 0; i < turn.parts.size(); ++i) {
        const std::string_view place = remembered(turn.parts[i].extras, self, "at");
        const std::string_view from = place.empty() ? first : place.substr(0, place.find('/'));
        if (i > 0 && from != content) out.push_back({.role = one.role, .parts = std::exchange(one.parts, {})});
        content = from;
        one.parts.push_back({&turn.parts[i], t, i});
      }
      out.push_back(std::move(one));
    }
    return out;
  }

  // What belongs to whole turns and has no place in a Content.
  void note_turns() {
    for (std::size_t t = 0; t < request_.turns.size(); ++t) {
      const Turn& turn = request_.turns[t];
      if (!turn.name.empty()) notes_.lost(pointer_to_turn(request_, t) + "/name", "gemini has no names on turns");
      if (turn.extras.origin != self) note_extras(turn.extras, self, pointer_to_turn(request_, t), notes_);
    }
  }

  Result<void> system(json::Writer& out, std::string_view hint) {
    const json::Writer::Mark before = out.mark();
    out.key("systemInstruction").begin_object().key("parts").begin_array();
    const Extras* extras = nullptr;
    for (std::size_t t = 0; t < leading_; ++t) {
      const Turn& turn = request_.turns[t];
      if (turn.extras.origin == self) extras = &turn.extras;
      for (std::size_t i = 0; i < turn.parts.size(); ++i) {
        const PlacedPart placed{&turn.parts[i], t, i};
        const auto* words = placed.part->as<Text>();
        if (!own_ && words == nullptr) {
          notes_.lost(at(placed), "gemini's system instruction is text");
        } else if (own_ || !words->text.empty()) {
          TRY_VOID(part(out, placed, {}));
        }
      }
    }
    if (!hint.empty()) out.begin_object().member("text", hint).end_object();
    const bool any = !out.empty();
    out.end_array();
    if (extras != nullptr) write_outer_extras(out, *extras, "");
    out.end_object();
    if (!any && (extras == nullptr || extras->empty())) out.rewind(before);
    return {};
  }

  // What a user says, as far as it can be written.
  static bool says_something(const Part& part) {
    if (part.as<ToolResult>() != nullptr) return false;
    if (const auto* tool = part.as<ServerTool>()) return tool->origin == self;
    if (const auto* opaque = part.as<Opaque>()) return opaque->origin == self;
    const auto* media = part.as<Media>();
    return media == nullptr || media->form == MediaForm::blocks || can_write_media(*media);
  }

  // Only calls behind the last thing that a user said are checked for signatures.
  void find_current_turn() {
    for (std::size_t m = 0; m < dialogue_.messages.size(); ++m) {
      const Message& message = dialogue_.messages[m];
      if (message.role != Role::assistant &&
          std::ranges::any_of(message.parts, [](const PlacedPart& p) { return says_something(*p.part); })) {
        current_ = m;
      }
    }
  }

  [[nodiscard]] static bool usable(const Seal& seal) { return seal.dialect == self; }

  [[nodiscard]] std::string at_seal(const PlacedPart& p) const { return pointer_to_seal(request_, p.turn, p.index); }

  Result<void> message(json::Writer& w, std::size_t m) {
    const Message& message = dialogue_.messages[m];
    const json::Writer::Mark before = w.mark();
    w.begin_object().member("role", message.role == Role::assistant ? "model" : "user").key("parts").begin_array();
    std::string carried;  // a proof that travelled alone, for the part behind it
    bool first_call = message.role == Role::assistant && m > current_ && rules_.signatures;
    siblings_.clear();
    for (const PlacedPart& placed : message.parts) {
      const Part& p = *placed.part;
      const auto* reasoning = p.as<Reasoning>();
      std::string signature;
      if (p.seal && usable(*p.seal)) {
        signature = p.seal->raw;
      } else if (p.seal && reasoning != nullptr && !reasoning->text.empty()) {
        notes_.restated(at(placed), "the thought goes without its proof, which is only for the vendor that made it");
        if (!at_seal(placed).starts_with(at(placed).text())) {
          notes_.lost(at_seal(placed), "a proof is only for the vendor that made it");
        }
      } else if (p.seal) {
        notes_.lost(at_seal(placed), "a proof is only for the vendor that made it");
      }
      if (reasoning != nullptr && reasoning->text.empty() && !own_) {
        if (!signature.empty()) {
          carried = std::move(signature);
          notes_.restated(at(placed), "gemini keeps a proof on the part behind");
        }
        continue;
      }
      if (reasoning == nullptr && signature.empty()) signature = std::exchange(carried, {});
      if (p.as<ToolCall>() != nullptr && std::exchange(first_call, false) && signature.empty()) {
        signature = sentinel;
        notes_.added(at(placed) + "/thoughtSignature", "gemini demands a signature here and none is known");
      }
      if (p.as<ToolResult>() == nullptr) flush_siblings(w);
      TRY_VOID(part(w, placed, signature));
    }
    flush_siblings(w);
    if (!carried.empty()) w.begin_object().member("text", "").member("thoughtSignature", carried).end_object();
    if (w.empty()) {  // what stood there has its Notes
      w.rewind(before);
      if (message.parts.empty()) notes_.lost(pointer_to_turn(request_, leading_ + m), "gemini takes no empty turn");
      return {};
    }
    w.end_array();
    if (own_ && !message.parts.empty()) {
      write_outer_extras(w, request_.turns[message.parts[0].turn].extras, "");
    }
    w.end_object();
    return {};
  }

  // Media of results that this model takes only beside them.
  void flush_siblings(json::Writer& w) {
    for (const std::string& one : std::exchange(siblings_, {})) w.raw(one);
  }

  void end_part(json::Writer& w, const Part& p, std::string_view signature, std::string_view name) {
    write_outer_extras(w, p.extras, name);
    if (!signature.empty()) w.member("thoughtSignature", signature);
    w.end_object();
  }

  // One part, or a Note (an Error where the question would lose its meaning).
  Result<void> part(json::Writer& w, const PlacedPart& placed, std::string_view signature) {
    const Part& p = *placed.part;
    if (p.cache) notes_.lost(pointer_to_mark(request_, at(placed)), "gemini caches on its own");
    if (p.extras.origin != self) note_extras(p.extras, self, at(placed), notes_);
    if (const auto* text = p.as<Text>()) {
      words(w, placed, text->text, false, signature);
      if (!text->citations.empty()) {
        notes_.lost(pointer_to_citations(request_, placed.turn, placed.index), "gemini takes no citations back");
      }
    } else if (const auto* reasoning = p.as<Reasoning>()) {
      words(w, placed, reasoning->text, true, signature);
    } else if (const auto* refusal = p.as<Refusal>()) {
      notes_.restated(at(placed), "gemini has refusals as text");
      words(w, placed, refusal->text, false, signature);
    } else if (const auto* media = p.as<Media>()) {
      return write(w, placed, *media, signature);
    } else if (const auto* call = p.as<ToolCall>()) {
      write(w, placed, *call, signature);
    } else if (const auto* result = p.as<ToolResult>()) {
      return write(w, placed, *result, signature);
    } else if (const auto* server = p.as<ServerTool>()) {
      foreign_or_raw(w, placed, server->origin, server->raw, signature);
    } else if (const auto* opaque = p.as<Opaque>()) {
      foreign_or_raw(w, placed, opaque->origin, opaque->raw, signature);
    }
    return {};
  }

  void words(json::Writer& w, const PlacedPart& placed, std::string_view text, bool thought,
             std::string_view signature) {
    w.begin_object().member("text", text);
    if (thought) w.member_bool("thought", true);
    end_part(w, *placed.part, signature, "text");
  }

  void foreign_or_raw(json::Writer& w, const PlacedPart& placed, DialectId origin, const RawJson& raw,
                      std::string_view signature) {
    json::Document doc;
    const auto root = doc.parse(raw);
    if (origin != self || !root) {
      notes_.lost(at(placed), "gemini has no such part");
      return;
    }
    w.begin_object();
    for (const auto [key, value] : root->members()) w.member_raw(key, value.raw());
    end_part(w, *placed.part, signature, "");
  }

  void write(json::Writer& w, const PlacedPart& placed, const ToolCall& call, std::string_view signature) {
    std::string args = call_args(call);
    if (args.empty()) {
      notes_.restated(at(placed), "the arguments are no JSON object; they became one text");
      args = "{\"input\":" + json::quote(call.arguments) + '}';
    } else if (call.kind == ToolKind::custom) {
      notes_.restated(at(placed), "gemini has no free-text tools; its input became an argument");
    }
    w.begin_object();
    ToolCall taken{.name = own_ ? call.name : taken_tool_name(call.name)};
    if (taken.name != call.name) notes_.restated(at(placed), "a name that gemini takes");
    write_call(w, taken, args, sends_id(call.id) ? call.id : std::string_view(), placed.part->extras);
    end_part(w, *placed.part, signature, "functionCall");
  }

  // Ids that the history made up stay here; old Vertex models refuse any.
  [[nodiscard]] bool sends_id(std::string_view id) const {
    if (to_.provider == "vertex" && !rules_.ids) return false;
    for (const Turn& turn : request_.turns) {
      for (const Part& p : turn.parts) {
        if (const auto* call = p.as<ToolCall>(); call != nullptr && call->id == id) return !call->id_made_up;
      }
    }
    return !id.empty();
  }

  [[nodiscard]] std::string name_of(const ToolResult& result) const {
    if (!result.name.empty()) return result.name;
    for (const Turn& turn : request_.turns) {
      for (const Part& p : turn.parts) {
        if (const auto* call = p.as<ToolCall>(); call != nullptr && call->id == result.call_id) return call->name;
      }
    }
    return "tool";
  }

  Result<void> write(json::Writer& w, const PlacedPart& placed, const ToolResult& result, std::string_view signature) {
    w.begin_object().key("functionResponse").begin_object();
    if (sends_id(result.call_id)) w.member("id", result.call_id);
    w.member("name", own_ ? name_of(result) : taken_tool_name(name_of(result)));
    w.key("response").raw(response(placed, result));
    std::string media;
    json::Writer inside(media);
    inside.begin_array();
    for (std::size_t i = 0; i < result.parts.size(); ++i) result_part(inside, placed, result, i);
    inside.end_array();
    if (media.size() > 2) w.member_raw("parts", media);
    write_inner_extras(w, placed.part->extras, "functionResponse");
    w.end_object();
    end_part(w, *placed.part, signature, "functionResponse");
    return {};
  }

  // The object that a response must be.
  std::string response(const PlacedPart& placed, const ToolResult& result) {
    std::string text;
    std::size_t texts = 0;
    for (const Part& inner : result.parts) {
      if (const auto* words = inner.as<Text>()) {
        text += words->text;
        ++texts;
      }
    }
    const std::string_view name = result.is_error ? "error" : "output";
    if (!result.json.empty() && (texts == 0 || text == result.json)) {
      const bool object = result.json.starts_with('{');
      if (object && (own_ || !result.is_error)) return result.json;
      return "{\"" + std::string(name) + "\":" + result.json + '}';
    }
    if (texts > 1) notes_.restated(at(placed), "gemini has one text per result; they were joined");
    std::string out = "{\"" + std::string(name) + "\":";
    json::append_quoted(out, text);
    return out + '}';
  }

  void result_part(json::Writer& w, const PlacedPart& placed, const ToolResult& result, std::size_t i) {
    const Part& inner = result.parts[i];
    const std::string place =
        made(placed) ? at(placed) : pointer_to_result_part(request_, placed.turn, placed.index, i);
    if (inner.extras.origin != self) note_extras(inner.extras, self, place, notes_);
    if (inner.cache) notes_.lost(pointer_to_mark(request_, place), "gemini caches on its own");
    if (const auto* text = inner.as<Text>()) {
      if (!text->citations.empty()) notes_.lost(place + "/citations", "gemini takes no citations back");
      return;
    }
    const auto* media = inner.as<Media>();
    if (media == nullptr) {
      notes_.lost(place, "gemini takes text and media in a result");
      return;
    }
    if (!own_ && media->form == MediaForm::url && !rules_.public_urls) {
      notes_.lost(place, "this model fetches no addresses");
      return;
    }
    std::string one;
    json::Writer single(one);
    single.begin_object();
    if (!write_media(single, *media, inner.extras)) {
      notes_.lost(place, "gemini cannot read this kind of source");
      return;
    }
    write_outer_extras(single, inner.extras, one.starts_with("{\"inlineData\"") ? "inlineData" : "fileData");
    single.end_object();
    if (media->form == MediaForm::text) notes_.restated(place, "a text document goes as inline data");
    if (!media->name.empty() && media->origin != self) {
      notes_.lost(name_below(place), "gemini has no name for media");
    }
    if (!media->detail.empty() && media->origin != self) notes_.lost(place + "/detail", "no detail inside a result");
    if (own_ || rules_.media_in_results) {
      w.raw(one);
    } else {
      notes_.restated(place, "this model takes media beside the result");
      siblings_.push_back(std::move(one));
    }
  }

  Result<void> write(json::Writer& w, const PlacedPart& placed, const Media& media, std::string_view signature) {
    if (media.form == MediaForm::blocks) {
      blocks(w, placed, media);
      return {};
    }
    if (!own_ && media.form == MediaForm::url && !rules_.public_urls) {
      return fail(Fault::unsupported, "This model fetches no addresses: send the media inline.");
    }
    std::string one;
    json::Writer single(one);
    single.begin_object();
    if (!write_media(single, media, placed.part->extras)) {
      notes_.lost(at(placed), "gemini cannot read this kind of source");
      return {};
    }
    if (media.form == MediaForm::text) notes_.restated(at(placed), "a text document goes as inline data");
    if (!media.name.empty() && media.origin != self) notes_.lost(at_name(placed), "gemini has no name for media");
    if (!media.detail.empty()) {
      const bool said = (media.origin == self || rules_.media_resolution) && write_detail(single, media);
      if (!said) notes_.lost(at_detail(placed), "gemini decides itself how closely it looks");
    }
    const std::string_view name = one.starts_with("{\"inlineData\"") ? "inlineData" : "fileData";
    end_part(single, *placed.part, signature, name);
    w.raw(one);
    return {};
  }

  [[nodiscard]] std::string at_name(const PlacedPart& p) const { return name_below(at(p)); }
  [[nodiscard]] std::string name_below(const std::string& part) const {
    switch (request_.origin) {
      case DialectId::openai_chat: return part + "/file/filename";
      case DialectId::openai_responses: return part + "/filename";
      case DialectId::bedrock_converse: return part + "/document/name";
      case DialectId::anthropic:
      case DialectId::gemini:
      case DialectId::openai_completions:
      case DialectId::cohere: return part + "/title";
    }
    return part;
  }
  [[nodiscard]] std::string at_detail(const PlacedPart& p) const {
    return at(p) + (request_.origin == DialectId::openai_chat ? "/image_url/detail" : "/detail");
  }

  // A document given as blocks: its texts, one after the other.
  void blocks(json::Writer& w, const PlacedPart& placed, const Media& media) {
    json::Document doc;
    const auto root = doc.parse(media.data);
    if (!media.name.empty()) notes_.lost(at_name(placed), "gemini has no name for media");
    bool others = !root;
    if (root && root->is_string()) w.begin_object().member("text", root->text()).end_object();
    if (root) {
      for (const json::Value block : root->elements()) {
        if (const auto text = block["text"].string(); text && !text->empty()) {
          w.begin_object().member("text", *text).end_object();
        } else {
          others = true;
        }
      }
    }
    const std::string place = at(placed) + "/source";
    others ? notes_.lost(place, "gemini takes only the texts of such a document")
           : notes_.restated(place, "gemini takes the texts of such a document");
  }

  const ChatRequest& request_;
  const Destination& to_;
  const ModelRules& rules_;
  Notes& notes_;
  const bool own_ = request_.origin == self;
  std::size_t leading_ = 0;
  std::size_t current_ = 0;  // the message behind which signatures are demanded
  Dialogue dialogue_;
  std::vector<std::string> siblings_;
};

}  // namespace

Result<void> write_turns(json::Writer& out, const ChatRequest& request, const Destination& to, const ModelRules& rules,
                         std::string_view system_hint, Notes& notes) {
  return Contents(request, to, rules, notes).run(out, system_hint);
}

}  // namespace sluice::gemini
