// generationConfig. SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "dialects/gemini/schema.h"
#include "dialects/gemini/settings.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;
constexpr std::size_t most_stops = 5;

std::unexpected<Failure> wrong(std::string_view name) {
  Error error{.fault = Fault::bad_request, .message = "Invalid value at 'generation_config." + std::string(name) + "'"};
  error.param = "generationConfig." + std::string(name);
  return fail(std::move(error));
}

// A number, also one in quotes as proto JSON allows.
std::optional<RawJson> number(json::Value value) {
  if (value.is_number()) return RawJson(value.raw());
  const std::string text = value.text();
  if (text.empty() || !json::valid(text) || (text[0] != '-' && (text[0] < '0' || text[0] > '9'))) return std::nullopt;
  return text;
}
std::optional<std::int64_t> integer(json::Value value) {
  const auto text = number(value);
  if (!text) return std::nullopt;
  json::Document doc;
  const auto root = doc.parse(*text);
  return root ? root->integer() : std::nullopt;
}

struct NumberRow {
  std::string_view name;
  std::optional<RawJson> Sampling::* member;
};
constexpr NumberRow numbers[] = {
    {"temperature", &Sampling::temperature},
    {"topP", &Sampling::top_p},
    {"topK", &Sampling::top_k},
    {"presencePenalty", &Sampling::presence_penalty},
    {"frequencyPenalty", &Sampling::frequency_penalty},
    {"seed", &Sampling::seed},
    {"logprobs", &Sampling::top_logprobs},
};

Result<void> read_strings(json::Value value, std::string_view name, std::vector<std::string>& out) {
  if (value.is_string()) {
    out.push_back(value.text());
    return {};
  }
  if (!value.is_array()) return wrong(name);
  for (const json::Value one : value.elements()) {
    if (!one.is_string()) return wrong(name);
    out.push_back(one.text());
  }
  return {};
}

// Mime type and schema together say the format. What this house has no word for (text/x.enum) stays as it is.
void read_format(json::Value mime, json::Value schema, std::string_view schema_name, ChatRequest& out,
                 Leftovers& rest) {
  const std::string type = mime.text();
  const bool json = type == "application/json" || (type.empty() && schema);
  if (json && schema) {
    OutputFormat format{.kind = FormatKind::json_schema};
    if (schema_name == "responseSchema") {
      format.schema = to_json_schema(schema);
      format.schema_native.text = std::string(schema.raw());
    } else {
      format.schema = std::string(schema.raw());
    }
    out.format = std::move(format);
  } else if (json) {
    out.format = OutputFormat{.kind = FormatKind::json_object};
  } else if (type == "text/plain" && !schema) {
    out.format = OutputFormat{};
  } else {
    if (mime) rest.add("responseMimeType", mime.raw());
    if (schema) rest.add(schema_name, schema.raw());
  }
}

std::string format_pointer(const ChatRequest& request) {
  std::string out = pointer_to(request, Field::format);
  switch (request.origin) {
    case DialectId::openai_chat:
    case DialectId::cohere: out += "/json_schema"; break;
    default: break;
  }
  return out;
}

class Writing {
 public:
  Writing(json::Writer& out, const ChatRequest& request, const Destination& to, const ModelRules& rules,
          std::string& hint, Notes& notes)
      : out_(out), request_(request), to_(to), rules_(rules), hint_(hint), notes_(notes) {}

  void run() {
    sampling();
    if (request_.max_output) out_.member("maxOutputTokens", *request_.max_output);
    stops();
    if (request_.format) format(*request_.format);
    modalities();
    write_thinking(out_, request_, rules_, notes_);
    if (own_) write_inner();
  }

 private:
  void lost(Field field, std::string_view reason) { notes_.lost(pointer_to(request_, field), reason); }

  void number_member(std::string_view name, const std::optional<RawJson>& value) {
    if (value) out_.member_raw(name, *value);
  }

  void sampling() {
    const Sampling& s = request_.sampling;
    number_member("temperature", s.temperature);
    number_member("topP", s.top_p);
    number_member("topK", s.top_k);
    if (s.min_p) lost(Field::min_p, "gemini has no min_p");
    if (s.logit_bias) lost(Field::logit_bias, "gemini has no logit_bias");
    const bool penalties = own_ || rules_.penalties || to_.provider == "vertex";
    if (penalties) {
      number_member("presencePenalty", s.presence_penalty);
      number_member("frequencyPenalty", s.frequency_penalty);
    } else {
      if (s.presence_penalty) lost(Field::presence_penalty, "this model takes no penalties");
      if (s.frequency_penalty) lost(Field::frequency_penalty, "this model takes no penalties");
    }
    if (s.seed) seed(*s.seed);
    if (s.n) out_.member("candidateCount", *s.n);
    if (s.logprobs) out_.member_bool("responseLogprobs", *s.logprobs);
    number_member("logprobs", s.top_logprobs);
  }

  void seed(const RawJson& raw) {
    json::Document doc;
    const auto root = doc.parse(raw);
    const auto value = root ? root->integer() : std::nullopt;
    const bool fits = value && *value >= std::numeric_limits<std::int32_t>::min() &&
                      *value <= std::numeric_limits<std::int32_t>::max();
    if (own_ || fits) {
      out_.member_raw("seed", raw);
    } else {
      lost(Field::seed, "gemini's seed has 32 bits");
    }
  }

  void stops() {
    if (request_.stop.empty()) return;
    out_.key("stopSequences").begin_array();
    std::size_t count = 0;
    for (const std::string& stop : request_.stop) {
      if (own_ || count < most_stops) out_.string(stop);
      ++count;
    }
    out_.end_array();
    if (!own_ && count > most_stops) lost(Field::stop, "gemini takes at most five stop sequences");
  }

  void format(const OutputFormat& format) {
    const bool tools = std::ranges::any_of(request_.tools, [](const Tool& tool) { return tool.vendor_raw.empty(); });
    if (!own_ && tools && !rules_.format_with_tools && format.kind != FormatKind::text) {
      notes_.restated(pointer_to(request_, Field::format),
                      "this model takes no format beside tools; the system text asks");
      hint_ = "Answer only with one JSON value";
      hint_ += format.schema.empty() ? "." : " that fits this JSON Schema: " + format.schema;
      return;
    }
    switch (format.kind) {
      case FormatKind::text: out_.member("responseMimeType", "text/plain"); break;
      case FormatKind::json_object: out_.member("responseMimeType", "application/json"); break;
      case FormatKind::json_schema:
        out_.member("responseMimeType", "application/json");
        schema(format);
        break;
    }
    const std::string at = format_pointer(request_);
    if (!format.name.empty()) notes_.lost(at + "/name", "gemini's schema has no name");
    if (!format.description.empty()) notes_.lost(at + "/description", "gemini's format has no description");
    if (format.strict && !*format.strict) notes_.lost(at + "/strict", "gemini always holds to the schema");
    note_extras(format.extras, self, pointer_to(request_, Field::format), notes_);
  }

  void schema(const OutputFormat& format) {
    if (own_) {
      // Its own words, as long as they still say what the model says.
      if (!format.schema_native.text.empty() && still_says(format.schema_native.text, format.schema)) {
        out_.member_raw("responseSchema", format.schema_native.text);
      } else if (!format.schema.empty()) {
        out_.member_raw("responseJsonSchema", format.schema);
      }
      return;
    }
    if (format.schema.empty()) return;
    const std::string at = format_pointer(request_) + "/schema";
    if (!rules_.json_schema) {
      if (const std::string text = to_own_schema(format.schema, at, notes_); !text.empty()) {
        out_.member_raw("responseSchema", text);
        return;
      }
    }
    out_.member_raw("responseJsonSchema", taken_json_schema(format.schema, at, notes_));
  }

  static bool still_says(const std::string& native, const std::string& schema) {
    json::Document doc;
    const auto root = doc.parse(native);
    return root && to_json_schema(*root) == schema;
  }

  void modalities() {
    if (!request_.modalities) return;
    out_.key("responseModalities").begin_array();
    for (const std::string& one : *request_.modalities) {
      std::string word = one;
      for (char& c : word) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      }
      out_.string(word);
    }
    out_.end_array();
  }

  void write_inner() {
    if (request_.extras.origin != self) return;
    for (const Extra& extra : request_.extras.members) {
      if (extra.key != "generationConfig") continue;
      json::Document doc;
      const auto inner = doc.parse(extra.raw);
      if (!inner) continue;
      for (const auto [key, value] : inner->members()) out_.member_raw(key, value.raw());
    }
  }

  json::Writer& out_;
  const ChatRequest& request_;
  const Destination& to_;
  const ModelRules& rules_;
  std::string& hint_;
  Notes& notes_;
  bool own_ = request_.origin == self;
};

}  // namespace

Result<void> read_generation(json::Value config, ChatRequest& out) {
  if (!config) return {};
  if (!config.is_object()) return wrong("");
  Leftovers rest;
  json::Value mime, schema;
  std::string_view schema_name;
  for (const auto [key, value] : config.members()) {
    if (value.is_null()) continue;
    const auto* row = std::ranges::find_if(numbers, [&](const NumberRow& r) { return is_name(key, r.name); });
    if (row != std::end(numbers)) {
      out.sampling.*row->member = number(value);
      if (!(out.sampling.*row->member)) return wrong(row->name);
    } else if (is_name(key, "maxOutputTokens")) {
      out.max_output = integer(value);
      if (!out.max_output) return wrong("maxOutputTokens");
    } else if (is_name(key, "candidateCount")) {
      out.sampling.n = integer(value);
      if (!out.sampling.n) return wrong("candidateCount");
    } else if (is_name(key, "responseLogprobs") && value.boolean()) {
      out.sampling.logprobs = value.boolean();
    } else if (is_name(key, "stopSequences")) {
      TRY_VOID(read_strings(value, "stopSequences", out.stop));
    } else if (is_name(key, "responseModalities")) {
      std::vector<std::string> words;
      TRY_VOID(read_strings(value, "responseModalities", words));
      for (std::string& word : words) word = lower(word);
      out.modalities = std::move(words);
    } else if (is_name(key, "responseMimeType")) {
      mime = value;
    } else if (is_name(key, "responseSchema")) {
      schema = value;
      schema_name = "responseSchema";
    } else if (is_name(key, "responseJsonSchema") || is_name(key, "_responseJsonSchema")) {
      schema = value;
      schema_name = "responseJsonSchema";
    } else if (is_name(key, "thinkingConfig") && value.is_object()) {
      read_thinking(value, out.reasoning);
    } else {
      rest.add(key, value.raw());
    }
  }
  if (mime || schema) read_format(mime, schema, schema_name, out, rest);
  if (!rest.empty()) out.extras.add(self, "generationConfig", rest.take());
  return {};
}

std::string write_generation(const ChatRequest& request, const Destination& to, const ModelRules& rules,
                             std::string& system_hint, Notes& notes) {
  std::string text;
  json::Writer w(text);
  w.begin_object();
  Writing(w, request, to, rules, system_hint, notes).run();
  w.end_object();
  return text.size() > 2 ? text : std::string();
}

}  // namespace sluice::gemini
