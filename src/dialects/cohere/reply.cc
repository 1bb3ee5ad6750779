// A whole answer <-> Reply. SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <utility>

#include "dialects/body_size.h"
#include "dialects/cohere/cohere.h"
#include "dialects/cohere/logprobs.h"
#include "dialects/cohere/message.h"
#include "dialects/cohere/stop.h"
#include "dialects/cohere/usage.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"

namespace sluice::cohere {
namespace {

class MessageWriting {
 public:
  MessageWriting(json::Writer& out, const Reply& reply, const Question& question, Notes& notes)
      : out_(out), reply_(reply), choice_(reply.choices.front()), question_(question), notes_(notes) {}

  void write() {
    out_.begin_object().member("role", "assistant");
    content();
    plan();
    calls();
    note_citations();
    write_citations(out_, said_, choice_.message_extras);
    write_extras(out_, without_citations(choice_.message_extras), self, pointer_to_message(reply_, 0), notes_);
    out_.end_object();
  }

 private:
  Pointer at(std::size_t part) const { return pointer_to_part(reply_, 0, part); }
  [[nodiscard]] bool own() const { return reply_.origin == self; }

  // What other vendors send without meaning; this one's own words stand.
  [[nodiscard]] bool silent(const Part& part) const {
    if (own() || part.seal) return false;
    const auto* text = part.as<Text>();
    const auto* reasoning = part.as<Reasoning>();
    return (text != nullptr && text->text.empty() && text->citations.empty()) ||
           (reasoning != nullptr && reasoning->text.empty());
  }

  void content() {
    bool open = false;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const Part& part = choice_.parts[i];
      if (part.as<ToolCall>() || is_plan(part) || silent(part)) continue;
      const bool foreign =
          part.as<Opaque>() ? part.as<Opaque>()->origin != self : part.as<ServerTool>() || part.as<ToolResult>();
      if (foreign) {
        notes_.lost(at(i), "a part that only its own dialect knows");
        continue;
      }
      Part said = part;
      if (part.as<Media>()) {
        notes_.lost(at(i), "cohere answers in text only");
        said = {.body = Text{.text = "[an image or sound that this API cannot carry]"}};
      }
      if (!std::exchange(open, true)) out_.key("content").begin_array();
      if (write_content_part(out_, said, at(i), notes_)) said_.push_back(std::move(said));
    }
    if (open) out_.end_array();
  }

  void plan() {
    std::string joined;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const Part& part = choice_.parts[i];
      if (!is_plan(part) || part.as<Text>() == nullptr) continue;
      joined += part.as<Text>()->text;
      said_.push_back(part);
    }
    if (!joined.empty()) out_.member("tool_plan", joined);
  }

  void calls() {
    std::size_t number = 0;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const auto* call = choice_.parts[i].as<ToolCall>();
      if (call == nullptr) continue;
      if (number == 0) out_.key("tool_calls").begin_array();
      const std::string id = call->id.empty() ? answer_tool_id("call_", question_.exchange_id, 0, number) : call->id;
      ++number;
      if (call->kind == ToolKind::custom) notes_.restated(at(i), "arguments are an object here: {\"input\": …}");
      write_tool_call(out_, choice_.parts[i], id, call->name, at(i), notes_);
    }
    if (number != 0) out_.end_array();
  }

  void note_citations() {
    if (own()) return;
    for (std::size_t i = 0; i < choice_.parts.size(); ++i) {
      const auto* text = choice_.parts[i].as<Text>();
      if (text != nullptr && !text->citations.empty()) {
        notes_.restated(pointer_to_citations(reply_, 0, i), "cohere tells the place, the address and the title");
      }
    }
  }

  json::Writer& out_;
  const Reply& reply_;
  const Choice& choice_;
  const Question& question_;
  Notes& notes_;
  std::vector<Part> said_;  // in the order of the content, then the plan
};

void note_choice(const Reply& reply, Notes& notes) {
  const Choice& choice = reply.choices.front();
  if (choice.logprobs) notes.lost(pointer_to_logprobs(reply, 0), "cohere's form of logprobs is another");
  note_extras(choice.extras, self, pointer_to_choice(reply, 0), notes);
  if (!choice.stop.detail.empty()) notes.lost(pointer_to_stop_detail(reply, 0), "cohere has no details of a stop");
  if (!choice.stop.sequence.empty()) {
    notes.lost(pointer_to_stop_sequence(reply, 0), "cohere does not say which stop sequence was hit");
  }
  if (!has_word(choice.stop.kind)) notes.restated(pointer_to_choice(reply, 0), "cohere has no word for this end");
}

}  // namespace

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root || !root->is_object()) {
    return fail(Fault::upstream_broken, "The upstream's answer could not be read.",
                root ? "an answer that is no object" : root.error()->message);
  }
  const auto [id, model, message, finish, usage, logprobs] =
      root->pick("id", "model", "message", "finish_reason", "usage", "logprobs");
  if (!message.is_object()) {
    if (message.is_string()) return fail(read_error(0, body));  // an error inside a 200
    return fail(Fault::upstream_broken, "The upstream's answer could not be read.", "an answer without a message");
  }
  Reply reply{.origin = self, .id = id.text(), .model = model.text()};
  auto read = read_message(message, "message");
  if (!read) return fail(Fault::upstream_broken, "The upstream's answer could not be read.", read.error()->message);
  Choice choice{.parts = std::move(read->parts), .stop = read_stop(finish.text())};
  choice.message_extras = std::move(read->extras);
  reply.usage = read_usage(usage);
  // Nothing said and nothing charged: another target may do better.
  if (choice.stop.kind == StopKind::error && choice.parts.empty() && !reply.usage.known()) {
    return fail(failed_answer(choice.stop.raw, ""));
  }
  if (logprobs.is_array()) choice.logprobs = json::compact(logprobs.raw());
  reply.choices.push_back(std::move(choice));
  for (const auto [key, value] : root->members()) {
    const bool known = key == "id" || key == "model" || key == "message" || key == "finish_reason" || key == "usage" ||
                       (key == "logprobs" && value.is_array());
    if (!known) reply.extras.add(self, key, value.raw());
  }
  return reply;
}

std::string write_reply(const Reply& reply, const Question& question, Notes& notes) {
  std::string body;
  body.reserve(body_size(reply));
  json::Writer out(body);
  out.begin_object();
  out.member("id", reply.id.empty() ? question.exchange_id : std::string_view(reply.id));
  // Ours: the vendor's answers name no model.
  if (!reply.model.empty()) out.member("model", reply.model);
  Reply empty{.origin = reply.origin};
  empty.choices.emplace_back();
  const Reply& said = reply.choices.empty() ? empty : reply;
  const Choice& choice = said.choices.front();
  out.key("message");
  MessageWriting(out, said, question, notes).write();
  const bool calls = std::ranges::any_of(choice.parts, [](const Part& p) { return p.as<ToolCall>() != nullptr; });
  out.member("finish_reason", write_stop(choice.stop, calls));
  write_usage(out, reply.usage);
  if (choice.logprobs && reply.origin == self) out.member_raw("logprobs", logprobs_list(*choice.logprobs));
  write_extras(out, reply.extras, self, "", notes);
  out.end_object();
  if (reply.origin != self && !reply.choices.empty()) note_choice(reply, notes);
  for (std::size_t i = 1; i < reply.choices.size(); ++i) {
    notes.lost(pointer_to_choice(reply, i), "cohere gives one answer");
  }
  return body;
}

}  // namespace sluice::cohere
