// The question: a prompt and settings, which are chat's. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>
#include <vector>

#include "dialects/body_size.h"
#include "dialects/openai_chat/vendor.h"
#include "dialects/openai_chat/wrong.h"
#include "dialects/openai_completions/openai_completions.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::openai_completions {
namespace {

using json::Value;
using openai_chat::kind_of;
using openai_chat::missing;
using openai_chat::twice;
using openai_chat::wrong_type;

constexpr std::pair<std::string_view, std::optional<RawJson> Sampling::*> numbers[] = {
    {"temperature", &Sampling::temperature},
    {"top_p", &Sampling::top_p},
    {"presence_penalty", &Sampling::presence_penalty},
    {"frequency_penalty", &Sampling::frequency_penalty},
    {"seed", &Sampling::seed},
    // Look-alikes'.
    {"top_k", &Sampling::top_k},
    {"min_p", &Sampling::min_p},
};

// Reads the members one after the other; those that it does not know, or whose form is not the known one, are extras.
class Reading {
 public:
  Result<ChatRequest> read(Value root) {
    if (!root.is_object()) return wrong_type("body", "an object", kind_of(root));
    for (const auto [key, value] : root.members()) {
      TRY(const bool known, member(key, value));
      if (!known) out_.extras.add(self, key, value.raw());
    }
    if (!prompt_) return missing("prompt");
    return std::move(out_);
  }

 private:
  Result<bool> member(std::string_view key, Value value) {
    if (key == "prompt") return prompt(value);
    if (key == "model") {
      if (!value.is_string() && !value.is_null()) return wrong_type("model", "a string", kind_of(value));
      out_.model = value.text();
      return true;
    }
    if (key == "stream") {
      if (!value.boolean() && !value.is_null()) return wrong_type("stream", "a boolean", kind_of(value));
      out_.stream_said = value.boolean();
      out_.stream = value.boolean().value_or(false);
      return true;
    }
    if (value.is_null()) return false;  // says nothing; stays where it was
    for (const auto& [name, number] : numbers) {
      if (name != key) continue;
      if (!value.is_number()) return wrong_type(key, "a number", kind_of(value));
      out_.sampling.*number = std::string(value.raw());
      return true;
    }
    return settings(key, value);
  }

  // A text is a user's turn. Tokens are numbers of one vendor's tokenizer: they stay as they came.
  Result<bool> prompt(Value value) {
    if (std::exchange(prompt_, true)) return twice("prompt");
    const auto turn = [&](Value text, bool plain) {
      out_.turns.push_back({.role = Role::user, .parts = {{.body = Text{.text = text.text()}}}, .plain_string = plain});
    };
    if (value.is_string()) {
      turn(value, true);
      return true;
    }
    if (!value.is_array() || value.size() == 0) {
      return wrong_type("prompt", "one of a string, an array of strings or an array of tokens", kind_of(value));
    }
    const auto texts = value.elements();
    bool all = true;
    for (const Value one : texts) all &= one.is_string();
    if (!all) return false;
    for (const Value one : texts) turn(one, false);
    return true;
  }

  Result<bool> settings(std::string_view key, Value value) {
    if (key == "stop") return stop(value);
    if (key == "n" || key == "max_tokens" || key == "logprobs") {
      if (!value.integer()) return wrong_type(key, "an integer", kind_of(value));
      if (key == "n") out_.sampling.n = value.integer();
      if (key == "max_tokens") out_.max_output = value.integer();
      if (key != "logprobs") return true;
      out_.sampling.logprobs = true;
      out_.sampling.top_logprobs = std::string(value.raw());
      return true;
    }
    if (key == "echo" && value.boolean()) {
      // It is for the answer: write_reply() repeats the prompt, whoever answered.
      remember(out_.extras, self, "echo", value.raw());
      return true;
    }
    if (key == "logit_bias" && value.is_object()) {
      out_.sampling.logit_bias = std::string(value.raw());
      return true;
    }
    if (key == "user" && value.is_string()) {
      out_.user = value.text();
      return true;
    }
    if (key != "stream_options" || !value.is_object()) return false;
    for (const auto [name, inner] : value.members()) {
      if (name == "include_usage" && inner.boolean()) {
        out_.usage_in_stream = inner.boolean();
      } else {
        add_inner(out_.extras, self, "stream_options", name, inner.raw());
      }
    }
    return true;
  }

  Result<bool> stop(Value value) {
    constexpr std::string_view expected = "one of a string or an array of strings";
    if (value.is_string()) {
      out_.stop = {value.text()};
      out_.stop_is_string = true;
      return true;
    }
    if (!value.is_array()) return wrong_type("stop", expected, kind_of(value));
    for (const Value one : value.elements()) {
      if (!one.is_string()) return wrong_type("stop", expected, kind_of(one));
      out_.stop.push_back(one.text());
    }
    return true;
  }

  ChatRequest out_{.origin = self};
  bool prompt_ = false;
};

std::unexpected<Failure> unsupported(std::string pointer, std::string message) {
  return fail(Error{.fault = Fault::unsupported, .message = std::move(message), .param = std::move(pointer)});
}

class Writing {
 public:
  Writing(const ChatRequest& request, const Destination& to, Notes& notes)
      : request_(request), to_(to), notes_(notes), own_(request.origin == self), out_(body_) {}

  Result<std::string> run() {
    if (!own_) TRY_VOID(refuse());
    body_.reserve(body_size(request_));
    out_.begin_object();
    if (!to_.model.empty()) out_.member("model", to_.model);
    prompt();
    for (const auto& [name, number] : numbers) {
      if (const auto& value = request_.sampling.*number) out_.member_raw(name, *value);
    }
    settings();
    stream();
    if (own_) {
      if (const std::string_view echo = remembered(request_.extras, self, "echo"); !echo.empty())
        out_.member_raw("echo", echo);
    } else {
      lose();
    }
    write_extras(out_, request_.extras, self, "", notes_);
    out_.end_object();
    return std::move(body_);
  }

 private:
  // A conversation is more than a text: to tell it as one would be a guess at the model's habits.
  [[nodiscard]] Result<void> refuse() const {
    if (request_.turns.size() != 1 || request_.turns[0].role != Role::user) {
      return unsupported(pointer_to(request_, Field::system),
                         "This model continues one text: send one user message and nothing else.");
    }
    for (std::size_t i = 0; i < request_.turns[0].parts.size(); ++i) {
      if (request_.turns[0].parts[i].as<Text>()) continue;
      return unsupported(pointer_to_part(request_, 0, i), "This model continues a text and sees nothing else.");
    }
    if (!request_.tools.empty())
      return unsupported(pointer_to(request_, Field::tools), "This model continues a text and calls no tools.");
    if (request_.format && request_.format->kind != FormatKind::text)
      return unsupported(pointer_to(request_, Field::format), "This model continues a text and follows no schema.");
    return {};
  }

  void prompt() {
    if (request_.turns.empty()) return;  // tokens: an extra
    out_.key("prompt");
    if (!own_) {
      std::string joined;
      for (std::size_t i = 0; i < request_.turns[0].parts.size(); ++i) {
        const Part& part = request_.turns[0].parts[i];
        joined += part.as<Text>()->text;
        const Pointer at = pointer_to_part(request_, 0, i);
        note_extras(part.extras, self, at, notes_);
        if (part.cache) notes_.lost(at + "/cache_control", "openai_completions has no cache marks");
      }
      note_extras(request_.turns[0].extras, self, pointer_to_turn(request_, 0), notes_);
      if (!request_.turns[0].name.empty())
        notes_.lost(pointer_to_turn(request_, 0) + "/name", "openai_completions names nobody");
      out_.string(joined);
      return;
    }
    std::vector<std::string_view> texts;
    for (std::size_t t = 0; t < request_.turns.size(); ++t) {
      for (std::size_t i = 0; i < request_.turns[t].parts.size(); ++i) {
        const Part& part = request_.turns[t].parts[i];
        if (const auto* text = part.as<Text>()) texts.push_back(text->text);
        if (part.seal || !part.as<Text>()) notes_.lost(pointer_to_part(request_, t, i), "a prompt is text");
      }
    }
    if (request_.turns[0].plain_string && texts.size() == 1) {
      out_.string(texts.front());
      return;
    }
    out_.begin_array();
    for (const std::string_view text : texts) out_.string(text);
    out_.end_array();
  }

  void settings() {
    const Sampling& s = request_.sampling;
    if (request_.max_output) out_.member("max_tokens", *request_.max_output);
    if (s.n) out_.member("n", *s.n);
    if (s.logit_bias) out_.member_raw("logit_bias", *s.logit_bias);
    if (s.logprobs.value_or(false) || s.top_logprobs) out_.member_raw("logprobs", s.top_logprobs.value_or("0"));
    if (request_.user) out_.member("user", *request_.user);
    if (request_.stop.empty()) return;
    if (request_.stop_is_string && request_.stop.size() == 1) {
      out_.member("stop", request_.stop.front());
      return;
    }
    out_.key("stop").begin_array();
    for (const std::string& one : request_.stop) out_.string(one);
    out_.end_array();
  }

  void stream() {
    if (to_.stream || request_.stream_said) out_.member_bool("stream", to_.stream);
    if (!to_.stream || !openai_chat::vendor(to_.provider).stream_options) return;
    out_.key("stream_options").begin_object();
    out_.member_bool("include_usage", true);  // always asked, so that tokens can be counted
    write_inner_extras(out_, request_.extras, self, "stream_options");
    out_.end_object();
  }

  void lose() {
    const auto lost = [&](bool said, Field field) {
      if (said) notes_.lost(pointer_to(request_, field), "openai_completions does not have it");
    };
    const ReasoningAsk& ask = request_.reasoning;
    lost(!ask.effort.empty(), Field::effort);
    lost(ask.budget.has_value(), Field::budget);
    lost(ask.effort.empty() && !ask.budget && ask.mode != ReasoningMode::unset, Field::reasoning);
    lost(!ask.display.empty(), Field::display);
    note_extras(ask.extras, self, pointer_to(request_, Field::reasoning), notes_);
    if (request_.sampling.logprobs.value_or(false))
      notes_.restated(pointer_to(request_, Field::logprobs), "asked for by the number of tokens");
    lost(request_.tool_choice.has_value(), Field::tool_choice);
    lost(request_.parallel_tools.has_value(), Field::parallel_tools);
    lost(request_.cache_key.has_value(), Field::cache_key);
    lost(request_.cache_auto.has_value(), Field::cache_auto);
    lost(request_.metadata.has_value(), Field::metadata);
    lost(request_.service_tier.has_value(), Field::service_tier);
    lost(request_.verbosity.has_value(), Field::verbosity);
    lost(request_.modalities.has_value(), Field::modalities);
    lost(request_.safety.has_value(), Field::safety);
  }

  const ChatRequest& request_;
  const Destination& to_;
  Notes& notes_;
  const bool own_;
  std::string body_;
  json::Writer out_;
};

}  // namespace

Result<ChatRequest> read_request(std::string_view body, json::Utf8 utf8) {
  json::Document doc;
  TRY(const Value root, doc.parse(body, utf8));
  return Reading().read(root);
}

Result<std::string> write_request(const ChatRequest& request, const Destination& to, Notes& notes) {
  return Writing(request, to, notes).run();
}

}  // namespace sluice::openai_completions
