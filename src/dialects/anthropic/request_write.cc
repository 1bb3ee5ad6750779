// The canonical conversation as a Messages request. SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialects/anthropic/anthropic.h"
#include "dialects/anthropic/blocks.h"
#include "dialects/anthropic/models.h"
#include "dialects/anthropic/request_parts.h"
#include "dialects/anthropic/request_tools.h"
#include "dialects/anthropic/schema.h"
#include "dialects/anthropic/thinking.h"
#include "dialects/body_size.h"
#include "dialects/pointer.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;
constexpr std::int64_t whole_reply_limit = 21333;  // the vendor's own SDKs refuse longer answers that do not stream
constexpr std::ptrdiff_t most_marks = 4;

// Rules under which every word of the client stands.
constexpr ModelRules everything = {
    .thinks = true, .adaptive = true, .budget = true, .system_in_messages = true, .structured = true, .xhigh = true};

// Of a JSON number; what no double holds comes as the nearest one, as strtod has it.
double value_of(const RawJson& number) {
  double value = 0;
  const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), value);
  return fault == std::errc() ? value : std::strtod(number.c_str(), nullptr);
}

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  Error error{.fault = Fault::unsupported};
  error.message = std::move(message);
  error.param = std::move(pointer);
  return fail(std::move(error));
}

class Writing {
 public:
  Writing(const ChatRequest& request, const Destination& to, Notes& notes, bool counting)
      : request_(request),
        to_(to),
        notes_(notes),
        counting_(counting),
        own_(request.origin == self),
        as_said_(own_ && request.model == to.model),
        rules_(as_said_ ? everything : model_rules(to.model)),
        parts_{.request = request, .provider = to.provider, .own = own_, .as_said = as_said_},
        out_(body_) {}

  Result<WireRequest> run() {
    TRY_VOID(refuse());
    TRY_VOID(lay_out());
    body_.reserve(body_size(request_));
    count_marks();
    max_tokens_ = request_.max_output;
    choose_max_tokens();
    thinking_ = plan_thinking(request_, rules_, to_, as_said_, max_tokens_, notes_);
    tools_ = plan_tools(request_, dialogue_, rules_, own_, as_said_, thinking_.type == "enabled", notes_);
    plan_format();

    out_.begin_object();
    // In the clouds' form model and mode may stand in the path.
    const bool cloud = own_ && std::ranges::any_of(request_.extras.members,
                                                   [](const Extra& x) { return x.key == "anthropic_version"; });
    if (!to_.model.empty() && !cloud) out_.member("model", to_.model);
    if (max_tokens_ && !counting_) out_.member("max_tokens", *max_tokens_);
    if ((to_.stream && !cloud) || request_.stream_said) out_.member_bool("stream", to_.stream);
    write_settings();
    if (request_.cache_auto) write_cache_mark(out_, *request_.cache_auto);
    write_thinking(out_, thinking_, request_.reasoning, notes_);
    write_output_config();
    write_tools(out_, request_, tools_, rules_, own_, as_said_, parts_, notes_);
    write_system();
    write_messages();
    write_unknown();
    out_.end_object();
    return WireRequest{.body = std::move(body_), .headers = headers()};
  }

 private:
  // What would change its meaning if it were left out.
  Result<void> refuse() const {
    if (request_.sampling.n.value_or(1) > 1) {
      return unsupported(pointer_to(request_, Field::n),
                         "Claude gives one answer at a time: leave n out or set it to 1.");
    }
    if (request_.modalities && std::ranges::find(*request_.modalities, "text") == request_.modalities->end()) {
      return unsupported(pointer_to(request_, Field::modalities), "Claude answers in text only.");
    }
    return {};
  }

  // The messages with only what can be said in them.
  Result<void> lay_out() {
    if (as_said_) {
      stand();
    } else {
      dialogue_ = alternate(request_, {.system_in_place = rules_.system_in_messages}, notes_);
    }
    for (Message& message : dialogue_.messages) {
      std::size_t kept = 0;
      for (const PlacedPart& placed : message.parts) {
        TRY(const bool keep, sayable(parts_, placed, message.role, notes_));
        if (keep) message.parts[kept++] = placed;
      }
      // A turn of which nothing is left would be refused; one that came empty is the client's own.
      emptied_.push_back(kept == 0 && !message.parts.empty());
      message.parts.resize(kept);
    }
    if (as_said_) return {};
    std::erase_if(dialogue_.messages, [](const Message& m) { return m.parts.empty(); });
    note_turns();
    if (dialogue_.messages.empty()) {
      return unsupported(pointer_to(request_, Field::system),
                         "Claude needs a user message: this conversation holds nothing else that can be said to it.");
    }
    return end_with_user();
  }

  // The client's own messages, one to one.
  void stand() {
    for (std::size_t t = leading_system(request_); t < request_.turns.size(); ++t) {
      const Turn& turn = request_.turns[t];
      Message message{.role = turn.role == Role::tool ? Role::user : turn.role};
      message.parts.reserve(turn.parts.size());
      for (std::size_t i = 0; i < turn.parts.size(); ++i) message.parts.push_back({&turn.parts[i], t, i});
      dialogue_.messages.push_back(std::move(message));
      turns_.push_back(&turn);
    }
  }

  void note_turns() {
    for (std::size_t t = 0; t < request_.turns.size(); ++t) {
      const Turn& turn = request_.turns[t];
      if (!turn.name.empty()) notes_.lost(pointer_to_turn(request_, t) + "/name", "anthropic names nobody");
      // Messages were put together anew: nothing of an old one's own has a place.
      for (const Extra& x : turn.extras.members) {
        if (x.raw == "null" || x.key.starts_with('\x1f')) continue;
        notes_.lost(pointer_to_turn(request_, t) + '/' + json::pointer_token(x.key), "anthropic does not know it");
      }
    }
  }

  // An assistant message at the end is a prefill: newer models refuse it, older ones want no space at its end.
  Result<void> end_with_user() {
    const Message& last = dialogue_.messages.back();
    if (last.role != Role::assistant) return {};
    const PlacedPart& part = last.parts.back();
    if (!rules_.prefill) {
      return unsupported(pointer_to_turn(request_, part.turn),
                         "This Claude model does not continue an assistant message: end with a user message.");
    }
    trim_prefill(request_, dialogue_, notes_);
    return {};
  }

  void count_marks() {
    if (as_said_) return;
    std::ptrdiff_t count = request_.cache_auto ? 1 : 0;
    for (const Tool& tool : request_.tools) count += tool.cache.has_value();
    for (std::size_t t = 0; t < leading_system(request_); ++t) {
      count += std::ranges::count_if(request_.turns[t].parts, [](const Part& p) { return p.cache.has_value(); });
    }
    for (const Message& message : dialogue_.messages) {
      count += std::ranges::count_if(message.parts, [](const PlacedPart& p) { return p.part->cache.has_value(); });
    }
    if (count > most_marks) parts_.marks_to_skip = static_cast<std::size_t>(count - most_marks);
  }

  void choose_max_tokens() {
    if (as_said_) return;
    const std::string pointer = pointer_to(request_, Field::max_output);
    if (counting_) {
      max_tokens_ = rules_.max_output;  // room for any budget of thinking
    } else if (!max_tokens_) {
      max_tokens_ = to_.stream ? rules_.max_output : std::min(rules_.max_output, whole_reply_limit);
      notes_.added(pointer, "anthropic demands a limit: the model's own");
    } else if (*max_tokens_ > rules_.max_output && to_.model.contains("claude")) {
      max_tokens_ = rules_.max_output;
      notes_.restated(pointer, "the model's own limit is lower");
    }
  }

  void plan_format() {
    if (!request_.format || request_.format->kind == FormatKind::text) return;
    const OutputFormat& format = *request_.format;
    const std::string pointer = pointer_to(request_, Field::format);
    if (format.kind == FormatKind::json_object) {
      notes_.restated(pointer, "said as an instruction: anthropic has no JSON mode without a schema");
      hints_.emplace_back("Answer with one JSON object and no other text.");
      return;
    }
    if (as_said_ || (own_ && rules_.structured)) {
      schema_ = format.schema;
      return;
    }
    if (rules_.structured) {
      if (auto schema = strict_schema(format.schema, pointer_to_format_schema(request_), notes_))
        schema_ = *std::move(schema);
    }
    if (schema_.empty()) {
      notes_.restated(pointer, "format_best_effort: said as an instruction, nobody enforces it");
      hints_.push_back("Answer with one JSON value that matches this JSON Schema, and no other text: " + format.schema);
    } else if (!own_) {
      if (!format.name.empty()) notes_.lost(pointer_below_format(request_, "name"), "anthropic names no schema");
      if (!format.description.empty())
        notes_.lost(pointer_below_format(request_, "description"), "anthropic describes no schema");
      if (format.strict)
        notes_.restated(pointer_below_format(request_, "strict"), "anthropic always enforces the schema");
    }
  }

  void write_settings() {
    write_sampling();
    std::vector<std::string_view> stops;
    for (const std::string& stop : request_.stop) {
      if (as_said_ || stop.find_first_not_of(" \t\r\n") != std::string::npos) {
        stops.push_back(stop);
      } else {
        notes_.lost(pointer_to(request_, Field::stop), "a stop sequence of white space is refused");
      }
    }
    if (!stops.empty()) {
      out_.key("stop_sequences").begin_array();
      for (const std::string_view stop : stops) out_.string(stop);
      out_.end_array();
    }
    if (request_.user || has_inner_extras(request_.extras, self, "metadata")) {
      out_.key("metadata").begin_object();
      if (request_.user) out_.member("user_id", *request_.user);
      write_inner_extras(out_, request_.extras, self, "metadata");
      out_.end_object();
    }
    write_service_tier();
    lose(request_.metadata.has_value(), Field::metadata, "anthropic keeps no metadata");
    lose(request_.cache_key.has_value(), Field::cache_key, "anthropic has no cache key");
    lose(request_.verbosity.has_value(), Field::verbosity, "anthropic has no verbosity");
    lose(request_.safety.has_value(), Field::safety, "anthropic has no safety settings");
    lose(request_.modalities && request_.modalities->size() > 1, Field::modalities, "anthropic answers in text only");
  }

  void lose(bool said, Field field, std::string_view reason) {
    if (said) notes_.lost(pointer_to(request_, field), reason);
  }

  void write_sampling() {
    const Sampling& s = request_.sampling;
    constexpr std::string_view refused = "this model takes no sampling parameters";
    constexpr std::string_view thinks = "a thinking model takes no other value";
    const bool thinking = !as_said_ && thinking_.on();
    if (s.temperature) {
      const double value = value_of(*s.temperature);
      if (!rules_.sampling || (thinking && value != 1)) {
        notes_.lost(pointer_to(request_, Field::temperature), rules_.sampling ? thinks : refused);
      } else if (value > 1 && !as_said_) {
        notes_.restated(pointer_to(request_, Field::temperature), "anthropic's temperature ends at 1");
        out_.member("temperature", std::int64_t{1});
      } else {
        out_.member_raw("temperature", *s.temperature);
      }
    }
    if (s.top_p) {
      const double value = value_of(*s.top_p);
      if (!rules_.sampling || (thinking && value < 0.95)) {
        notes_.lost(pointer_to(request_, Field::top_p), rules_.sampling ? thinks : refused);
      } else if (rules_.one_of_temperature_top_p && s.temperature) {
        notes_.lost(pointer_to(request_, Field::top_p), "this model takes temperature or top_p, not both");
      } else {
        out_.member_raw("top_p", *s.top_p);
      }
    }
    if (s.top_k) {
      if (!rules_.sampling || thinking) {
        notes_.lost(pointer_to(request_, Field::top_k), rules_.sampling ? thinks : refused);
      } else {
        out_.member_raw("top_k", *s.top_k);
      }
    }
    lose(s.min_p.has_value(), Field::min_p, "anthropic has no min_p");
    lose(s.presence_penalty.has_value(), Field::presence_penalty, "anthropic has no penalties");
    lose(s.frequency_penalty.has_value(), Field::frequency_penalty, "anthropic has no penalties");
    lose(s.seed.has_value(), Field::seed, "anthropic has no seed");
    lose(s.logit_bias.has_value(), Field::logit_bias, "anthropic has no logit bias");
    lose(s.logprobs.value_or(false), Field::logprobs, "anthropic gives no logprobs");
    lose(s.top_logprobs.has_value(), Field::top_logprobs, "anthropic gives no logprobs");
  }

  void write_service_tier() {
    if (!request_.service_tier) return;
    if (*request_.service_tier == "default") {
      out_.member("service_tier", "standard_only");
    } else if (*request_.service_tier == "auto" || own_) {
      out_.member("service_tier", *request_.service_tier);
    } else {
      notes_.lost(pointer_to(request_, Field::service_tier), "anthropic has the tiers auto and standard only");
    }
  }

  void write_output_config() {
    const bool old_name =
        request_.format && as_said_ && !remembered(request_.format->extras, self, "output_format").empty();
    if (old_name) {
      out_.key("output_format");
      write_format();
    }
    const bool format = !schema_.empty() && !old_name;
    if (!format && thinking_.effort.empty() && !has_inner_extras(request_.extras, self, "output_config")) return;
    out_.key("output_config").begin_object();
    if (!thinking_.effort.empty()) out_.member("effort", thinking_.effort);
    if (format) {
      out_.key("format");
      write_format();
    }
    write_inner_extras(out_, request_.extras, self, "output_config");
    out_.end_object();
  }

  void write_format() {
    out_.begin_object().member("type", "json_schema").member_raw("schema", schema_);
    write_extras(out_, request_.format->extras, self, pointer_below_format(request_, {}), notes_);
    out_.end_object();
  }

  // The leading system text, and what had to be said as an instruction behind it.
  void write_system() {
    const std::size_t leading = leading_system(request_);
    std::vector<PlacedPart> said;
    for (std::size_t t = 0; t < leading; ++t) {
      const Turn& turn = request_.turns[t];
      for (std::size_t i = 0; i < turn.parts.size(); ++i) {
        const PlacedPart placed{&turn.parts[i], t, i};
        const auto keep = sayable(parts_, placed, Role::system, notes_);
        if (!keep) notes_.lost(pointer_to_part(request_, t, i), keep.error()->message);
        if (keep && *keep) said.push_back(placed);
      }
    }
    if (tools_.hint) hints_.push_back(*tools_.hint);
    if (said.empty() && hints_.empty() && (!as_said_ || leading == 0)) return;
    out_.key("system");
    if (hints_.empty() && said.size() == 1 && request_.turns[said[0].turn].plain_string && !said[0].part->cache) {
      out_.string(said[0].part->as<Text>()->text);
      return;
    }
    out_.begin_array();
    for (const PlacedPart& placed : said) write_part(out_, parts_, placed, notes_);
    for (const std::string& hint : hints_) out_.begin_object().member("type", "text").member("text", hint).end_object();
    out_.end_array();
  }

  void write_messages() {
    out_.key("messages").begin_array();
    for (std::size_t m = 0; m < dialogue_.messages.size(); ++m) {
      const Message& message = dialogue_.messages[m];
      if (as_said_ && emptied_[m]) continue;
      out_.begin_object();
      out_.member("role", message.role == Role::assistant ? "assistant"
                          : message.role == Role::user    ? "user"
                                                          : "system");
      out_.key("content");
      if (is_string(message)) {
        out_.string(message.parts[0].part->as<Text>()->text);
      } else {
        out_.begin_array();
        for (const PlacedPart& placed : message.parts) {
          vendor_files_ |= is_vendor_file(*placed.part);
          write_part(out_, parts_, placed, notes_);
        }
        out_.end_array();
      }
      if (as_said_)
        write_extras(out_, turns_[m]->extras, self, pointer_to_turn(request_, leading_system(request_) + m), notes_);
      out_.end_object();
    }
    out_.end_array();
  }

  void write_unknown() {
    if (tools_.web_search.empty()) return write_extras(out_, request_.extras, self, "", notes_);
    Extras rest = request_.extras;
    std::erase_if(rest.members, [](const Extra& x) { return x.key == web_search_options; });
    write_extras(out_, rest, self, "", notes_);
  }

  [[nodiscard]] bool is_string(const Message& message) const {
    if (message.parts.size() != 1) return false;
    const PlacedPart& only = message.parts[0];
    const Turn& turn = request_.turns[only.turn];
    const auto* text = only.part->as<Text>();
    return text != nullptr && turn.plain_string && !only.part->cache && text->citations.empty() &&
           only.part->extras.empty();
  }

  // What the client of this dialect said in a header.
  [[nodiscard]] std::string memory(std::string_view header) const {
    const std::string_view quoted = remembered(request_.extras, self, header);
    return quoted.size() < 2 ? std::string() : json::unescape(quoted.substr(1, quoted.size() - 2));
  }

  [[nodiscard]] std::vector<Header> headers() const {
    // The newest version takes no sampling parameters, no document in an assistant turn and no citations in a user
    // turn: what came from this dialect may hold them and keeps its own version.
    const bool newest = !own_ && rules_.newest_version && to_.provider == "anthropic";
    std::string version = memory("anthropic-version");
    if (version.empty()) version = newest ? version_2026 : version_2023;
    std::vector<Header> out;
    out.reserve(2);
    out.emplace_back("anthropic-version", std::move(version));
    std::string betas = memory("anthropic-beta");
    const auto beta = [&](bool wanted, std::string_view flag) {
      if (!wanted || betas.contains(flag)) return;
      betas += betas.empty() ? "" : ",";
      betas += flag;
    };
    beta(thinking_.drop_mismatched, "thinking-binding-controls-2026-08-01");
    beta(vendor_files_, "files-api-2025-04-14");
    if (!betas.empty()) out.emplace_back("anthropic-beta", std::move(betas));
    return out;
  }

  const ChatRequest& request_;
  const Destination& to_;
  Notes& notes_;
  const bool counting_;  // for the call that counts
  const bool own_;       // a client of this dialect asks
  const bool as_said_;   // and for this very model: its words stand
  const ModelRules rules_;
  PartRules parts_;
  Dialogue dialogue_;
  std::vector<const Turn*> turns_;  // of the messages, when they stand as they came
  std::vector<bool> emptied_;       // of the messages: nothing of it could be said
  std::optional<std::int64_t> max_tokens_;
  Thinking thinking_;
  Tools tools_;
  RawJson schema_;                  // of the output format, when the vendor shall enforce it
  std::vector<std::string> hints_;  // instructions for what has no field
  bool vendor_files_ = false;
  std::string body_;
  json::Writer out_;
};

}  // namespace

Result<WireRequest> write_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  return Writing(request, to, notes, false).run();
}

Result<WireRequest> write_count_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  return Writing(request, to, notes, true).run();
}

}  // namespace sluice::anthropic
