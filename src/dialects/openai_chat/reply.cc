// A whole answer, read and written. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "dialects/body_size.h"
#include "dialects/data_url.h"
#include "dialects/openai_chat/message.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/stop.h"
#include "dialects/openai_chat/usage.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"

namespace sluice::openai_chat {
namespace {

using json::Value;

template <class T>
bool holds(const std::vector<Part>& parts) {
  return std::ranges::any_of(parts, [](const Part& part) { return part.as<T>() != nullptr; });
}

Choice read_choice(Value value, std::int64_t place) {
  Choice choice{.index = value["index"].integer().value_or(place)};
  MessageParts message = read_message(value["message"], false);
  choice.parts = std::move(message.parts);
  choice.message_extras = std::move(message.extras);
  choice.stop = read_stop(value["finish_reason"].text(), holds<ToolCall>(choice.parts), holds<Refusal>(choice.parts));
  if (value["logprobs"].is_object()) choice.logprobs = json::compact(value["logprobs"].raw());
  for (const auto [key, inner] : value.members()) {
    if (key == "index" || key == "message" || key == "finish_reason" || key == "logprobs") continue;
    choice.extras.add(self, key, inner.raw());
  }
  return choice;
}

// Streamed logprobs come as one object a line: their lists are joined.
std::string joined_logprobs(std::string_view text) {
  if (text.find('\n') == std::string_view::npos) return std::string(text);
  std::string content;
  std::string refusal;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    json::Document doc;
    if (const auto one = doc.parse(text.substr(0, end))) {
      for (const auto& [list, out] : {std::pair{(*one)["content"], &content}, {(*one)["refusal"], &refusal}}) {
        for (const Value token : list.elements()) {
          if (!out->empty()) *out += ',';
          *out += token.raw();
        }
      }
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto list = [](const std::string& inside) { return inside.empty() ? "null" : '[' + inside + ']'; };
  return R"({"content":)" + list(content) + R"(,"refusal":)" + list(refusal) + '}';
}

// The texts of all parts in one; nothing is copied where there is only one.
std::string_view joined_text(const std::vector<Part>& parts, std::string& scratch) {
  const auto is_text = [](const Part& part) { return part.as<Text>() != nullptr; };
  if (std::ranges::count_if(parts, is_text) == 1) return std::ranges::find_if(parts, is_text)->as<Text>()->text;
  for (const Part& part : parts) {
    if (const auto* text = part.as<Text>()) scratch += text->text;
  }
  return scratch;
}

class MessageWriting {
 public:
  MessageWriting(json::Writer& out, const Reply& reply, std::size_t choice, const Question& question, Notes& notes)
      : out_(out), reply_(reply), at_(choice), choice_(reply.choices[choice]), question_(question), notes_(notes) {}

  void write() {
    out_.begin_object().member("role", "assistant");
    content();
    std::string refusal;
    std::string reasoning;
    for (const Part& part : choice_.parts) {
      if (const auto* r = part.as<Refusal>()) refusal += r->text;
      if (const auto* r = part.as<Reasoning>()) reasoning += r->text;
    }
    if (refusal.empty()) {
      out_.key("refusal").null();
    } else {
      out_.member("refusal", refusal);
    }
    if (!reasoning.empty()) out_.member("reasoning_content", reasoning);
    write_reasoning_details(out_, choice_.parts, "reasoning_details", true);
    write_annotations(out_, choice_.parts);
    media();
    calls();
    write_extras(out_, choice_.message_extras, self, pointer_to_message(reply_, at_), notes_);
    out_.end_object();
  }

 private:
  Pointer at(std::size_t part) const { return pointer_to_part(reply_, at_, part); }

  // One string; a list only where a part of this dialect that we do not know must be kept.
  void content() {
    bool list = false;
    bool said = false;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const Part& part = choice_.parts[i];
      if (const auto* text = part.as<Text>()) {
        said = true;
        for (const Citation& citation : text->citations) {
          if (citation.origin == self) continue;
          notes_.lost(pointer_to_citations(reply_, at_, i), "openai_chat cites the address only");
          break;
        }
        if (!part.extras.empty()) note_extras(part.extras, self, at(i), notes_);
      } else if (const auto* opaque = part.as<Opaque>()) {
        if (!remembered(part.extras, self, "detail").empty()) continue;
        if (opaque->origin == self) {
          list = true;
        } else {
          notes_.lost(at(i), "a part that only its own dialect knows");
        }
      } else if (part.as<ServerTool>() || part.as<ToolResult>()) {
        notes_.lost(at(i), "openai_chat has no blocks of server tools");
      } else if (part.as<Reasoning>() || part.as<ToolCall>()) {
        if (part.as<Reasoning>() && said) notes_.restated(at(i), "reasoning amid an answer moved to its front");
        if (part.as<Reasoning>()) note_extras(part.extras, self, at(i), notes_);
      }
    }
    if (list) {
      out_.key("content").begin_array();
      for (const Part& part : choice_.parts) {
        if (const auto* text = part.as<Text>()) {
          out_.begin_object().member("type", "text").member("text", text->text).end_object();
        } else if (const auto* opaque = part.as<Opaque>();
                   opaque != nullptr && opaque->origin == self && remembered(part.extras, self, "detail").empty()) {
          out_.raw(opaque->raw);
        }
      }
      out_.end_array();
    } else if (said) {
      std::string scratch;
      out_.member("content", joined_text(choice_.parts, scratch));
    } else {
      out_.key("content").null();
    }
  }

  void media() {
    bool images = false;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const auto* media = choice_.parts[i].as<Media>();
      if (media == nullptr || media->kind == MediaKind::audio) continue;
      if (media->kind != MediaKind::image || (media->form != MediaForm::base64 && media->form != MediaForm::url)) {
        notes_.lost(at(i), "openai_chat answers with text, images and audio only");
        continue;
      }
      if (!images) out_.key("images").begin_array();
      images = true;
      const std::string url = media->form == MediaForm::base64 ? write_data_url(media->mime, media->data) : media->data;
      out_.begin_object().member("type", "image_url").key("image_url").begin_object().member("url", url);
      write_inner_extras(out_, choice_.parts[i].extras, self, "image_url");
      out_.end_object();
      write_extras(out_, choice_.parts[i].extras, self, at(i), notes_);
      out_.end_object();
    }
    if (images) out_.end_array();
    bool audio = false;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const Part& part = choice_.parts[i];
      const auto* media = part.as<Media>();
      if (media == nullptr || media->kind != MediaKind::audio) continue;
      if (std::exchange(audio, true) || (media->form != MediaForm::base64 && media->form != MediaForm::file_id)) {
        notes_.lost(at(i), "openai_chat has one audio in an answer");
        continue;
      }
      out_.key("audio").begin_object();
      if (part.extras.origin != self || part.extras.empty()) {
        out_.member("id", "audio_" + hash_text(question_.exchange_id, 24));
      }
      out_.member(media->form == MediaForm::base64 ? "data" : "id", media->data);
      write_extras(out_, part.extras, self, at(i), notes_);
      out_.end_object();
    }
  }

  void calls() {
    std::size_t number = 0;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const Part& part = choice_.parts[i];
      const auto* call = part.as<ToolCall>();
      if (call == nullptr) continue;
      if (number == 0) out_.key("tool_calls").begin_array();
      const bool custom = call->kind == ToolKind::custom;
      out_.begin_object();
      if (reply_.origin == self && !call->id.empty()) {
        out_.member("id", call->id);
      } else if (call->id.empty()) {
        out_.member("id", answer_tool_id("call_", question_.exchange_id, choice_.index, number));
      } else {
        out_.member("id", to_portable_tool_id(call->id, "call_"));
      }
      ++number;
      out_.member("type", custom ? "custom" : "function").key(custom ? "custom" : "function").begin_object();
      out_.member("name", call->name).member(custom ? "input" : "arguments", arguments_or_empty(*call));
      write_inner_extras(out_, part.extras, self, custom ? "custom" : "function");
      out_.end_object();
      if (part.seal) write_call_seal(out_, *part.seal, true);
      write_extras(out_, part.extras, self, at(i), notes_);
      out_.end_object();
    }
    if (number != 0) out_.end_array();
  }

  json::Writer& out_;
  const Reply& reply_;
  std::size_t at_;
  const Choice& choice_;
  const Question& question_;
  Notes& notes_;
};

void write_choice(json::Writer& out, const Reply& reply, std::size_t at, const Question& question, Notes& notes) {
  const Choice& choice = reply.choices[at];
  out.begin_object().member("index", choice.index).key("message");
  MessageWriting(out, reply, at, question, notes).write();
  out.key("logprobs");
  // Responses keeps them in this form too.
  if (choice.logprobs && (reply.origin == self || reply.origin == DialectId::openai_responses)) {
    out.raw(joined_logprobs(*choice.logprobs));
  } else {
    if (choice.logprobs) notes.lost(pointer_to_logprobs(reply, at), "its form is another");
    out.null();
  }
  const std::string_view word = write_stop(choice.stop, holds<ToolCall>(choice.parts), holds<Refusal>(choice.parts));
  out.key("finish_reason");
  word.empty() ? out.null() : out.string(word);
  if (!choice.stop.sequence.empty()) {
    notes.lost(pointer_to_stop_sequence(reply, at), "openai_chat does not say which stop sequence was hit");
  }
  if (!choice.stop.detail.empty() && choice.stop.origin != self) {
    notes.lost(pointer_to_stop_detail(reply, at), "openai_chat has no details of a stop");
  }
  if (choice.stop.origin != self && !has_word(choice.stop.kind)) {
    notes.restated(pointer_to_choice(reply, at), "openai_chat has no word for this end");
  }
  write_extras(out, choice.extras, self, pointer_to_choice(reply, at), notes);
  out.end_object();
}

}  // namespace

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root || !root->is_object()) {
    return fail(Fault::upstream_broken, "The upstream's answer could not be read.",
                root ? "an answer that is no object" : root.error()->message);
  }
  const Value choices = (*root)["choices"];
  if (!choices.is_array()) {
    if (auto error = error_inside(*root, 0)) return fail(*std::move(error));
    return fail(Fault::upstream_broken, "The upstream's answer could not be read.", "an answer without choices");
  }
  Reply reply{.origin = self,
              .id = (*root)["id"].text(),
              .model = (*root)["model"].text(),
              .created = (*root)["created"].integer()};
  std::int64_t place = 0;
  for (const Value choice : choices.elements()) reply.choices.push_back(read_choice(choice, place++));
  const Value usage = find_usage(*root);
  if (usage) reply.usage = read_usage(usage);
  if ((*root)["service_tier"].is_string()) reply.service_tier = (*root)["service_tier"].text();
  for (const auto [key, value] : root->members()) {
    if (key == "id" || key == "object" || key == "created" || key == "model" || key == "choices") continue;
    if (key == "usage" && usage) continue;  // a null of it beside the vendor's own place of usage, too
    if (key == "service_tier" && value.is_string()) continue;
    reply.extras.add(self, key, value.raw());
  }
  return reply;
}

std::string write_reply(const Reply& reply, const Question& question, Notes& notes) {
  std::string text;
  text.reserve(body_size(reply));
  json::Writer out(text);
  out.begin_object();
  if (reply.id.empty()) {
    out.member("id", "chatcmpl-" + std::string(question.exchange_id));
  } else {
    out.member("id", reply.id);
  }
  out.member("object", "chat.completion");
  out.member("created", reply.created.value_or(question.unix_seconds));
  out.member("model", reply.model.empty() ? question.model : std::string_view(reply.model));
  out.key("choices").begin_array();
  for (std::size_t i = 0; i < reply.choices.size(); ++i) write_choice(out, reply, i, question, notes);
  out.end_array();
  if (reply.usage.known() || (reply.usage.origin == self && !reply.usage.raw.empty())) {
    out.key("usage");
    write_usage(out, reply.usage);
  }
  if (reply.service_tier) out.member("service_tier", *reply.service_tier);
  write_extras(out, reply.extras, self, "", notes);
  out.end_object();
  return text;
}

}  // namespace sluice::openai_chat
