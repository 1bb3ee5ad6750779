// A whole answer -> the model. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "dialects/gemini/answer.h"
#include "dialects/gemini/codec.h"
#include "dialects/gemini/names.h"
#include "dialects/gemini/parts.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

std::unexpected<Failure> broken(std::string detail) {
  return fail(Fault::upstream_broken, "The upstream's answer is no Gemini answer.", std::move(detail));
}

// Citations go to the texts that they are of; the metadata itself stays among the extras.
void cite(json::Value grounding, json::Value recitation, Choice& choice) {
  std::vector<Passage> passages;
  std::vector<Text*> texts;
  for (std::size_t i = 0; i < choice.parts.size(); ++i) {
    if (auto* text = choice.parts[i].as<Text>()) {
      passages.push_back({text->text, i});
      texts.push_back(text);
    }
  }
  for (Found& found : read_citations(grounding, recitation, passages)) {
    texts[found.passage]->citations.push_back(std::move(found.citation));
  }
}

Result<Choice> read_candidate(json::Value candidate, std::int64_t position) {
  if (!candidate.is_object()) return broken("a candidate that is no object");
  Choice choice{.index = position};
  choice.stop.origin = self;
  json::Value grounding, recitation;
  for (const auto [key, value] : candidate.members()) {
    if (value.is_null()) continue;
    if (key == "content" && value.is_object()) {
      for (const auto [inner, member] : value.members()) {
        if (member.is_null() || inner == "role") continue;
        if (inner != "parts") {
          choice.message_extras.add(self, inner, member.raw());
        } else if (!read_parts(member, choice.parts)) {
          return broken("a part that is no object");
        }
      }
    } else if (is_name(key, "finishReason")) {
      choice.stop.raw = read_finish_reason(value);
    } else if (is_name(key, "finishMessage") && value.is_string()) {
      choice.stop.detail = std::string(value.raw());
    } else if (key == "index" && value.integer()) {
      choice.index = *value.integer();
    } else if (is_name(key, "logprobsResult")) {
      choice.logprobs = read_logprobs(value);
    } else {
      if (is_name(key, "groundingMetadata")) grounding = value;
      if (is_name(key, "citationMetadata")) recitation = value;
      choice.extras.add(self, to_camel(key), value.raw());
    }
  }
  const bool calls = std::ranges::any_of(choice.parts, [](const Part& p) { return p.as<ToolCall>() != nullptr; });
  choice.stop.kind = stop_kind(choice.stop.raw, calls);
  if (grounding || recitation) cite(grounding, recitation, choice);
  return choice;
}

}  // namespace

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  const auto parsed = doc.parse(body);
  if (!parsed) return broken(parsed.error()->message);
  const json::Value root = parsed->is_array() && parsed->size() == 1 ? parsed->at(0) : *parsed;
  if (!root.is_object()) return broken("the body is no object");
  if (const json::Value error = root["error"]; error.is_object()) return fail(read_error_object(error, 0));
  Reply reply{.origin = self};
  json::Value feedback;
  for (const auto [key, value] : root.members()) {
    if (value.is_null()) continue;
    if (key == "candidates" && value.is_array()) {
      std::int64_t position = 0;
      for (const json::Value candidate : value.elements()) {
        TRY(Choice choice, read_candidate(candidate, position++));
        reply.choices.push_back(std::move(choice));
      }
    } else if (is_name(key, "usageMetadata") && value.is_object()) {
      reply.usage = read_usage(value, true);
      if (const json::Value tier = field(value, "serviceTier"); tier.is_string())
        reply.service_tier = lower(tier.text());
    } else if (is_name(key, "responseId")) {
      reply.id = value.text();
    } else if (is_name(key, "modelVersion")) {
      reply.model = value.text();
    } else if (is_name(key, "promptFeedback")) {
      feedback = value;
    } else {
      if (is_name(key, "createTime")) reply.created = read_time(value.text());
      reply.extras.add(self, to_camel(key), value.raw());
    }
  }
  if (reply.choices.empty() && field(feedback, "blockReason")) {
    reply.choices.push_back({.stop = blocked_stop(feedback)});
  } else if (feedback) {
    reply.extras.add(self, "promptFeedback", feedback.raw());
  }
  if (reply.choices.empty()) return broken("an answer without candidates");
  return reply;
}

}  // namespace sluice::gemini
