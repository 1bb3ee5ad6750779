// The canonical conversation as a Converse request: its settings. SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "dialects/anthropic/schema.h"
#include "dialects/bedrock_converse/bedrock_converse.h"
#include "dialects/bedrock_converse/fields.h"
#include "dialects/bedrock_converse/writing.h"
#include "dialects/body_size.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"

namespace sluice::bedrock_converse {
namespace {

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  Error error{.fault = Fault::unsupported};
  error.message = std::move(message);
  error.param = std::move(pointer);
  return fail(std::move(error));
}

// What would change its meaning if it were left out.
Result<void> refuse(const ChatRequest& request) {
  if (request.sampling.n.value_or(1) > 1) {
    return unsupported(pointer_to(request, Field::n),
                       "Bedrock gives one answer at a time: leave n out or set it to 1.");
  }
  if (request.modalities && std::ranges::find(*request.modalities, "text") == request.modalities->end() &&
      std::ranges::find(*request.modalities, "TEXT") == request.modalities->end()) {
    return unsupported(pointer_to(request, Field::modalities), "Bedrock's Converse answers in text only.");
  }
  return {};
}

double value_of(const RawJson& number) {
  return std::strtod(number.c_str(), nullptr);
}

class Settings {
 public:
  Settings(Writing& w, const Thinking& thinking) : w_(w), thinking_(thinking), said_(w.request.sampling) {}

  void write_inference(std::optional<std::int64_t> max_tokens) {
    temperature();
    top_p();
    // A model that thinks as much as it can sets its own bounds.
    const bool unbounded = thinking_.form == ThinkingForm::nova && thinking_.effort == "high" && !w_.own;
    if (unbounded) {
      drop(temperature_, Field::temperature, "this model takes none while it thinks hard");
      drop(top_p_, Field::top_p, "this model takes none while it thinks hard");
      if (std::exchange(max_tokens, std::nullopt)) {
        w_.lost(Field::max_output, "this model takes none while it thinks hard");
      }
    }
    const std::vector<std::string_view> stops = stop_sequences();
    const bool more = has_inner_extras(w_.request.extras, self, "inferenceConfig");
    if (!max_tokens && temperature_.empty() && top_p_.empty() && stops.empty() && !more) return;
    w_.out.key("inferenceConfig").begin_object();
    if (max_tokens) w_.out.member("maxTokens", *max_tokens);
    if (!temperature_.empty()) w_.out.member_raw("temperature", temperature_);
    if (!top_p_.empty()) w_.out.member_raw("topP", top_p_);
    if (!stops.empty()) {
      w_.out.key("stopSequences").begin_array();
      for (const std::string_view stop : stops) w_.out.string(stop);
      w_.out.end_array();
    }
    write_inner_extras(w_.out, w_.request.extras, self, "inferenceConfig");
    w_.out.end_object();
  }

  void note_unsayable() const {
    lose(said_.min_p.has_value(), Field::min_p, "bedrock has no min_p");
    lose(said_.presence_penalty.has_value(), Field::presence_penalty, "bedrock has no penalties");
    lose(said_.frequency_penalty.has_value(), Field::frequency_penalty, "bedrock has no penalties");
    lose(said_.seed.has_value(), Field::seed, "bedrock has no seed");
    lose(said_.logit_bias.has_value(), Field::logit_bias, "bedrock has no logit bias");
    lose(said_.logprobs.has_value(), Field::logprobs, "bedrock gives no logprobs");
    lose(said_.top_logprobs.has_value(), Field::top_logprobs, "bedrock gives no logprobs");
    const ChatRequest& request = w_.request;
    lose(request.cache_key.has_value(), Field::cache_key, "bedrock has no cache key");
    lose(request.cache_auto.has_value(), Field::cache_auto, "bedrock caches up to marked places only");
    lose(request.verbosity.has_value(), Field::verbosity, "bedrock has no verbosity");
    lose(request.safety.has_value(), Field::safety, "bedrock has no safety settings");
    lose(request.modalities && request.modalities->size() > 1, Field::modalities, "bedrock answers in text only");
  }

 private:
  void lose(bool said, Field field, std::string_view reason) const {
    if (said) w_.lost(field, reason);
  }
  void drop(std::string& value, Field field, std::string_view reason) const {
    if (!std::exchange(value, {}).empty()) w_.lost(field, reason);
  }

  void temperature() {
    if (!said_.temperature) return;
    temperature_ = *said_.temperature;
    if (w_.own) return;
    const double value = value_of(temperature_);
    const anthropic::ModelRules& claude = w_.rules.claude_rules;
    if (w_.rules.claude && !claude.sampling) {
      drop(temperature_, Field::temperature, "this model takes no sampling parameters");
    } else if (w_.rules.claude && thinking_.on() && value != 1) {
      drop(temperature_, Field::temperature, "a thinking model takes no other value");
    } else if (value > 1) {
      w_.restated(Field::temperature, "bedrock's temperature ends at 1");
      temperature_ = "1";
    }
  }

  void top_p() {
    if (!said_.top_p) return;
    top_p_ = *said_.top_p;
    if (w_.own || !w_.rules.claude) return;
    const anthropic::ModelRules& claude = w_.rules.claude_rules;
    if (!claude.sampling) {
      drop(top_p_, Field::top_p, "this model takes no sampling parameters");
    } else if (thinking_.on() && value_of(top_p_) < 0.95) {
      drop(top_p_, Field::top_p, "a thinking model takes no other value");
    } else if (claude.one_of_temperature_top_p && said_.temperature) {
      drop(top_p_, Field::top_p, "this model takes temperature or top_p, not both");
    }
  }

  std::vector<std::string_view> stop_sequences() const {
    std::vector<std::string_view> out;
    for (const std::string& stop : w_.request.stop) {
      if (w_.own || stop.find_first_not_of(" \t\r\n") != std::string::npos) {
        out.emplace_back(stop);
      } else {
        w_.lost(Field::stop, "a stop sequence of white space is refused");
      }
    }
    return out;
  }

  Writing& w_;
  const Thinking& thinking_;
  const Sampling& said_;
  std::string temperature_, top_p_;
};

// The schema that the vendor shall enforce; empty, with a hint instead, where it cannot.
RawJson plan_format(Writing& w) {
  if (!w.request.format || w.request.format->kind == FormatKind::text) return {};
  const OutputFormat& format = *w.request.format;
  if (format.kind == FormatKind::json_object) {
    w.restated(Field::format, "said as an instruction: bedrock has no JSON mode without a schema");
    w.hints.emplace_back("Answer with one JSON object and no other text.");
    return {};
  }
  if (w.own) return format.schema;
  RawJson schema = w.rules.structured ? format.schema : RawJson();
  if (w.rules.claude && !schema.empty()) {
    schema = anthropic::strict_schema(format.schema, pointer_to_format_schema(w.request), w.notes).value_or("");
  }
  if (schema.empty()) {
    w.restated(Field::format, "format_best_effort: said as an instruction, nobody enforces it");
    w.hints.push_back("Answer with one JSON value that matches this JSON Schema, and no other text: " + format.schema);
  } else if (format.strict) {
    w.notes.restated(pointer_below_format(w.request, "strict"), "bedrock always enforces the schema");
  }
  return schema;
}

void write_output_config(Writing& w, const RawJson& schema) {
  const bool effort = w.own && remembered(w.request.reasoning.extras, self, "effort") == "/outputConfig/effort";
  if (schema.empty() && !effort && !has_inner_extras(w.request.extras, self, "outputConfig")) return;
  json::Writer& out = w.out;
  out.key("outputConfig").begin_object();
  if (!schema.empty()) {
    const OutputFormat& format = *w.request.format;
    out.key("textFormat").begin_object().member("type", "json_schema");
    out.key("structure").begin_object().key("jsonSchema").begin_object();
    out.member("schema", schema);
    if (!format.name.empty()) out.member("name", format.name);
    if (!format.description.empty()) out.member("description", format.description);
    write_extras(out, format.extras, self, pointer_below_format(w.request, {}), w.notes);
    out.end_object().end_object().end_object();
  } else if (w.request.format) {
    note_extras(w.request.format->extras, self, pointer_below_format(w.request, {}), w.notes);
  }
  if (effort) out.member("effort", w.request.reasoning.effort);
  write_inner_extras(out, w.request.extras, self, "outputConfig");
  out.end_object();
}

// What the vendor takes as a key or a value of the metadata that its logs keep.
bool loggable(std::string_view text, std::size_t least) {
  constexpr std::string_view signs = " :_@$#=/+,-.";
  return text.size() >= least && text.size() <= 256 && std::ranges::all_of(text, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || signs.contains(c);
         });
}

void write_metadata(Writing& w) {
  const ChatRequest& request = w.request;
  if (w.own) {
    if (request.metadata) w.out.member_raw("requestMetadata", *request.metadata);
    return;
  }
  constexpr std::size_t most = 16;
  std::size_t count = 0;
  const auto entry = [&](std::string_view key, std::string_view value) {
    if (count == most || !loggable(key, 1) || !loggable(value, 0)) return false;
    if (count++ == 0) w.out.key("requestMetadata").begin_object();
    w.out.member(key, value);
    return true;
  };
  json::Document doc;
  const auto kept = request.metadata ? doc.parse(*request.metadata) : Result<json::Value>(json::Value());
  bool user_named = false;
  if (kept) {
    for (const auto [key, value] : kept->members()) {
      user_named |= key == "user_id";
      if (!value.is_string() || !entry(key, value.text())) {
        w.notes.lost(pointer_to(request, Field::metadata) + '/' + json::pointer_token(key),
                     "bedrock's metadata are sixteen short texts");
      }
    }
  }
  if (request.user) {
    if (!user_named && entry("user_id", *request.user)) {
      w.restated(Field::user, "the user stands in the metadata");
    } else {
      w.lost(Field::user, "bedrock's metadata take no such name");
    }
  }
  if (count > 0) w.out.end_object();
}

void write_service_tier(Writing& w) {
  if (!w.request.service_tier) return;
  const std::string& tier = *w.request.service_tier;
  const bool known = tier == "default" || tier == "flex" || tier == "priority" || tier == "reserved";
  if (w.own || known) {
    w.out.key("serviceTier").begin_object().member("type", tier).end_object();
  } else {
    w.lost(Field::service_tier, "bedrock has the tiers default, flex, priority and reserved");
  }
}

}  // namespace

Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  TRY_VOID(refuse(request));
  std::string body;
  body.reserve(body_size(request));
  json::Writer out(body);
  Writing w{.request = request,
            .to = to,
            .notes = notes,
            .out = out,
            .own = request.origin == self && request.model == to.model,
            .rules = model_rules(to.model)};
  TRY_VOID(lay_out(w));
  body.reserve(body_size(request));
  std::optional<std::int64_t> max_tokens = request.max_output;
  if (w.rules.claude && !w.own && max_tokens && *max_tokens > w.rules.claude_rules.max_output) {
    max_tokens = w.rules.claude_rules.max_output;
    w.restated(Field::max_output, "the model's own limit is lower");
  }
  const Thinking thinking = plan_thinking(w, max_tokens);
  out.begin_object();
  write_messages(w);
  Settings settings(w, thinking);
  settings.write_inference(max_tokens);
  const RawJson schema = plan_format(w);
  write_tool_config(w, thinking.form == ThinkingForm::claude && thinking.on());
  write_system(w);
  write_output_config(w, schema);
  write_fields(w, thinking);
  write_metadata(w);
  write_service_tier(w);
  settings.note_unsayable();
  write_extras(out, request.extras, self, "", notes);  // those of inner objects stand there
  out.end_object();
  return WireRequest{.body = std::move(body), .headers = {}};
}

}  // namespace sluice::bedrock_converse
