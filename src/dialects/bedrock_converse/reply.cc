// A whole answer <-> Reply. SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <utility>

#include "dialects/aws_error.h"
#include "dialects/bedrock_converse/bedrock_converse.h"
#include "dialects/bedrock_converse/blocks.h"
#include "dialects/bedrock_converse/formats.h"
#include "dialects/bedrock_converse/stop.h"
#include "dialects/bedrock_converse/usage.h"
#include "dialects/body_size.h"
#include "dialects/call_input.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"

namespace sluice::bedrock_converse {
namespace {

std::unexpected<Failure> broken(std::string detail) {
  return fail(Fault::upstream_broken, "The upstream's answer could not be read.", std::move(detail));
}

// Writes the parts of an answer, one by one.
class BlockWriting {
 public:
  BlockWriting(json::Writer& out, const Reply& reply, const Question& question, Notes& notes)
      : out_(out), reply_(reply), question_(question), notes_(notes) {}

  void write(const Part& part, std::size_t index) {
    index_ = index;
    pointer_ = pointer_to_part(reply_, 0, index);
    part_ = &part;
    if (silent(part)) return;
    // A proof without a slot of its own travels in front of its part.
    if (part.seal && part.as<Reasoning>() == nullptr && !foreign_whole(part)) {
      write_proof(out_, *part.seal, Belongs::next);
    }
    std::visit([this](const auto& body) { block(body); }, part.body);
  }

 private:
  static bool foreign_whole(const Part& part) {
    const auto* tool = part.as<ServerTool>();
    const auto* opaque = part.as<Opaque>();
    return (tool != nullptr && tool->origin != self) || (opaque != nullptr && opaque->origin != self);
  }

  // What other vendors send without meaning; this one's own words stand.
  [[nodiscard]] bool silent(const Part& part) const {
    if (reply_.origin == self || part.seal) return false;
    const auto* text = part.as<Text>();
    const auto* reasoning = part.as<Reasoning>();
    return (text != nullptr && text->text.empty() && text->citations.empty()) ||
           (reasoning != nullptr && reasoning->text.empty());
  }

  void block(const Text& text) {
    write_text(out_, *part_, text.text, pointer_, notes_);
    if (!text.citations.empty() && text.citations.front().origin != self) {
      notes_.restated(pointer_to_citations(reply_, 0, index_), "bedrock tells the title, the address and the words");
    }
  }
  void block(const Refusal& refusal) { write_text(out_, *part_, refusal.text, pointer_, notes_); }
  void block(const Reasoning&) { write_reasoning(out_, *part_, pointer_, notes_); }

  void block(const ToolCall& call) {
    bool wrapped = false;
    const std::string input = call_input(call, wrapped);
    if (wrapped) notes_.restated(pointer_, "arguments are an object here: wrapped as {\"input\": …}");
    const std::string id = call.id.empty() ? answer_tool_id("tooluse_", question_.exchange_id, 0, calls_) : call.id;
    ++calls_;
    write_call(out_, *part_, id, call.name, input, pointer_, notes_);
  }

  void block(const Media& media) {
    const auto format = format_of_mime(media.kind, media.mime);
    if (media.form == MediaForm::base64 && !format.empty() && media.kind != MediaKind::document) {
      return write_media(out_, *part_, format, {}, pointer_, notes_);
    }
    if (media.origin == self) return write_media(out_, *part_, format, media.name, pointer_, notes_);
    notes_.lost(pointer_, "an answer of bedrock holds text and files of known types");
    out_.begin_object().member("text", "[a file that this API cannot carry]").end_object();
  }

  void block(const ToolResult&) { notes_.lost(pointer_, "no part of an answer"); }
  void block(const ServerTool& tool) { whole(tool.origin, tool.raw); }
  void block(const Opaque& opaque) { whole(opaque.origin, opaque.raw); }

  void whole(DialectId origin, const RawJson& raw) {
    if (origin == self) {
      out_.raw(raw);
    } else {
      notes_.lost(pointer_, "a part that only its own dialect knows");
    }
  }

  json::Writer& out_;
  const Reply& reply_;
  const Question& question_;
  Notes& notes_;
  const Part* part_ = nullptr;
  std::size_t index_ = 0;
  Pointer pointer_;
  std::size_t calls_ = 0;
};

// What stood beside the parts of the one choice that is written.
void note_choice(const Reply& reply, Notes& notes) {
  const Choice& choice = reply.choices.front();
  if (choice.logprobs) notes.lost(pointer_to_logprobs(reply, 0), "bedrock has no logprobs");
  note_extras(choice.extras, self, pointer_to_choice(reply, 0), notes);
  if (!choice.stop.detail.empty()) notes.lost(pointer_to_stop_detail(reply, 0), "bedrock has no details of a stop");
  if (!has_word(choice.stop.kind)) notes.restated(pointer_to_choice(reply, 0), "bedrock has no word for this end");
}

void write_message(json::Writer& out, const Reply& reply, const Question& question, Notes& notes) {
  const Choice empty;
  const Choice& choice = reply.choices.empty() ? empty : reply.choices.front();
  out.key("output").begin_object().key("message").begin_object();
  out.member("role", "assistant").key("content").begin_array();
  BlockWriting blocks(out, reply, question, notes);
  for (std::size_t i = 0; i < choice.parts.size(); ++i) blocks.write(choice.parts[i], i);
  out.end_array();
  if (!reply.choices.empty()) write_extras(out, choice.message_extras, self, pointer_to_message(reply, 0), notes);
  out.end_object().end_object();
}

}  // namespace

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root || !root->is_object()) return broken(root ? "an answer that is no object" : root.error()->message);
  const auto [output, reason, usage, tier, more] =
      root->pick("output", "stopReason", "usage", "serviceTier", "additionalModelResponseFields");
  const json::Value message = output["message"];
  const json::Value content = message["content"];
  if (!content.is_array()) {
    if ((*root)["message"].is_string()) return fail(read_aws_error(0, body, {}));  // an error inside a 200
    return broken("an answer without a message");
  }
  Reply reply{.origin = self};
  Choice& choice = reply.choices.emplace_back(Choice{.stop = read_stop(reason.text())});
  choice.stop.sequence = more["stop_sequence"].text();
  read_blocks(content, choice.parts);
  read_rest(message, {"role", "content"}, choice.message_extras);
  reply.usage = read_usage(usage);
  reply.service_tier = tier["type"].string();
  read_rest(*root, {"output", "stopReason", "usage", reply.service_tier ? "serviceTier" : "usage"}, reply.extras);
  return reply;
}

std::string write_reply(const Reply& reply, const Question& question, Notes& notes) {
  std::string body;
  body.reserve(body_size(reply));
  json::Writer out(body);
  out.begin_object();
  write_message(out, reply, question, notes);
  const Choice empty;
  const Choice& choice = reply.choices.empty() ? empty : reply.choices.front();
  const bool calls = std::ranges::any_of(choice.parts, [](const Part& p) { return p.as<ToolCall>() != nullptr; });
  out.member("stopReason", write_stop(choice.stop, calls));
  write_usage(out, reply.usage);
  if (reply.usage.origin != self && reply.usage.reasoning.value_or(0) > 0)
    notes.lost(pointer_to_thought_tokens(reply), "bedrock counts thoughts among the output");
  if (reply.service_tier) out.key("serviceTier").begin_object().member("type", *reply.service_tier).end_object();
  if (reply.origin != self) write_answer_fields(out, reply.id, reply.model, choice.stop.sequence);
  write_extras(out, reply.extras, self, "", notes);
  out.end_object();
  if (reply.origin != self && !reply.choices.empty()) note_choice(reply, notes);
  for (std::size_t i = 1; i < reply.choices.size(); ++i) {
    notes.lost(pointer_to_choice(reply, i), "bedrock gives one answer");
  }
  return body;
}

}  // namespace sluice::bedrock_converse
