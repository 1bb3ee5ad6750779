// The canonical conversation as a request of this dialect: settings. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "base/text.h"
#include "dialects/body_size.h"
#include "dialects/effort.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/openai_responses/writing.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

constexpr std::int64_t least_output = 16;
constexpr std::string_view thinking_model = "a reasoning model does not take it";

// Of chat's members those that mean the same here.
constexpr std::array shared_with_chat =
    std::to_array<std::string_view>({"store", "moderation", "prompt_cache_options", "prompt_cache_retention"});

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  return fail(Error{.fault = Fault::unsupported, .message = std::move(message), .param = std::move(pointer)});
}

// What would change its meaning if it were left out.
Result<void> refuse(const Writing& w) {
  const ChatRequest& r = w.request;
  if (!w.own() && r.turns.empty()) {
    return unsupported(pointer_to(r, Field::system), "This request holds no conversation: send its messages as text.");
  }
  if (r.sampling.n.value_or(1) > 1) {
    return unsupported(pointer_to(r, Field::n),
                       "The Responses API gives one answer at a time: leave n out or set it to 1.");
  }
  if (r.modalities && std::ranges::none_of(*r.modalities, [](const std::string& m) { return lower(m) == "text"; })) {
    return unsupported(pointer_to(r, Field::modalities), "The Responses API answers in text.");
  }
  return {};
}

bool takes_sampling(const Writing& w) {
  if (w.own() || !w.rules.reasoning) return true;
  const std::string_view effort = w.request.reasoning.effort;
  const bool none = effort == "none" || w.request.reasoning.mode == ReasoningMode::off;
  const bool asked = !effort.empty() || w.request.reasoning.budget || w.request.reasoning.mode != ReasoningMode::unset;
  return asked ? none && w.rules.sampling_at_none : w.rules.sampling;
}

void write_sampling(Writing& w) {
  const Sampling& s = w.request.sampling;
  const bool takes = takes_sampling(w);
  const auto number = [&](Field field, std::string_view name, const std::optional<RawJson>& value) {
    if (!value) return;
    if (!takes) return w.lost(field, thinking_model);
    w.out.member_raw(name, *value);
  };
  number(Field::temperature, "temperature", s.temperature);
  number(Field::top_p, "top_p", s.top_p);
  number(Field::top_logprobs, "top_logprobs", s.top_logprobs);
  const auto none = [&](Field field, bool said) {
    if (said) w.lost(field, "openai_responses does not have it");
  };
  none(Field::top_k, s.top_k.has_value());
  none(Field::min_p, s.min_p.has_value());
  none(Field::presence_penalty, s.presence_penalty.has_value());
  none(Field::frequency_penalty, s.frequency_penalty.has_value());
  none(Field::seed, s.seed.has_value());
  none(Field::logit_bias, s.logit_bias.has_value());
  none(Field::stop, !w.request.stop.empty());
  none(Field::safety, w.request.safety.has_value());
  none(Field::cache_auto, w.request.cache_auto.has_value());
  none(Field::modalities, w.request.modalities && w.request.modalities->size() > 1);
}

void write_max_output(Writing& w) {
  if (!w.request.max_output) return;
  std::int64_t most = *w.request.max_output;
  if (!w.own() && w.vendor() && most < least_output) {
    w.restated(Field::max_output, "less than 16 tokens are refused");
    most = least_output;
  }
  w.out.member("max_output_tokens", most);
}

// The effort in one word, from whatever was asked; empty: nothing was.
std::string_view effort_word(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  std::string_view word = ask.effort;
  if (word.empty() && ask.mode == ReasoningMode::off) word = "none";
  if (word.empty() && ask.budget) {
    w.restated(Field::budget, "a budget of tokens became a word of effort");
    word = effort_of_budget(*ask.budget);
  }
  if (word.empty() || w.own() || !w.vendor()) return word;
  if (!w.rules.reasoning) {
    w.lost(ask.budget && ask.effort.empty() ? Field::budget : Field::effort, "this model does not reason");
    return {};
  }
  const std::string_view nearest = openai_chat::nearest_effort(w.rules, word);
  if (nearest != word) w.restated(Field::effort, "the model does not know this effort: the nearest is asked for");
  return nearest;
}

// What is to be seen of the reasoning; empty: nothing is said.
std::string_view summary_word(Writing& w, std::string_view effort) {
  const ReasoningAsk& ask = w.request.reasoning;
  if (w.own()) return ask.display;
  if (ask.display == "omitted") return {};
  const bool shown = !ask.display.empty() ||
                     // Claude shows its thinking unless told otherwise.
                     (w.request.origin == DialectId::anthropic &&
                      (ask.mode == ReasoningMode::on || ask.mode == ReasoningMode::automatic));
  if (!shown || effort == "none") return {};
  if (w.vendor() && !w.rules.reasoning) {
    if (!ask.display.empty()) w.lost(Field::display, "this model does not reason");
    return {};
  }
  return ask.display == "concise" || ask.display == "detailed" ? std::string_view(ask.display) : "auto";
}

void write_reasoning(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  const std::string_view effort = effort_word(w);
  const std::string_view summary = summary_word(w, effort);
  const bool more = w.own() && !ask.extras.empty();
  if (!w.own()) note_extras(ask.extras, self, pointer_to(w.request, Field::reasoning), w.notes);
  if (effort.empty() && summary.empty() && !more) return;
  w.out.key("reasoning").begin_object();
  if (!effort.empty()) w.out.member("effort", effort);
  if (!summary.empty()) w.out.member("summary", summary);
  write_extras(w.out, ask.extras, self, "/reasoning", w.notes);
  w.out.end_object();
}

void write_format(Writing& w, const OutputFormat& format) {
  w.out.key("format").begin_object();
  switch (format.kind) {
    case FormatKind::text: w.out.member("type", "text"); break;
    case FormatKind::json_object: w.out.member("type", "json_object"); break;
    case FormatKind::json_schema:
      w.out.member("type", "json_schema");
      if (format.name.empty() && !w.own()) {
        w.notes.added(pointer_to(w.request, Field::format), "a schema must have a name");
      }
      if (!format.name.empty() || !w.own()) w.out.member("name", format.name.empty() ? "response" : format.name);
      if (!format.description.empty()) w.out.member("description", format.description);
      if (!format.schema.empty()) w.out.member_raw("schema", format.schema);
      if (format.strict) {
        w.out.member_bool("strict", *format.strict);
      } else if (!w.own()) {
        w.out.member_bool("strict", false);  // here silence would mean true
      }
      break;
  }
  if (w.request.origin == DialectId::openai_chat) {
    note_extras(format.extras, self, pointer_to(w.request, Field::format), w.notes);
  } else {
    write_extras(w.out, format.extras, self, pointer_to(w.request, Field::format), w.notes);
  }
  w.out.end_object();
}

void write_text(Writing& w) {
  const ChatRequest& r = w.request;
  if (!r.format && !r.verbosity && !has_inner_extras(r.extras, self, "text")) return;
  w.out.key("text").begin_object();
  if (r.format) write_format(w, *r.format);
  if (r.verbosity) w.out.member("verbosity", *r.verbosity);
  write_inner_extras(w.out, r.extras, self, "text");
  w.out.end_object();
}

std::string_view tier(std::string_view said, DialectId origin) {
  if (origin == DialectId::anthropic && said == "standard_only") return "default";
  if (origin == DialectId::gemini && said == "standard") return "default";
  return said;
}

void write_names(Writing& w) {
  const ChatRequest& r = w.request;
  if (r.cache_key) w.out.member("prompt_cache_key", *r.cache_key);
  if (r.metadata) w.out.member_raw("metadata", *r.metadata);
  if (r.user) {
    w.out.member(w.own() && !r.user_field.empty() ? std::string_view(r.user_field)
                 : w.vendor()                     ? std::string_view("safety_identifier")
                                                  : std::string_view("user"),
                 *r.user);
  }
  if (r.service_tier) w.out.member("service_tier", tier(*r.service_tier, r.origin));
}

// Whoever comes from another API sends its conversation anew each time: nothing is kept for it, and the proofs of
// reasoning come with the answer.
void write_state(Writing& w) {
  const ChatRequest& r = w.request;
  if (w.own()) {
    for (const std::string_view key : {"store", "background", "truncation", "stream_options", "include"}) {
      if (key == "stream_options" && w.request.stream && !w.to.stream) continue;
      if (const std::string_view raw = remembered(r.extras, self, key); !raw.empty()) w.out.member_raw(key, raw);
    }
    return;
  }
  const bool store_said = r.origin == DialectId::openai_chat &&
                          std::ranges::find(r.extras.members, "store", &Extra::key) != r.extras.members.end();
  if (!store_said) w.out.member_bool("store", false);
  const bool logprobs = r.sampling.logprobs.value_or(false) || r.sampling.top_logprobs;
  if (logprobs && !takes_sampling(w)) w.lost(Field::logprobs, thinking_model);
  const bool said = logprobs && takes_sampling(w);
  if (said) w.restated(Field::logprobs, "asked for by a word in the list of inclusions");
  if (!w.rules.reasoning && !said) return;
  w.out.key("include").begin_array();
  if (w.rules.reasoning) w.out.string("reasoning.encrypted_content");
  if (said) w.out.string("message.output_text.logprobs");
  w.out.end_array();
}

void write_rest(Writing& w) {
  if (w.request.origin != DialectId::openai_chat) return write_extras(w.out, w.request.extras, self, "", w.notes);
  Extras rest;
  for (const Extra& extra : w.request.extras.members) {
    if (extra.key == web_search_options) continue;  // became a tool
    if (std::ranges::find(shared_with_chat, extra.key) != shared_with_chat.end()) {
      w.out.member_raw(extra.key, extra.raw);
    } else {
      rest.add(w.request.extras.origin, extra.key, extra.raw);
    }
  }
  note_extras(rest, self, "", w.notes);
}

// What a count looks at as well.
Result<void> write_question(Writing& w) {
  TRY_VOID(write_input(w));
  write_tools(w);
  write_reasoning(w);
  write_text(w);
  return {};
}

}  // namespace

Result<std::string> write_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  std::string text;
  text.reserve(body_size(request));
  json::Writer out(text);
  Writing w{.request = request, .to = to, .notes = notes, .out = out, .rules = openai_chat::model_rules(to.model)};
  TRY_VOID(refuse(w));
  out.begin_object();
  if (!to.model.empty()) out.member("model", to.model);
  TRY_VOID(write_question(w));
  write_max_output(w);
  write_sampling(w);
  write_names(w);
  if (to.stream || request.stream_said) out.member_bool("stream", to.stream);
  write_state(w);
  write_rest(w);
  out.end_object();
  return text;
}

Result<std::string> write_count_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  std::string text;
  text.reserve(body_size(request));
  json::Writer out(text);
  Writing w{.request = request, .to = to, .notes = notes, .out = out, .rules = openai_chat::model_rules(to.model)};
  out.begin_object();
  if (!to.model.empty()) out.member("model", to.model);
  TRY_VOID(write_question(w));
  write_extras(out, request.extras, self, "", notes);
  out.end_object();
  return text;
}

}  // namespace sluice::openai_responses
