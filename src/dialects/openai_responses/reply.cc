// A whole answer, read and written. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "dialects/body_size.h"
#include "dialects/openai_responses/head.h"
#include "dialects/openai_responses/items.h"
#include "dialects/openai_responses/ladder.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/openai_responses/stop.h"
#include "dialects/openai_responses/usage.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

using json::Value;

std::unexpected<Failure> broken(std::string detail) {
  return fail(Fault::upstream_broken, "The upstream's answer could not be read.", detail);
}

// What an answer of another dialect holds and this one cannot say.
void note_part(const Reply& reply, std::size_t choice, std::size_t index, Notes& notes) {
  const Part& part = reply.choices[choice].parts[index];
  const Pointer at = pointer_to_part(reply, choice, index);
  if (part.as<ServerTool>() || part.as<ToolResult>()) notes.lost(at, "a tool that another vendor ran");
  if (part.as<Opaque>()) notes.lost(at, "a part that only its own dialect knows");
  if (const auto* media = part.as<Media>();
      media != nullptr && (media->kind != MediaKind::image || media->form != MediaForm::base64)) {
    notes.lost(at, "openai_responses answers with text and inline images only");
  }
  if (const auto* text = part.as<Text>(); text != nullptr && !text->citations.empty()) {
    notes.lost(pointer_to_citations(reply, choice, index), "openai_responses cites the address only");
  }
  note_extras(part.extras, self, at, notes);
}

void note_choice(const Reply& reply, std::size_t index, Notes& notes) {
  const Choice& choice = reply.choices[index];
  if (index > 0) return notes.lost(pointer_to_choice(reply, index), "openai_responses gives one answer");
  for (std::size_t i = 0; i < choice.parts.size(); ++i) note_part(reply, index, i, notes);
  if (choice.logprobs && logprob_elements(*choice.logprobs).empty()) {
    notes.lost(pointer_to_logprobs(reply, index), "its form is another");
  }
  if (!choice.stop.sequence.empty()) {
    notes.lost(pointer_to_stop_sequence(reply, index), "openai_responses does not say which stop sequence was hit");
  }
  if (!choice.stop.detail.empty()) {
    notes.lost(pointer_to_stop_detail(reply, index), "openai_responses has no details of a stop");
  }
  if (choice.stop.kind == StopKind::malformed_tool || choice.stop.kind == StopKind::error) {
    notes.restated(pointer_to_choice(reply, index), "openai_responses has no word for this end");
  }
  note_extras(choice.extras, self, pointer_to_choice(reply, index), notes);
  note_extras(choice.message_extras, self, pointer_to_message(reply, index), notes);
}

}  // namespace

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root || !root->is_object()) return broken(root ? "an answer that is no object" : root.error()->message);
  Reply reply;
  const Members said = read_head(*root, reply);
  if (said.error.is_object() || said.status.equals("failed") || (said.error.is_string() && !said.output.is_array())) {
    return fail(read_error(0, *root));
  }
  if (!said.output.is_array()) return broken("an answer without output");
  reply.service_tier = said.tier.string();
  Choice& choice = reply.choices.emplace_back();
  Holds holds;
  std::size_t place = 0;
  for (const Value item : said.output.elements()) {
    const std::size_t first = choice.parts.size();
    read_item(item, place++, Side::answered, choice.parts);
    holds.calls |= waits_for_client(item);
    for (std::size_t i = first; i < choice.parts.size(); ++i) {
      holds.refusal |= choice.parts[i].as<Refusal>() != nullptr;
    }
    if (kind_of_item(item) != ItemKind::message) continue;
    for (const Value content : item["content"].elements()) {
      const auto tokens = read_logprobs(content["logprobs"]);
      if (tokens) choice.logprobs = choice.logprobs ? *choice.logprobs + '\n' + *tokens : *tokens;
    }
  }
  hand_out_seals(choice.parts, 0);
  choice.stop = read_stop(said.status, said.detail, holds);
  if (said.usage.is_object()) reply.usage = read_usage(said.usage);
  return reply;
}

std::string write_reply(const Reply& reply, const Question& question, Notes& notes) {
  Head head(question);
  head.begin(reply);
  Ladder ladder(question.exchange_id);
  ladder.origin(reply.origin);
  Emitter nobody;
  const Choice none;
  const Choice& choice = reply.choices.empty() ? none : reply.choices.front();
  std::optional<RawJson> logprobs = choice.logprobs;
  for (const Part& part : choice.parts) feed(ladder, part, logprobs, nobody);
  Holds holds = ladder.holds();
  const Ending ending = write_stop(choice.stop, holds);
  ladder.finish(ending.status, nobody);
  std::string text;
  text.reserve(body_size(reply) + ladder.items().size());
  json::Writer out(text);
  head.write(out, {.status = ending.status, .detail = ending.detail, .items = ladder.items(), .usage = &reply.usage});
  if (reply.origin != self) {
    for (std::size_t i = 0; i < reply.choices.size(); ++i) note_choice(reply, i, notes);
    note_extras(reply.extras, self, "", notes);
  }
  return text;
}

}  // namespace sluice::openai_responses
