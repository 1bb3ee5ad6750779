// The model -> a whole answer for a client. SPDX-License-Identifier: MIT
#include "base/text.h"
#include "dialects/body_size.h"
#include "dialects/gemini/answer.h"
#include "dialects/gemini/candidate.h"
#include "dialects/gemini/codec.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

bool has(const Extras& extras, std::string_view key) {
  if (extras.origin != self) return false;
  for (const Extra& x : extras.members) {
    if (x.key == key) return true;
  }
  return false;
}

// A blocked prompt has no candidates; its stop holds the promptFeedback.
bool blocked(const Choice& choice) {
  return choice.stop.origin == self && choice.parts.empty() && choice.stop.detail.starts_with('{');
}

// What gemini's one word for an end leaves out.
void note_stop(const Reply& reply, std::size_t index, Notes& notes) {
  const Stop& stop = reply.choices[index].stop;
  if (reply.origin == self) return;
  if (!stop.sequence.empty()) {
    notes.lost(pointer_to_stop_sequence(reply, index), "gemini does not say which stop sequence was hit");
  }
  if (!stop.detail.empty()) notes.lost(pointer_to_stop_detail(reply, index), "gemini has no such detail");
}

void write_choice(json::Writer& w, const Reply& reply, std::size_t index, const Question& question, Notes& notes) {
  const Choice& choice = reply.choices[index];
  const Pointer at = pointer_to_choice(reply, index);
  const Pointer message_at = pointer_to_message(reply, index);
  w.begin_object();
  std::string parts;
  json::Writer list(parts);
  list.begin_array();
  std::vector<std::pair<std::size_t, const Text*>> cited;
  PartNames names{question.exchange_id, choice.index};
  bool malformed = false;
  std::size_t written = 0;
  for (std::size_t i = 0; i < choice.parts.size(); ++i) {
    const Part& part = choice.parts[i];
    const Pointer place = pointer_to_part(reply, index, i);
    if (const auto* text = part.as<Text>(); text != nullptr && !text->citations.empty() && reply.origin != self) {
      cited.emplace_back(written, text);
      notes.restated(pointer_to_citations(reply, index, i), "gemini cites by address and place");
    }
    if (part.extras.origin != self) note_extras(part.extras, self, place, notes);
    const auto* media = part.as<Media>();
    if (media != nullptr && reply.origin != self) notes.restated(place, "gemini has media as bytes and a type");
    if (part.seal && part.seal->dialect != self) notes.restated(place, "a foreign proof stands in an envelope");
    switch (write_part(list, part, names)) {
      case Written::yes: ++written; break;
      case Written::no: notes.lost(place, "gemini has no such part"); break;
      case Written::restated:
        ++written;
        notes.restated(place, "the nearest that gemini knows");
        break;
      case Written::malformed:
        malformed = true;
        notes.restated(place, "the arguments are no JSON object: MALFORMED_FUNCTION_CALL");
        break;
    }
  }
  list.end_array();
  if (written > 0 || !choice.message_extras.empty() || choice.parts.empty()) {
    w.key("content").begin_object();
    if (written > 0) w.member_raw("parts", parts);
    w.member("role", "model");
    write_extras(w, choice.message_extras, self, message_at, notes);
    w.end_object();
  }
  write_stop(w, choice.stop, malformed);
  note_stop(reply, index, notes);
  w.member("index", choice.index);
  if (choice.logprobs) {
    const bool own = choice.stop.origin == self;
    if (!own) notes.restated(pointer_to_logprobs(reply, index), "gemini tells a token and its probability");
    if (const std::string text = write_logprobs(*choice.logprobs, own); !text.empty())
      w.member_raw("logprobsResult", text);
  }
  if (!has(choice.extras, "groundingMetadata") && !has(choice.extras, "citationMetadata")) {
    if (const std::string text = write_grounding(cited); !text.empty()) w.member_raw("groundingMetadata", text);
  }
  write_extras(w, choice.extras, self, at, notes);
  w.end_object();
}

}  // namespace

std::string write_reply(const Reply& reply, const Question& question, Notes& notes) {
  std::string out;
  out.reserve(body_size(reply));
  json::Writer w(out);
  w.begin_object();
  const bool no_candidates = reply.choices.size() == 1 && blocked(reply.choices[0]);
  if (no_candidates) {
    w.member_raw("promptFeedback", reply.choices[0].stop.detail);
  } else {
    w.key("candidates").begin_array();
    for (std::size_t i = 0; i < reply.choices.size(); ++i) {
      write_choice(w, reply, i, question, notes);
    }
    w.end_array();
  }
  if (const std::string usage = write_usage(reply.usage, reply.service_tier.value_or("")); !usage.empty()) {
    w.member_raw("usageMetadata", usage);
  }
  if (!reply.model.empty() || reply.origin != self)
    w.member("modelVersion", reply.model.empty() ? question.model : reply.model);
  if (!reply.id.empty() || reply.origin != self)
    w.member("responseId", reply.id.empty() ? question.exchange_id : reply.id);
  if (reply.origin != self && reply.created) w.member("createTime", rfc3339(*reply.created * 1000));
  write_extras(w, reply.extras, self, "", notes);
  w.end_object();
  return out;
}

}  // namespace sluice::gemini
