// A whole Messages answer <-> Reply. SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <utility>

#include "dialects/anthropic/anthropic.h"
#include "dialects/anthropic/blocks.h"
#include "dialects/anthropic/stop.h"
#include "dialects/anthropic/usage.h"
#include "dialects/body_size.h"
#include "dialects/call_input.h"
#include "dialects/pointer.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;

class BlockWriting {
 public:
  BlockWriting(json::Writer& out, const Reply& reply, const Question& question, Notes& notes)
      : out_(out), reply_(reply), question_(question), notes_(notes) {}

  void write(const Part& part, std::size_t index) {
    pointer_ = pointer_to_part(reply_, 0, index);
    citations_ = pointer_to_citations(reply_, 0, index);
    part_ = &part;
    if (silent(part)) return;
    // A proof without a slot of its own travels in front of its part.
    if (part.seal && part.as<Reasoning>() == nullptr && !foreign_whole(part)) {
      out_.begin_object().member("type", "redacted_thinking");
      out_.member("data", seal_data(*part.seal, Belongs::next)).end_object();
    }
    std::visit([this](const auto& body) { block(body); }, part.body);
  }

 private:
  // Left out, and its proof with it.
  static bool foreign_whole(const Part& part) {
    const auto* tool = part.as<ServerTool>();
    const auto* opaque = part.as<Opaque>();
    return (tool != nullptr && tool->origin != self) || (opaque != nullptr && opaque->origin != self);
  }

  // What other vendors send without meaning; this one's own words stand.
  [[nodiscard]] bool silent(const Part& part) const {
    if (reply_.origin == self) return false;
    const auto* text = part.as<Text>();
    const auto* reasoning = part.as<Reasoning>();
    return !part.seal && ((text != nullptr && text->text.empty() && text->citations.empty()) ||
                          (reasoning != nullptr && reasoning->text.empty()));
  }

  json::Writer& open(std::string_view type) { return out_.begin_object().member("type", type); }
  void close() {
    if (part_->cache) write_cache_mark(out_, *part_->cache);
    write_extras(out_, part_->extras, self, pointer_, notes_);
    out_.end_object();
  }

  void block(const Text& text) {
    open("text").member("text", text.text);
    std::size_t lost = 0;
    write_citations(out_, text.citations, lost);
    if (lost > 0) notes_.lost(citations_, "citations of another vendor");
    close();
  }

  void block(const Refusal& refusal) {
    open("text").member("text", refusal.text);
    close();
  }

  void block(const Reasoning& reasoning) {
    if (reasoning.text.empty() && !part_->seal && reply_.origin != self) return;  // there is nothing to show
    if (reasoning.redacted && part_->seal) {
      open("redacted_thinking").member("data", seal_data(*part_->seal, Belongs::itself));
    } else {
      open("thinking").member("thinking", reasoning.text);
      out_.member("signature", part_->seal ? seal_text(*part_->seal, self) : std::string());
    }
    close();
  }

  void block(const ToolCall& call) {
    bool wrapped = false;
    const std::string input = call_input(call, wrapped);
    if (wrapped) notes_.restated(pointer_, "arguments are an object here: wrapped as {\"input\": …}");
    const std::string id = call.id.empty() ? answer_tool_id("toolu_", question_.exchange_id, 0, calls_) : call.id;
    ++calls_;
    open("tool_use").member("id", id).member("name", call.name).member_raw("input", input);
    close();
  }

  void block(const Media&) {
    notes_.lost(pointer_, "anthropic answers in text only");
    open("text").member("text", "[an image or sound that this API cannot carry]");
    close();
  }

  void block(const ToolResult&) { notes_.lost(pointer_, "no part of an answer"); }
  void block(const ServerTool& tool) { whole(tool.origin, tool.raw); }
  void block(const Opaque& opaque) { whole(opaque.origin, opaque.raw); }

  void whole(DialectId origin, const RawJson& raw) {
    if (origin == self) {
      out_.raw(raw);
    } else {
      notes_.lost(pointer_, "a part of another vendor");
    }
  }

  json::Writer& out_;
  const Reply& reply_;
  const Question& question_;
  Notes& notes_;
  const Part* part_ = nullptr;
  Pointer pointer_, citations_;  // where the part and its citations stood
  std::size_t calls_ = 0;
};

// What stood beside the parts of the one choice that is written.
void note_choice(const Reply& reply, Notes& notes) {
  const Choice& choice = reply.choices.front();
  const Pointer pointer = pointer_to_choice(reply, 0);
  if (choice.logprobs) notes.lost(pointer_to_logprobs(reply, 0), "anthropic has no logprobs");
  note_extras(choice.extras, self, pointer, notes);
  note_extras(choice.message_extras, self, pointer_to_message(reply, 0), notes);
  if (!choice.stop.detail.empty()) notes.lost(pointer_to_stop_detail(reply, 0), "anthropic has no such detail");
  if (choice.stop.kind == StopKind::malformed_tool || choice.stop.kind == StopKind::error) {
    notes.restated(pointer, "anthropic has no word for this end");
  }
}

}  // namespace

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root || !root->is_object()) {
    return fail(Fault::upstream_broken, "The upstream's answer is not JSON.",
                root ? "the answer is no object" : root.error()->message);
  }
  const auto [error, type, content, id, model, usage] = root->pick("error", "type", "content", "id", "model", "usage");
  if (error || type.equals("error")) return fail(read_error_object(*root));
  if (!content.is_array()) {
    return fail(Fault::upstream_broken, "The upstream's answer is no message.", "no content in the answer");
  }
  Reply reply{.origin = self, .id = id.text(), .model = model.text()};
  Choice& choice = reply.choices.emplace_back(Choice{.stop = read_stop(*root)});
  bool plain_string = false;
  if (auto read = read_content(content, "content", choice.parts, plain_string); !read) {
    return fail(Fault::upstream_broken, "The upstream's answer holds a broken block.", read.error()->message);
  }
  reply.usage = read_usage(usage);
  if (const auto tier = usage["service_tier"].string()) reply.service_tier = read_tier(*tier);
  read_extras(*root,
              {"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage"},
              reply.extras);
  return reply;
}

std::string write_reply(const Reply& reply, const Question& question, Notes& notes) {
  std::string body;
  body.reserve(body_size(reply));
  json::Writer out(body);
  const Choice empty;
  const Choice& choice = reply.choices.empty() ? empty : reply.choices.front();
  out.begin_object();
  out.member("id", reply.id.empty() ? "msg_" + hash_text(question.exchange_id, 24) : reply.id);
  out.member("type", "message").member("role", "assistant");
  out.member("model", reply.model.empty() ? question.model : std::string_view(reply.model));
  out.key("content").begin_array();
  BlockWriting blocks(out, reply, question, notes);
  for (std::size_t i = 0; i < choice.parts.size(); ++i) blocks.write(choice.parts[i], i);
  out.end_array();
  write_stop(out, choice.stop,
             std::ranges::any_of(choice.parts, [](const Part& p) { return p.as<ToolCall>() != nullptr; }));
  out.key("usage");
  write_usage(out, reply.usage, reply.service_tier);
  write_extras(out, reply.extras, self, "", notes);
  out.end_object();
  for (std::size_t i = 0; i < reply.choices.size(); ++i) {
    if (i > 0) notes.lost(pointer_to_choice(reply, i), "anthropic gives one answer");
    if (i == 0 && reply.origin != self) note_choice(reply, notes);
  }
  return body;
}

}  // namespace sluice::anthropic
