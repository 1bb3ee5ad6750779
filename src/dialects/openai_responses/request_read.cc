// A client's request into the canonical conversation: settings. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "dialects/openai_chat/wrong.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/openai_responses/reading.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

using json::Value;
using openai_chat::kind_of;
using openai_chat::twice;
using openai_chat::wrong_type;

// What is asked of whoever answers, and what Sluice does for everybody: such a member is no loss elsewhere.
bool fulfilled(std::string_view key, Value value) {
  if (key == "store" || key == "background") return value.boolean() == false;
  if (key == "truncation") return value.equals("disabled");
  if (key == "stream_options") return value.size() == 1 && value["include_obfuscation"];
  if (key != "include") return false;
  for (const Value one : value.elements()) {
    if (!one.equals("reasoning.encrypted_content") && !one.equals("message.output_text.logprobs")) return false;
  }
  return true;
}

class Reading {
 public:
  Result<ChatRequest> read(Value root) {
    if (!root.is_object()) return wrong_type("body", "an object", kind_of(root));
    // Instructions come first in the conversation, wherever they stand in the body.
    if (const Value said = root["instructions"]; said && !said.is_null()) {
      if (!said.is_string()) return wrong_type("instructions", "a string", kind_of(said));
      Turn turn{.role = Role::developer, .plain_string = true};
      turn.parts.push_back({.body = Text{.text = said.text()}});
      remember(turn.extras, self, "instructions");
      out_.turns.push_back(std::move(turn));
    }
    for (const auto [key, value] : root.members()) {
      TRY(const bool known, member(key, value));
      if (known || value.is_null()) continue;
      if (fulfilled(key, value)) {
        remember(out_.extras, self, key, value.raw());
      } else {
        out_.extras.add(self, key, value.raw());
      }
    }
    if (!input_ && !elsewhere(root)) return openai_chat::missing("input");
    return std::move(out_);
  }

 private:
  // The conversation may be held by the vendor.
  static bool elsewhere(Value root) {
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{"prompt", "previous_response_id", "conversation"},
        [&](std::string_view key) { return root[key] && !root[key].is_null(); });
  }

  Result<bool> member(std::string_view key, Value value) {
    if (key == "instructions") return true;
    if (key == "input") {
      if (std::exchange(input_, true)) return twice("input");
      if (value.is_null()) return true;
      TRY_VOID(read_input(value, out_));
      return true;
    }
    if (key == "model") {
      if (!value.is_string() && !value.is_null()) return wrong_type("model", "a string", kind_of(value));
      return set(out_.model, value.text());
    }
    if (value.is_null()) return false;
    if (key == "stream") {
      if (!value.boolean()) return wrong_type("stream", "a boolean", kind_of(value));
      out_.stream = *value.boolean();
      return set(out_.stream_said, value.boolean());
    }
    if (key == "tools") {
      TRY_VOID(read_tools(value, out_));
      return true;
    }
    if (key == "tool_choice") return set(out_.tool_choice, read_tool_choice(value));
    TRY(const bool number, numbers(key, value));
    return number || settings(key, value);
  }

  Result<bool> numbers(std::string_view key, Value value) {
    static constexpr std::pair<std::string_view, std::optional<RawJson> Sampling::*> plain[] = {
        {"temperature", &Sampling::temperature},
        {"top_p", &Sampling::top_p},
        {"top_logprobs", &Sampling::top_logprobs},
    };
    for (const auto& [name, number] : plain) {
      if (name != key) continue;
      if (!value.is_number()) return wrong_type(key, "a number", kind_of(value));
      return set(out_.sampling.*number, std::string(value.raw()));
    }
    if (key != "max_output_tokens") return false;
    if (!value.integer()) return wrong_type(key, "an integer", kind_of(value));
    return set(out_.max_output, value.integer());
  }

  bool settings(std::string_view key, Value value) {
    if (key == "parallel_tool_calls" && value.boolean()) return set(out_.parallel_tools, value.boolean());
    if (key == "reasoning" && value.is_object()) return reasoning(value);
    if (key == "text" && value.is_object()) return text(value);
    if (key == "metadata" && value.is_object()) return set(out_.metadata, std::string(value.raw()));
    if (key == "include") {
      for (const Value one : value.elements()) {
        if (one.equals("message.output_text.logprobs")) out_.sampling.logprobs = true;
      }
      return false;
    }
    if (!value.is_string()) return false;
    if (key == "prompt_cache_key") return set(out_.cache_key, value.text());
    if (key == "service_tier") return set(out_.service_tier, value.text());
    if ((key == "user" || key == "safety_identifier") && !out_.user) {
      out_.user_field = std::string(key);
      return set(out_.user, value.text());
    }
    return false;
  }

  bool reasoning(Value value) {
    ReasoningAsk& ask = out_.reasoning;
    for (const auto [key, inner] : value.members()) {
      if (inner.is_null()) continue;
      if (key == "effort" && inner.is_string()) {
        ask.effort = inner.text();
      } else if (key == "summary" && inner.is_string()) {
        ask.display = inner.text();
      } else {
        ask.extras.add(self, key, inner.raw());
      }
    }
    return true;
  }

  bool text(Value value) {
    for (const auto [key, inner] : value.members()) {
      if (inner.is_null()) continue;
      if (key == "verbosity" && inner.is_string()) {
        out_.verbosity = inner.text();
      } else if (key != "format" || !format(inner)) {
        add_inner(out_.extras, self, "text", key, inner.raw());
      }
    }
    return true;
  }

  bool format(Value value) {
    OutputFormat form;
    if (value["type"].equals("json_schema")) {
      form.kind = FormatKind::json_schema;
    } else if (value["type"].equals("json_object")) {
      form.kind = FormatKind::json_object;
    } else if (!value["type"].equals("text")) {
      return false;
    }
    for (const auto [key, inner] : value.members()) {
      if (key == "type" || inner.is_null()) continue;
      if (key == "name" && inner.is_string()) {
        form.name = inner.text();
      } else if (key == "description" && inner.is_string()) {
        form.description = inner.text();
      } else if (key == "schema" && inner.is_object()) {
        form.schema = std::string(inner.raw());
      } else if (key == "strict" && inner.boolean()) {
        form.strict = inner.boolean();
      } else {
        form.extras.add(self, key, inner.raw());
      }
    }
    return set(out_.format, std::move(form));
  }

  template <class To, class From>
  static bool set(To& to, From from) {
    to = std::move(from);
    return true;
  }

  ChatRequest out_{.origin = self};
  bool input_ = false;
};

}  // namespace

Result<ChatRequest> read_request(std::string_view body, json::Utf8 utf8) {
  json::Document doc;
  TRY(const Value root, doc.parse(body, utf8));
  return Reading().read(root);
}

}  // namespace sluice::openai_responses
