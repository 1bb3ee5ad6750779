// SPDX-License-Identifier: MIT
#include "dialects/openai_responses/ladder.h"

#include <algorithm>
#include <utility>

#include "base/print.h"
#include "dialects/openai_responses/held.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"

namespace sluice::openai_responses {
namespace {

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

void append_member(std::string& out, std::string_view key, std::string_view raw) {
  out += ',';
  json::append_quoted(out, key);
  out += ':';
  out += raw;
}

void append_element(std::string& list, std::string element) {
  if (list.empty()) {
    list = std::move(element);
  } else {
    list += ',';
    list += element;
  }
}

// The part without the text that grows.
Part without_text(const Part& part) {
  Part out{.extras = part.extras};
  if (part.as<Text>()) {
    out.body = Text{};
  } else if (part.as<Refusal>()) {
    out.body = Refusal{};
  } else if (const auto* thought = part.as<Reasoning>()) {
    out.body = Reasoning{.redacted = thought->redacted, .summary = thought->summary};
  } else if (const auto* call = part.as<ToolCall>()) {
    ToolCall copy{.id = call->id, .native_id = call->native_id, .name = call->name};
    copy.kind = call->kind;
    out.body = std::move(copy);
  } else if (const auto* media = part.as<Media>()) {
    out.body = Media{.kind = media->kind, .form = media->form, .mime = media->mime};
  } else {
    out.body = part.body;
  }
  return out;
}

}  // namespace

std::string Ladder::at_item() const {
  std::string out = "\"item_id\":";
  json::append_quoted(out, id_);
  out += ",\"output_index\":";
  append_number(out, count_);
  return out;
}

std::string Ladder::at_part() const {
  std::string out = at_item();
  const bool summary = part_type_ == "summary_text";
  out += summary ? ",\"summary_index\":" : ",\"content_index\":";
  append_number(out, summary ? summary_count_ : content_count_);
  return out;
}

std::string Ladder::made_id(std::string_view prefix) const {
  return held_item_id(prefix, exchange_, count_);
}

std::string_view Ladder::grown_name() const {
  if (part_type_ == "summary_text") return "response.reasoning_summary_text";
  if (part_type_ == "reasoning_text") return "response.reasoning_text";
  return part_type_ == "refusal" ? "response.refusal" : "response.output_text";
}

std::string Ladder::part_text(bool done) const {
  std::string out;
  if (done) out.reserve(text_.size() + text_.size() / 16 + annotations_.size() + logprobs_.size() + 128);
  out += "{\"type\":\"";
  out += part_type_;
  out += part_type_ == "refusal" ? "\",\"refusal\":" : "\",\"text\":";
  json::append_quoted(out, done ? std::string_view(text_) : std::string_view());
  if (part_type_ == "output_text") {
    out += ",\"annotations\":[";
    out += annotations_;
    out += "],\"logprobs\":[";
    out += logprobs_;
    out += ']';
  }
  if (done) out += part_members_;
  out += '}';
  return out;
}

std::string Ladder::item(bool done, std::string_view status) const {
  std::string out;
  out.reserve(contents_.size() + summaries_.size() + text_.size() + members_.size() + 192);
  out += "{\"id\":";
  json::append_quoted(out, id_);
  switch (kind_) {
    case Kind::none: break;
    case Kind::message:
      out += ",\"type\":\"message\",\"role\":\"assistant\",\"content\":[";
      out += contents_;
      out += ']';
      break;
    case Kind::reasoning:
      out += ",\"type\":\"reasoning\",\"summary\":[";
      out += summaries_;
      out += ']';
      if (content_count_ > 0) {
        out += ",\"content\":[";
        out += contents_;
        out += ']';
      }
      if (seal_) {
        out += ",\"encrypted_content\":";
        json::append_quoted(out, seal_text(*seal_, self));
      }
      break;
    case Kind::call: {
      const bool custom = call_.kind == ToolKind::custom;
      out += custom ? ",\"type\":\"custom_tool_call\",\"call_id\":" : ",\"type\":\"function_call\",\"call_id\":";
      json::append_quoted(out, call_.id);
      out += ",\"name\":";
      json::append_quoted(out, call_.name);
      out += custom ? ",\"input\":" : ",\"arguments\":";
      json::append_quoted(out, done ? std::string_view(text_) : std::string_view());
      break;
    }
    case Kind::whole: break;
  }
  if (!done) {
    if (kind_ != Kind::reasoning) out += ",\"status\":\"in_progress\"";
  } else if (!status_.empty()) {
    append_member(out, "status", status_);
  } else if (!own() && kind_ != Kind::reasoning) {
    out += ",\"status\":\"";
    out += status;
    out += '"';
  }
  out += members_;
  out += '}';
  return out;
}

void Ladder::open_item(Kind kind, Emitter& to) {
  kind_ = kind;
  contents_.clear();
  summaries_.clear();
  content_count_ = summary_count_ = 0;
  seal_.reset();
  text_.clear();
  place_ = std::string(item_of(part_));
  if (id_.empty()) {
    id_ = made_id(kind == Kind::message            ? "msg_"
                  : kind == Kind::reasoning        ? "rs_"
                  : call_.kind == ToolKind::custom ? "ctc_"
                                                   : "fc_");
  }
  if (!to.listening()) return;
  std::string members = "\"output_index\":";
  append_number(members, count_);
  members += ",\"item\":";
  members += item(false, "");
  to.send("response.output_item.added", members);
}

void Ladder::start(const Part& part, Emitter& to) {
  const auto* call = part.as<ToolCall>();
  const bool message = part.as<Text>() != nullptr || part.as<Refusal>() != nullptr;
  const bool reasoning = part.as<Reasoning>() != nullptr;
  const Kind kind = message ? Kind::message : reasoning ? Kind::reasoning : call ? Kind::call : Kind::whole;
  const std::string_view place = item_of(part);
  // Parts of one item; of others, texts that follow each other are one message.
  const bool same = kind_ == kind && (own() ? !place.empty() && place == place_ : message);
  if (!same) close_item("completed", to);
  part_ = without_text(part);
  text_.clear();
  annotations_.clear();
  logprobs_.clear();
  part_members_.clear();
  annotation_count_ = 0;
  opened_ = false;
  held_ = false;
  if (!same) {
    id_.clear();
    members_.clear();
    status_.clear();
  }
  keep(part_.extras);
  holds_.calls |= call != nullptr;
  holds_.refusal |= part.as<Refusal>() != nullptr;
  if (call != nullptr) {
    call_ = *part_.as<ToolCall>();
    // A proof stands in front of its call. Gemini's are known only when the call is over.
    held_ = from_ == DialectId::gemini || part.seal;
    id_ = own() ? call_.native_id : std::string();
    if (!own()) {
      call_.id = call_.id.empty() ? answer_tool_id("call_", exchange_, 0, static_cast<std::size_t>(calls_))
                                  : to_portable_tool_id(call_.id, "call_");
    }
    ++calls_;
    if (!held_) say(to);
    return;
  }
  if (kind == Kind::whole) return start_whole(to);
  const auto* thought = part.as<Reasoning>();
  const bool as_summary = thought != nullptr && (thought->summary || !own());
  part_type_ = as_summary           ? "summary_text"
               : reasoning          ? "reasoning_text"
               : part.as<Refusal>() ? "refusal"
                                    : "output_text";
  const bool wordless = remembered(part_.extras, self, "belongs") == "thought";
  if (own() && !wordless) say(to);
}

void Ladder::keep(const Extras& extras) {
  if (extras.origin != self) return;
  for (const Extra& extra : extras.members) {
    if (extra.key.size() > 1 && extra.key[0] == '\x1f') {
      const std::string_view word = std::string_view(extra.key).substr(1);
      if (word == memory::id && extra.raw.size() >= 2 && kind_ == Kind::none) {
        id_ = json::unescape(std::string_view(extra.raw).substr(1, extra.raw.size() - 2));
      }
      if (word == memory::status) status_ = extra.raw;
    } else if (of_item(part_, extra)) {
      const auto split = extra.key.find('\x1f');
      append_member(members_, split == std::string::npos ? extra.key : extra.key.substr(split + 1), extra.raw);
    } else {
      append_member(part_members_, extra.key, extra.raw);
    }
  }
}

void Ladder::say(Emitter& to) {
  if (opened_) return;
  opened_ = true;
  if (part_.as<ToolCall>()) return open_item(Kind::call, to);
  const auto* thought = part_.as<Reasoning>();
  if (kind_ == Kind::none) open_item(thought ? Kind::reasoning : Kind::message, to);
  const bool empty = !remembered(part_.extras, self, memory::empty).empty() || (thought && thought->redacted);
  if (empty || !to.listening()) return;
  to.send(part_type_ == "summary_text" ? "response.reasoning_summary_part.added" : "response.content_part.added",
          at_part() + ",\"part\":" + part_text(false));
}

void Ladder::grow(std::string_view text, const std::optional<RawJson>& logprobs, Emitter& to) {
  const std::string tokens = logprobs ? logprob_elements(*logprobs) : std::string();
  if (text.empty() && tokens.empty()) return;
  if (part_.as<Media>() || held_) {
    text_ += text;
    return;
  }
  if (part_.as<ServerTool>() || part_.as<Opaque>()) return;
  if (auto* thought = part_.as<Reasoning>(); thought != nullptr && !opened_) thought->redacted = false;
  say(to);
  text_ += text;
  if (!tokens.empty()) append_element(logprobs_, tokens);
  if (!to.listening()) return;
  std::string members = kind_ == Kind::call ? at_item() : at_part();
  members += ",\"delta\":";
  json::append_quoted(members, text);
  if (kind_ == Kind::call) {
    to.send(call_.kind == ToolKind::custom ? "response.custom_tool_call_input.delta"
                                           : "response.function_call_arguments.delta",
            members);
    return;
  }
  if (part_type_ == "output_text") members += ",\"logprobs\":[" + tokens + ']';
  to.send(std::string(grown_name()) + ".delta", members);
}

void Ladder::cite(const Citation& citation, Emitter& to) {
  if (!part_.as<Text>()) return;
  std::string raw;
  if (citation.origin == self) {
    raw = citation.raw;
  } else {
    if (citation.url.empty()) return;
    json::Writer out(raw);
    out.begin_object().member("type", "url_citation").member("url", citation.url).member("title", citation.title);
    out.member("start_index", citation.start.value_or(0));
    out.member("end_index", citation.end.value_or(code_points(text_))).end_object();
  }
  say(to);
  if (to.listening()) {
    std::string members = at_part() + ",\"annotation_index\":";
    append_number(members, annotation_count_);
    to.send("response.output_text.annotation.added", members + ",\"annotation\":" + raw);
  }
  ++annotation_count_;
  append_element(annotations_, raw);
}

void Ladder::stop(const std::optional<Seal>& seal, const Extras& late, Emitter& to) {
  if (part_.as<ServerTool>() || part_.as<Opaque>() || part_.as<Media>()) return close_whole(late, to);
  keep(late);
  if (part_.as<ToolCall>()) return close_call(seal, to);
  if (auto* thought = part_.as<Reasoning>(); thought != nullptr && seal) {
    // Of a thought without words only the proof speaks.
    const bool hidden = opened_ || std::exchange(thought->redacted, true) || seal->dialect == self;
    say(to);
    seal_ = hidden ? *seal : Seal{.dialect = self, .raw = seal_beside(*seal, self, Belongs::thought)};
  }
  if (opened_) close_part(to);
  opened_ = false;
  if (part_.as<Reasoning>()) {
    // Of others, each thought is an item: its proof is its own.
    if (!own()) close_item("completed", to);
  } else if (seal) {
    proof(*seal, Belongs::previous, to);
  }
}

void Ladder::close_part(Emitter& to) {
  const auto* thought = part_.as<Reasoning>();
  if (!remembered(part_.extras, self, memory::empty).empty() || (thought && thought->redacted)) return;
  const bool summary = part_type_ == "summary_text";
  std::string done = part_text(true);
  if (to.listening()) {
    const std::string at = at_part();
    std::string members = at;
    members += part_type_ == "refusal" ? ",\"refusal\":" : ",\"text\":";
    json::append_quoted(members, text_);
    if (part_type_ == "output_text") members += ",\"logprobs\":[" + logprobs_ + ']';
    to.send(std::string(grown_name()) + ".done", members);
    to.send(summary ? "response.reasoning_summary_part.done" : "response.content_part.done", at + ",\"part\":" + done);
  }
  append_element(summary ? summaries_ : contents_, std::move(done));
  ++(summary ? summary_count_ : content_count_);
}

void Ladder::close_call(const std::optional<Seal>& seal, Emitter& to) {
  const bool told = std::exchange(held_, false);  // of the proof
  if (told) {
    const std::string arguments = std::exchange(text_, {});
    if (seal) proof(*seal, Belongs::next, to);
    say(to);
    grow(arguments, std::nullopt, to);
  }
  const bool custom = call_.kind == ToolKind::custom;
  if (text_.empty() && !custom && !own()) grow("{}", std::nullopt, to);
  if (to.listening()) {
    std::string members = at_item();
    members += custom ? ",\"input\":" : ",\"arguments\":";
    json::append_quoted(members, text_);
    if (!custom) {
      members += ",\"name\":";
      json::append_quoted(members, call_.name);
    }
    to.send(custom ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done", members);
  }
  opened_ = false;
  if (seal && !told) proof(*seal, Belongs::previous, to);
}

// A proof of a part that has no slot for it: reasoning of its own beside the part.
void Ladder::proof(const Seal& seal, Belongs belongs, Emitter& to) {
  close_item("completed", to);
  const Part before = std::exchange(part_, Part{.body = Reasoning{.redacted = true}});
  const ToolCall call = call_;
  const std::string members = std::exchange(members_, {});
  const std::string status = std::exchange(status_, {});
  const std::string id = std::exchange(id_, {});
  open_item(Kind::reasoning, to);
  // The envelope and what it belongs to are one text; as a proof of this dialect it is written as it stands.
  seal_ = Seal{.dialect = self, .raw = seal_beside(seal, self, belongs)};
  close_item("completed", to);
  part_ = before;
  call_ = call;
  members_ = members;
  status_ = status;
  id_ = id;
}

void Ladder::start_whole(Emitter& to) {
  whole_.clear();
  if (const auto* tool = part_.as<ServerTool>(); tool && tool->origin == self) whole_ = tool->raw;
  if (const auto* opaque = part_.as<Opaque>(); opaque && opaque->origin == self) whole_ = opaque->raw;
  const auto* media = part_.as<Media>();
  if (media && media->kind == MediaKind::image && media->form == MediaForm::base64) {
    if (id_.empty()) id_ = made_id("ig_");
    json::Writer out(whole_);
    out.begin_object().member("id", id_).member("type", "image_generation_call").member("status", "in_progress");
    out.key("result").null().end_object();
  }
  if (whole_.empty()) return;
  kind_ = Kind::whole;
  std::string members = "\"output_index\":";
  append_number(members, count_);
  to.send("response.output_item.added", members + ",\"item\":" + whole_);
}

void Ladder::close_whole(const Extras& late, Emitter& to) {
  if (whole_.empty() || kind_ != Kind::whole) return;
  keep(late);
  if (part_.as<Media>()) {
    whole_ = "{\"id\":" + json::quote(id_) + ",\"type\":\"image_generation_call\",\"result\":" + json::quote(text_);
    if (const auto format = remembered(part_.extras, self, memory::format); !format.empty()) {
      append_member(whole_, memory::format, format);
    } else if (const std::string& mime = part_.as<Media>()->mime; !own() && mime.starts_with("image/")) {
      append_member(whole_, memory::format, json::quote(mime.substr(6)));
    }
    if (!status_.empty() || !own()) append_member(whole_, "status", status_.empty() ? "\"completed\"" : status_);
    whole_ += members_;
    whole_ += '}';
  }
  close_item("completed", to);
}

// Ends the item whose last part has ended; that it was the last is known only when another begins.
void Ladder::close_item(std::string_view status, Emitter& to) {
  if (kind_ == Kind::none) return;
  std::string last = kind_ == Kind::whole ? whole_ : item(true, status);
  if (to.listening()) {
    std::string members = "\"output_index\":";
    append_number(members, count_);
    to.send("response.output_item.done", members + ",\"item\":" + last);
  }
  append_element(items_, std::move(last));
  ++count_;
  kind_ = Kind::none;
}

void Ladder::finish(std::string_view status, Emitter& to) {
  close_item(status, to);
}

void Ladder::cut(Emitter& to) {
  if (held_) {  // what a call was to be nobody can use
    held_ = false;
    opened_ = false;
  }
  if (opened_ && (kind_ == Kind::message || kind_ == Kind::reasoning)) close_part(to);
  if (kind_ == Kind::whole) {
    kind_ = Kind::none;
    return;
  }
  if (status_.empty() && kind_ != Kind::reasoning) status_ = "\"incomplete\"";
  close_item("incomplete", to);
}

void feed(Ladder& ladder, const Part& part, std::optional<RawJson>& logprobs, Emitter& to) {
  ladder.start(part, to);
  if (const auto* text = part.as<Text>()) {
    ladder.grow(text->text, std::exchange(logprobs, std::nullopt), to);
    for (const Citation& citation : text->citations) ladder.cite(citation, to);
  } else if (const auto* thought = part.as<Reasoning>()) {
    ladder.grow(thought->text, std::nullopt, to);
  } else if (const auto* refusal = part.as<Refusal>()) {
    ladder.grow(refusal->text, std::nullopt, to);
  } else if (const auto* call = part.as<ToolCall>()) {
    ladder.grow(call->arguments, std::nullopt, to);
  } else if (const auto* media = part.as<Media>()) {
    ladder.grow(media->data, std::nullopt, to);
  }
  ladder.stop(part.seal, {}, to);
}

}  // namespace sluice::openai_responses
