// The canonical conversation as a request to a vendor of this dialect: settings. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "dialects/body_size.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"

namespace sluice::openai_chat {
namespace {

constexpr std::string_view not_taken = "this vendor does not take it";
constexpr std::string_view thinking_model = "a reasoning model does not take it";

// True when the setting may be written; else there is a Note.
bool takes(Writing& w, Field field) {
  if (w.vendor.refused.has(field)) {
    w.lost(field, not_taken);
    return false;
  }
  return true;
}

bool takes_sampling(Writing& w, Field field) {
  if (!takes(w, field)) return false;
  const std::string_view effort = w.request.reasoning.effort;
  const bool none = effort == "none" || w.request.reasoning.mode == ReasoningMode::off;
  const bool asked = !effort.empty() || w.request.reasoning.budget || w.request.reasoning.mode != ReasoningMode::unset;
  if (!w.rules.reasoning || (asked ? none && w.rules.sampling_at_none : w.rules.sampling)) return true;
  w.lost(field, thinking_model);
  return false;
}

void raw_setting(Writing& w, Field field, std::string_view name, const std::optional<RawJson>& value, bool sampling) {
  if (!value) return;
  if (sampling ? !takes_sampling(w, field) : !takes(w, field)) return;
  if (!sampling && w.rules.reasoning && field != Field::seed && field != Field::metadata) {
    w.lost(field, thinking_model);
    return;
  }
  w.out.member_raw(name, *value);
}

void write_sampling(Writing& w) {
  const Sampling& s = w.request.sampling;
  raw_setting(w, Field::temperature, "temperature", s.temperature, true);
  raw_setting(w, Field::top_p, "top_p", s.top_p, true);
  raw_setting(w, Field::top_k, "top_k", s.top_k, false);
  raw_setting(w, Field::min_p, "min_p", s.min_p, false);
  raw_setting(w, Field::presence_penalty, "presence_penalty", s.presence_penalty, false);
  raw_setting(w, Field::frequency_penalty, "frequency_penalty", s.frequency_penalty, false);
  raw_setting(w, Field::seed, w.vendor.name == "mistral" ? "random_seed" : "seed", s.seed, false);
  raw_setting(w, Field::logit_bias, "logit_bias", s.logit_bias, false);
  if (s.logprobs && takes_sampling(w, Field::logprobs)) w.out.member_bool("logprobs", *s.logprobs);
  if (s.top_logprobs && takes_sampling(w, Field::top_logprobs)) {
    if (!s.logprobs && !w.own()) w.out.member_bool("logprobs", true);
    w.out.member_raw("top_logprobs", *s.top_logprobs);
  }
  if (s.n && *s.n != 1 && w.rules.reasoning) {
    w.lost(Field::n, thinking_model);
  } else if (s.n && (*s.n == 1 ? !w.vendor.refused.has(Field::n) : takes(w, Field::n))) {
    w.out.member("n", *s.n);
  }
}

void write_max_output(Writing& w) {
  if (!w.request.max_output) return;
  std::string_view field = w.vendor.max_field;
  // Old models and look-alikes know the name that the client used; a reasoning model knows only one.
  if (w.own() && !w.rules.reasoning && w.vendor.any_extra) field = w.request.max_output_field;
  if (w.own() && w.vendor.name == "openai" && !w.rules.reasoning) field = w.request.max_output_field;
  if (field.empty()) field = w.vendor.max_field;
  w.out.member(field, *w.request.max_output);
}

void write_stop(Writing& w) {
  const auto& stop = w.request.stop;
  if (stop.empty() || !takes(w, Field::stop)) return;
  if (!w.rules.stop) return w.lost(Field::stop, thinking_model);
  if (w.request.stop_is_string && stop.size() == 1) {
    w.out.member("stop", stop.front());
    return;
  }
  constexpr std::size_t most = 4;
  const bool four = !w.vendor.any_extra || w.vendor.name == "deepseek";
  if (four && stop.size() > most) w.restated(Field::stop, "only four stop sequences are taken");
  w.out.key("stop").begin_array();
  for (std::size_t i = 0; i < stop.size() && (!four || i < most); ++i) w.out.string(stop[i]);
  w.out.end_array();
}

void write_format(Writing& w) {
  if (!w.request.format) return;
  const OutputFormat& format = *w.request.format;
  const bool schema = format.kind == FormatKind::json_schema;
  if (schema && !w.vendor.json_schema) {
    w.restated(Field::format, "this vendor takes no schema: plain JSON is asked for");
  }
  const bool flat = !remembered(format.extras, self, "flat").empty();
  w.out.key("response_format").begin_object();
  if (!schema || !w.vendor.json_schema || flat) {
    w.out.member("type", format.kind == FormatKind::text ? "text" : "json_object");
    if (flat) w.out.member_raw("schema", format.schema);
  } else {
    w.out.member("type", "json_schema").key("json_schema").begin_object();
    if (format.name.empty() && !w.own()) {
      w.notes.added(pointer_to(w.request, Field::format), "a schema must have a name");
    }
    if (!format.name.empty() || !w.own()) w.out.member("name", format.name.empty() ? "response" : format.name);
    if (!format.description.empty()) w.out.member("description", format.description);
    if (!format.schema.empty()) w.out.member_raw("schema", format.schema);
    if (format.strict) w.out.member_bool("strict", *format.strict);
    write_inner_extras(w.out, format.extras, self, "json_schema");
    w.out.end_object();
  }
  write_extras(w.out, format.extras, self, pointer_to(w.request, Field::format), w.notes);
  w.out.end_object();
}

void write_stream(Writing& w) {
  if (w.to.stream || w.request.stream_said) w.out.member_bool("stream", w.to.stream);
  const bool more = has_inner_extras(w.request.extras, self, "stream_options");
  if (!w.to.stream || !w.vendor.stream_options) return;
  w.out.key("stream_options").begin_object();
  w.out.member_bool("include_usage", true);  // always asked, so that tokens can be counted
  if (more) write_inner_extras(w.out, w.request.extras, self, "stream_options");
  w.out.end_object();
}

std::string_view tier(std::string_view said, DialectId origin) {
  if (origin == DialectId::anthropic && said == "standard_only") return "default";
  if (origin == DialectId::gemini && said == "standard") return "default";
  return said;
}

void write_names(Writing& w) {
  const ChatRequest& r = w.request;
  if (r.cache_key && takes(w, Field::cache_key)) w.out.member("prompt_cache_key", *r.cache_key);
  if (r.cache_auto && takes(w, Field::cache_auto)) {
    w.out.key("cache_control").begin_object().member("type", "ephemeral");
    if (!r.cache_auto->ttl.empty()) w.out.member("ttl", r.cache_auto->ttl);
    w.out.end_object();
  }
  if (r.metadata && takes(w, Field::metadata)) w.out.member_raw("metadata", *r.metadata);
  if (r.user && takes(w, Field::user)) {
    const bool openai = w.vendor.name == "openai" || w.vendor.name == "azure";
    w.out.member(w.own() && !r.user_field.empty() ? r.user_field : openai ? "safety_identifier" : "user", *r.user);
  }
  if (r.service_tier && takes(w, Field::service_tier)) {
    w.out.member("service_tier", std::string(tier(*r.service_tier, r.origin)));
  }
  if (r.verbosity && takes(w, Field::verbosity)) w.out.member("verbosity", *r.verbosity);
  if (r.modalities) {
    const bool only_text = r.modalities->size() == 1 && lower(r.modalities->front()) == "text";
    if ((!only_text || w.own()) && takes(w, Field::modalities)) {
      w.out.key("modalities").begin_array();
      for (const std::string& word : *r.modalities) w.out.string(lower(word));
      w.out.end_array();
    }
  }
  if (r.safety) w.lost(Field::safety, "openai_chat has no safety settings");
}

// Members that nobody here knows: a vendor with a list gets what is on it.
void write_rest(Writing& w) {
  if (w.vendor.any_extra || !w.own()) return write_extras(w.out, w.request.extras, self, "", w.notes);
  for (const Extra& extra : w.request.extras.members) {
    if (extra.key.find('\x1f') != std::string::npos) continue;
    if (std::ranges::find(w.vendor.known_extras, extra.key) != w.vendor.known_extras.end()) {
      w.out.member_raw(extra.key, extra.raw);
    } else if (extra.raw != "null") {
      w.notes.lost('/' + json::pointer_token(extra.key), not_taken);
    }
  }
}

}  // namespace

void write_cache_mark(Writing& w, const std::optional<CacheMark>& mark, const Pointer& pointer) {
  if (!mark) return;
  const bool breakpoint = !remembered(mark->extras, self, "breakpoint").empty();
  const bool openai = w.vendor.name == "openai";
  if (!(openai ? breakpoint : w.vendor.cache_control)) {
    w.notes.lost(pointer_to_mark(w.request, pointer), "this vendor has no cache marks");
    return;
  }
  w.out.key(breakpoint ? "prompt_cache_breakpoint" : "cache_control").begin_object();
  breakpoint ? w.out.member("mode", "explicit") : w.out.member("type", "ephemeral");
  if (!mark->ttl.empty()) w.out.member("ttl", mark->ttl);
  write_extras(w.out, mark->extras, self, pointer + "/cache_control", w.notes);
  w.out.end_object();
}

Result<std::string> write_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  std::string text;
  text.reserve(body_size(request));
  json::Writer out(text);
  Writing w{.request = request, .to = to, .vendor = vendor(to.provider), .notes = notes, .out = out};
  if (w.vendor.name == "openai" || w.vendor.name == "azure") w.rules = model_rules(to.model);
  if (request.turns.empty()) {
    return fail(Error{.fault = Fault::unsupported,
                      .message = "This request holds no conversation, and what its own vendor keeps cannot be sent to "
                                 "another. Send the messages themselves.",
                      .param = "messages"});
  }
  out.begin_object();
  if (!to.model.empty()) out.member("model", to.model);
  write_turns(w);
  write_tools(w);
  TRY_VOID(write_reasoning(w));
  write_max_output(w);
  write_sampling(w);
  write_stop(w);
  write_format(w);
  write_names(w);
  write_stream(w);
  write_rest(w);
  out.end_object();
  return text;
}

}  // namespace sluice::openai_chat
