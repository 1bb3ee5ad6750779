// A whole answer, read and written. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/body_size.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/stop.h"
#include "dialects/openai_chat/usage.h"
#include "dialects/openai_completions/logprobs.h"
#include "dialects/openai_completions/openai_completions.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::openai_completions {
namespace {

using json::Value;

Choice read_choice(Value value, std::int64_t place) {
  Choice choice{.index = value["index"].integer().value_or(place)};
  choice.parts.push_back({.body = Text{.text = value["text"].text()}});
  choice.stop = openai_chat::read_stop(value["finish_reason"].text(), false, false);
  choice.stop.origin = self;
  if (value["logprobs"].is_object()) choice.logprobs = json::compact(value["logprobs"].raw());
  for (const auto [key, inner] : value.members()) {
    if (key == "index" || key == "text" || key == "finish_reason" || key == "logprobs") continue;
    choice.extras.add(self, key, inner.raw());
  }
  return choice;
}

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

// Where the proof on a part stands; in Responses beside it, in the item.
std::string proof_place(const Reply& reply, std::string pointer) {
  if (reply.origin == DialectId::openai_responses) {
    const auto behind = pointer.find('/', std::string_view("/output/").size());
    pointer.resize(std::min(behind, pointer.size()));
  }
  return pointer;
}

// The text of an answer, and a Note for all that is no text.
std::string said(const Reply& reply, std::size_t at, Notes& notes) {
  std::string out;
  const Choice& choice = reply.choices[at];
  for (std::size_t i = 0; i < choice.parts.size(); ++i) {
    const Part& part = choice.parts[i];
    const Pointer pointer = pointer_to_part(reply, at, i);
    if (const auto* text = part.as<Text>()) {
      out += text->text;
      if (!text->citations.empty())
        notes.lost(pointer_to_citations(reply, at, i), "openai_completions has no citations");
      note_extras(part.extras, self, pointer, notes);
    } else if (const auto* refusal = part.as<Refusal>()) {
      out += refusal->text;
      notes.restated(pointer, "a refusal stands as text");
    } else {
      notes.lost(pointer, "openai_completions answers with text only");
    }
    if (part.seal) notes.lost(proof_place(reply, pointer), "openai_completions carries no proofs");
  }
  return out;
}

void write_choice(json::Writer& out, const Reply& reply, std::size_t at, const std::string& echo, Notes& notes) {
  const Choice& choice = reply.choices[at];
  const std::string text = said(reply, at, notes);
  out.begin_object().member("text", echo.empty() ? text : echo + text).member("index", choice.index).key("logprobs");
  const bool chat = reply.origin == DialectId::openai_chat || reply.origin == DialectId::openai_responses;
  if (choice.logprobs && (chat || reply.origin == self)) {
    std::int64_t offset = code_points(echo);
    out.raw(write_logprobs(*choice.logprobs, chat, offset));
    if (chat) notes.restated(pointer_to_logprobs(reply, at), "told in this API's form: no bytes of tokens");
  } else {
    if (choice.logprobs) notes.lost(pointer_to_logprobs(reply, at), "its form is another");
    out.null();
  }
  const std::string_view word = finish_word(choice.stop);
  out.key("finish_reason");
  word.empty() ? out.null() : out.string(word);
  if (!choice.stop.sequence.empty()) {
    notes.lost(pointer_to_stop_sequence(reply, at), "openai_completions does not say which stop sequence was hit");
  }
  if (!choice.stop.detail.empty())
    notes.lost(pointer_to_stop_detail(reply, at), "openai_completions has no details of a stop");
  write_extras(out, choice.extras, self, pointer_to_choice(reply, at), notes);
  note_extras(choice.message_extras, self, pointer_to_message(reply, at), notes);
  out.end_object();
}

}  // namespace

std::string_view finish_word(const Stop& stop) {
  if (stop.origin == self) return stop.raw;
  const std::string_view word = openai_chat::write_stop(stop, false, false);
  return word == "tool_calls" || word == "function_call" ? std::string_view("stop") : word;
}

bool shared_with_chat(const Extras& extras, std::string_view key) {
  return extras.origin == DialectId::openai_chat && key == "system_fingerprint";
}

std::string echoed(const Question& question) {
  const auto asked = [&](std::string_view key) -> std::string_view {
    const auto found = std::ranges::find(question.asked, key, &json::TopMember::key);
    return found == question.asked.end() ? std::string_view() : found->raw;
  };
  if (asked("echo") != "true") return {};
  json::Document doc;
  const auto prompt = doc.parse(asked("prompt"));
  if (!prompt) return {};
  return prompt->is_array() ? prompt->at(0).text() : prompt->text();
}

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root || !root->is_object()) {
    return fail(Fault::upstream_broken, "The upstream's answer could not be read.",
                root ? "an answer that is no object" : root.error()->message);
  }
  const Value choices = (*root)["choices"];
  if (!choices.is_array()) {
    if (auto error = openai_chat::error_inside(*root, 0)) return fail(*std::move(error));
    return fail(Fault::upstream_broken, "The upstream's answer could not be read.", "an answer without choices");
  }
  Reply reply{.origin = self,
              .id = (*root)["id"].text(),
              .model = (*root)["model"].text(),
              .created = (*root)["created"].integer()};
  std::int64_t place = 0;
  for (const Value choice : choices.elements()) reply.choices.push_back(read_choice(choice, place++));
  const Value usage = openai_chat::find_usage(*root);
  if (usage) reply.usage = openai_chat::read_usage(usage);
  for (const auto [key, value] : root->members()) {
    if (key == "id" || key == "object" || key == "created" || key == "model" || key == "choices") continue;
    if (key == "usage" && usage) continue;  // a null of it beside the vendor's own place of usage, too
    reply.extras.add(self, key, value.raw());
  }
  return reply;
}

std::string write_reply(const Reply& reply, const Question& question, Notes& notes) {
  std::string text;
  const std::string echo = echoed(question);
  text.reserve(body_size(reply) + echo.size());
  json::Writer out(text);
  out.begin_object();
  if (reply.id.empty()) {
    out.member("id", "cmpl-" + std::string(question.exchange_id));
  } else {
    out.member("id", reply.id);
  }
  out.member("object", "text_completion");
  out.member("created", reply.created.value_or(question.unix_seconds));
  out.member("model", reply.model.empty() ? question.model : std::string_view(reply.model));
  out.key("choices").begin_array();
  for (std::size_t i = 0; i < reply.choices.size(); ++i) write_choice(out, reply, i, echo, notes);
  out.end_array();
  if (reply.usage.known() || (reply.usage.origin == DialectId::openai_chat && !reply.usage.raw.empty())) {
    out.key("usage");
    openai_chat::write_usage(out, reply.usage);
  }
  if (reply.service_tier) out.member("service_tier", *reply.service_tier);
  Extras rest = reply.extras;
  std::erase_if(rest.members, [&](const Extra& extra) {
    if (!shared_with_chat(reply.extras, extra.key)) return false;
    out.member_raw(extra.key, extra.raw);
    return true;
  });
  write_extras(out, rest, self, "", notes);
  out.end_object();
  return text;
}

}  // namespace sluice::openai_completions
