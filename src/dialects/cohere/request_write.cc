// The canonical conversation as a Chat request: its settings. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "dialects/body_size.h"
#include "dialects/cohere/cohere.h"
#include "dialects/cohere/writing.h"
#include "dialects/effort.h"
#include "dialects/spare.h"

namespace sluice::cohere {
namespace {

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  Error error{.fault = Fault::unsupported};
  error.message = std::move(message);
  error.param = std::move(pointer);
  return fail(std::move(error));
}

// What would change its meaning if it were left out.
Result<void> refuse(const ChatRequest& request) {
  if (request.turns.empty()) {
    return unsupported(pointer_to(request, Field::system),
                       "This request holds no conversation: send its messages as text.");
  }
  if (request.sampling.n.value_or(1) > 1) {
    return unsupported(pointer_to(request, Field::n), "Cohere gives one answer at a time: leave n out or set it to 1.");
  }
  if (request.modalities && std::ranges::find(*request.modalities, "text") == request.modalities->end() &&
      std::ranges::find(*request.modalities, "TEXT") == request.modalities->end()) {
    return unsupported(pointer_to(request, Field::modalities), "Cohere answers in text only.");
  }
  return {};
}

// Models that cannot think refuse the setting; of names that nobody knows, it is believed that they can.
bool thinks(std::string_view model) {
  constexpr std::array never =
      std::to_array<std::string_view>({"command-r", "command-light", "command-nightly", "command-a-03",
                                       "command-a-vision", "command-a-translate", "c4ai-"});
  return model != "command" &&
         std::ranges::none_of(never, [&](std::string_view start) { return model.starts_with(start); });
}

// A number within its bounds; what lies outside is moved to the nearest.
void bounded(Writing& w, Field field, const json::Name& name, const std::optional<RawJson>& value, double least,
             double most, std::string_view nearest_least, std::string_view nearest_most) {
  if (!value) return;
  const double number = std::strtod(value->c_str(), nullptr);
  if (w.own() || (number >= least && number <= most)) {
    w.out.member_raw(name, *value);
    return;
  }
  w.restated(field, "outside of what cohere takes: the nearest is sent");
  w.out.member_raw(name, number < least ? nearest_least : nearest_most);
}

void write_sampling(Writing& w) {
  const Sampling& s = w.request.sampling;
  if (s.temperature) w.out.member_raw("temperature", *s.temperature);
  bounded(w, Field::top_p, "p", s.top_p, 0.01, 0.99, "0.01", "0.99");
  bounded(w, Field::top_k, "k", s.top_k, 0, 500, "0", "500");
  bounded(w, Field::presence_penalty, "presence_penalty", s.presence_penalty, 0, 1, "0", "1");
  bounded(w, Field::frequency_penalty, "frequency_penalty", s.frequency_penalty, 0, 1, "0", "1");
  if (s.seed) w.out.member_raw("seed", *s.seed);
  if (s.logprobs) w.out.member_bool("logprobs", *s.logprobs);
  if (s.min_p) w.lost(Field::min_p, "cohere has no min_p");
  if (s.logit_bias) w.lost(Field::logit_bias, "cohere has no logit bias");
  if (s.top_logprobs) w.lost(Field::top_logprobs, "cohere tells the probability of its own words only");
}

void write_stop(Writing& w) {
  constexpr std::size_t most = 5;
  const auto& stop = w.request.stop;
  if (stop.empty()) return;
  const std::size_t count = w.own() ? stop.size() : std::min(stop.size(), most);
  if (count < stop.size()) w.restated(Field::stop, "only five stop sequences are taken");
  w.out.key("stop_sequences").begin_array();
  for (std::size_t i = 0; i < count; ++i) w.out.string(stop[i]);
  w.out.end_array();
}

void write_thinking(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  const bool off = ask.mode == ReasoningMode::off || ask.effort == "none";
  const bool on = ask.mode != ReasoningMode::unset || !ask.effort.empty() || ask.budget;
  if (!w.own() && !ask.display.empty()) w.lost(Field::display, "cohere has no say in how thinking is shown");
  if (ask.extras.origin != self) note_extras(ask.extras, self, pointer_to(w.request, Field::reasoning), w.notes);
  if (!on) return;
  if (!w.own() && !thinks(w.to.model)) {
    if (!off) w.lost(ask.budget ? Field::budget : Field::effort, "this model does not think");
    return;
  }
  std::optional<std::int64_t> budget = ask.budget;
  if (!w.own() && !off && budget && *budget <= 0) budget.reset();  // "as you like"
  if (!w.own() && !off && !budget && !ask.effort.empty() && ask.effort != "max") {
    w.restated(Field::effort, "a word of effort became a budget of tokens");
    budget = budget_of_effort(ask.effort);
  }
  if (!w.own() && off) budget.reset();
  w.out.key("thinking").begin_object().member("type", off ? "disabled" : "enabled");
  if (budget) w.out.member("token_budget", *budget);
  if (ask.extras.origin == self) write_extras(w.out, ask.extras, self, "/thinking", w.notes);
  w.out.end_object();
}

std::string below_format(const Writing& w, std::string_view member) {
  std::string pointer = pointer_to(w.request, Field::format);
  if (w.request.origin == DialectId::openai_chat) pointer += "/json_schema";
  return pointer + '/' + std::string(member);
}

// True: the vendor takes it; else it is said as an instruction.
bool takes_format(Writing& w) {
  if (!w.request.format || w.own() || w.request.format->kind == FormatKind::text) return true;
  const bool documents = std::ranges::any_of(w.request.turns, [](const Turn& turn) {
    return std::ranges::any_of(turn.parts, [](const Part& part) {
      return part.as<Media>() != nullptr && part.as<Media>()->kind == MediaKind::document;
    });
  });
  if (w.request.tools.empty() && !documents) return true;
  w.restated(Field::format, "format_best_effort: beside tools and documents cohere takes no format");
  std::string hint = "Answer with one JSON object and no other text.";
  if (!w.request.format->schema.empty()) {
    hint = "Answer with one JSON value that matches this JSON Schema, and no other text: " + w.request.format->schema;
  }
  w.hints.push_back(std::move(hint));
  return false;
}

void write_format(Writing& w) {
  const OutputFormat& format = *w.request.format;
  w.out.key("response_format").begin_object();
  w.out.member("type", format.kind == FormatKind::text ? "text" : "json_object");
  if (!format.schema.empty()) w.out.member_raw("json_schema", format.schema);
  if (!w.own()) {
    if (!format.name.empty()) w.notes.lost(below_format(w, "name"), "cohere names no schema");
    if (!format.description.empty()) w.notes.lost(below_format(w, "description"), "cohere describes no schema");
    if (format.strict == false) w.notes.restated(below_format(w, "strict"), "cohere always enforces the schema");
  }
  write_extras(w.out, format.extras, self, pointer_to(w.request, Field::format), w.notes);
  w.out.end_object();
}

void lose_names(Writing& w) {
  const ChatRequest& r = w.request;
  if (r.cache_key) w.lost(Field::cache_key, "cohere has no cache key");
  if (r.cache_auto) w.lost(Field::cache_auto, "cohere has no cache marks");
  if (r.metadata) w.lost(Field::metadata, "cohere keeps no metadata");
  if (r.user) w.lost(Field::user, "cohere does not ask for the user");
  if (r.service_tier) w.lost(Field::service_tier, "cohere has no service tiers");
  if (r.verbosity) w.lost(Field::verbosity, "cohere has no verbosity");
  if (r.safety) w.lost(Field::safety, "cohere has no settings of that kind");
  if (r.modalities && r.modalities->size() > 1) w.lost(Field::modalities, "cohere answers in text only");
}

}  // namespace

Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  TRY_VOID(refuse(request));
  WireRequest wire;
  wire.body.reserve(body_size(request));
  json::Writer out(wire.body);
  Writing w{.request = request, .to = to, .notes = notes, .out = out};
  const bool format = takes_format(w);
  out.begin_object();
  if (!to.model.empty()) out.member("model", to.model);
  TRY_VOID(write_turns(w));
  write_documents(w);
  write_tools(w);
  write_thinking(w);
  if (request.max_output) out.member("max_tokens", *request.max_output);
  write_sampling(w);
  write_stop(w);
  if (format && request.format) write_format(w);
  lose_names(w);
  if (to.stream || request.stream_said) out.member_bool("stream", to.stream);
  write_extras(out, request.extras, self, "", notes);
  out.end_object();
  return wire;
}

}  // namespace sluice::cohere
