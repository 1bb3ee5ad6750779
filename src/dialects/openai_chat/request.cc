// A client's request into the canonical conversation. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "dialects/openai_chat/message.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/wrong.h"
#include "dialects/spare.h"

namespace sluice::openai_chat {
namespace {

using json::Kind;
using json::Value;

// The place of a message as errors name it.
std::string place(std::size_t message) {
  return "messages[" + std::to_string(message) + "]";
}

Result<Role> read_role(Value role, std::size_t message) {
  if (!role) return missing(place(message) + ".role");
  if (!role.is_string()) return wrong_type(place(message) + ".role", "a string", kind_of(role));
  std::string scratch;
  const std::string_view word = role.view(scratch);
  if (word == "system") return Role::system;
  if (word == "developer") return Role::developer;
  if (word == "user") return Role::user;
  if (word == "assistant") return Role::assistant;
  if (word == "tool" || word == "function") return Role::tool;
  return invalid(place(message) + ".role", "Invalid value: '" + std::string(word) +
                                               "'. Supported values are: 'system', 'assistant', "
                                               "'user', 'function', 'tool', and 'developer'.");
}

// A tool's or function's message: one result.
void read_result(Value message, MessageParts& read, Turn& turn) {
  ToolResult result{.plain_string = read.plain_string};
  if (message["role"].equals("function")) {
    result.name = message["name"].text();
    result.call_id = legacy_call_id(result.name);
  } else {
    result.call_id = message["tool_call_id"].text();
    result.name = message["name"].text();
  }
  std::erase_if(read.extras.members, [](const Extra& extra) { return extra.key == "tool_call_id"; });
  result.parts = std::move(read.parts);
  turn.parts.push_back({.body = std::move(result)});
  turn.plain_string = read.plain_string;
}

Result<Turn> read_turn(Value message, std::size_t index) {
  if (!message.is_object()) return wrong_type(place(index), "an object", kind_of(message));
  Turn turn;
  const auto [role, content, name, calls, breakpoint, cache_control] =
      message.pick("role", "content", "name", "tool_calls", "prompt_cache_breakpoint", "cache_control");
  TRY(turn.role, read_role(role, index));
  if (content && !content.is_string() && !content.is_array() && !content.is_null()) {
    return wrong_type(place(index) + ".content", "one of a string or an array of objects", kind_of(content));
  }
  if (calls && !calls.is_array() && !calls.is_null()) {
    return wrong_type(place(index) + ".tool_calls", "an array of objects", kind_of(calls));
  }
  MessageParts read = read_message(message, true);
  if (turn.role == Role::tool) {
    read_result(message, read, turn);
  } else {
    turn.plain_string = read.plain_string;
    turn.parts = std::move(read.parts);
    turn.name = name.text();
  }
  turn.extras = std::move(read.extras);
  // A mark for the whole message stands for its last part.
  if (auto mark = read_cache_mark(breakpoint, cache_control); mark && !turn.parts.empty() && !turn.parts.back().cache) {
    turn.parts.back().cache = std::move(mark);
    remember(turn.extras, self, "marked");
  } else if (mark) {
    turn.extras.add(self, "cache_control", cache_control.raw());
  }
  return turn;
}

// {name, description, parameters, strict} of a function, as it stands in a tool or in the old list of functions.
void read_function(Value function, Tool& tool, std::string_view inner) {
  for (const auto [key, value] : function.members()) {
    if (key == "name") {
      tool.name = value.text();
    } else if (key == "description" && value.is_string()) {
      tool.description = value.text();
    } else if (key == "parameters" && value.is_object()) {
      tool.schema = std::string(value.raw());
    } else if (key == "format" && tool.kind == ToolKind::custom) {
      tool.format = std::string(value.raw());
    } else if (key == "strict" && value.boolean()) {
      tool.strict = value.boolean();
    } else {
      add_inner(tool.extras, self, inner, key, value.raw());
    }
  }
}

Tool read_tool(Value declared) {
  Tool tool;
  const bool custom = declared["type"].equals("custom") && declared["custom"].is_object();
  const bool function = declared["function"].is_object() && (!declared["type"] || declared["type"].equals("function"));
  if (!custom && !function) {
    tool.vendor_type = declared["type"].text();
    tool.vendor_raw = std::string(declared.raw());
    tool.name = declared["name"].text();
    return tool;
  }
  const std::string_view inner = custom ? "custom" : "function";
  tool.kind = custom ? ToolKind::custom : ToolKind::function;
  read_function(declared[inner], tool, inner);
  tool.cache = read_cache_mark(declared);
  for (const auto [key, value] : declared.members()) {
    if (key == "type" || key == inner || key == "cache_control" || key == "prompt_cache_breakpoint") continue;
    tool.extras.add(self, key, value.raw());
  }
  return tool;
}

std::string tool_name(Value choice) {
  return choice["function"].is_object() ? choice["function"]["name"].text() : choice["custom"]["name"].text();
}

std::optional<ToolChoice> read_choice(Value choice) {
  ToolChoice out;
  if (choice.equals("auto")) return out;
  if (choice.equals("none")) {
    out.kind = ChoiceKind::none;
  } else if (choice.equals("required") || choice.equals("any")) {  // Mistral's word
    out.kind = ChoiceKind::required;
  } else if (choice["function"]["name"].is_string() || choice["custom"]["name"].is_string()) {
    out.kind = ChoiceKind::one;
    out.names = {tool_name(choice)};
    out.tool_kind = choice["custom"] ? ToolKind::custom : ToolKind::function;
  } else if (const Value allowed = choice["allowed_tools"]; allowed["tools"].is_array()) {
    out.kind = ChoiceKind::subset;
    out.subset_required = allowed["mode"].equals("required");
    for (const Value one : allowed["tools"].elements()) out.names.push_back(tool_name(one));
  } else {
    out.raw = std::string(choice.raw());
  }
  return out;
}

// The choice of the first generation: "none", "auto", {name}.
std::optional<ToolChoice> read_function_call(Value call) {
  if (call.is_string()) return read_choice(call);
  return ToolChoice{.kind = ChoiceKind::one, .names = {call["name"].text()}};
}

bool read_format(Value format, ChatRequest& request) {
  OutputFormat out;
  if (format["type"].equals("text")) {
    out.kind = FormatKind::text;
  } else if (format["type"].equals("json_object")) {
    out.kind = FormatKind::json_object;
    if (format["schema"].is_object()) {  // some vendors take the schema here
      out.kind = FormatKind::json_schema;
      out.schema = std::string(format["schema"].raw());
      remember(out.extras, self, "flat");
    }
  } else if (const Value inside = format["json_schema"]; format["type"].equals("json_schema") && inside.is_object()) {
    out.kind = FormatKind::json_schema;
    for (const auto [key, value] : inside.members()) {
      if (key == "name") {
        out.name = value.text();
      } else if (key == "description" && value.is_string()) {
        out.description = value.text();
      } else if (key == "schema") {
        out.schema = std::string(value.raw());
      } else if (key == "strict" && value.boolean()) {
        out.strict = value.boolean();
      } else {
        add_inner(out.extras, self, "json_schema", key, value.raw());
      }
    }
  } else {
    return false;
  }
  for (const auto [key, value] : format.members()) {
    if (key == "type" || (key == "json_schema" && value.is_object()) || key == "schema") continue;
    out.extras.add(self, key, value.raw());
  }
  request.format = std::move(out);
  return true;
}

// OpenRouter's object.
void read_reasoning_object(Value reasoning, ReasoningAsk& ask) {
  remember(ask.extras, self, "reasoning");
  for (const auto [key, value] : reasoning.members()) {
    if (key == "effort" && value.is_string()) {
      ask.effort = value.text();
    } else if (key == "max_tokens" && value.integer()) {
      ask.budget = value.integer();
    } else if (key == "exclude" && value.boolean() == true) {
      ask.display = "omitted";
    } else if (key == "enabled" && value.boolean()) {
      ask.mode = *value.boolean() ? ReasoningMode::on : ReasoningMode::off;
    } else {
      add_inner(ask.extras, self, "reasoning", key, value.raw());
    }
  }
}

// DeepSeek, GLM, Kimi, Doubao.
bool read_thinking(Value thinking, ReasoningAsk& ask) {
  if (thinking["type"].equals("enabled")) {
    ask.mode = ReasoningMode::on;
  } else if (thinking["type"].equals("disabled")) {
    ask.mode = ReasoningMode::off;
  } else if (thinking["type"].equals("auto") || thinking["type"].equals("adaptive")) {
    ask.mode = ReasoningMode::automatic;
  } else {
    return false;
  }
  remember(ask.extras, self, "thinking", thinking["type"].raw());
  for (const auto [key, value] : thinking.members()) {
    if (key == "type") continue;
    if (key == "budget_tokens" && value.integer()) {
      ask.budget = value.integer();
      remember(ask.extras, self, "thinking_tokens");
    } else {
      add_inner(ask.extras, self, "thinking", key, value.raw());
    }
  }
  return true;
}

// Reads the members one after the other; those that it does not know, or whose form is not the known one, are extras.
class RequestReading {
 public:
  Result<ChatRequest> read(Value root) {
    if (!root.is_object()) return wrong_type("body", "an object", kind_of(root));
    for (const auto [key, value] : root.members()) {
      TRY(const bool known, member(key, value));
      if (!known) out_.extras.add(self, key, value.raw());
    }
    if (!messages_) return missing("messages");
    return std::move(out_);
  }

 private:
  Result<bool> member(std::string_view key, Value value) {
    if (key == "messages") return messages(value);
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
    if (key == "tools" || key == "functions") return tools(key, value);
    TRY(const bool number, numbers(key, value));
    if (number) return true;
    return settings(key, value);
  }

  Result<bool> messages(Value value) {
    if (!value.is_array()) return wrong_type("messages", "an array of objects", kind_of(value));
    if (value.size() == 0) {
      return invalid("messages",
                     "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
                     "empty array instead.");
    }
    if (std::exchange(messages_, true)) return twice("messages");
    out_.turns.reserve(value.size());
    std::size_t i = 0;
    for (const Value message : value.elements()) {
      TRY(Turn turn, read_turn(message, i++));
      out_.turns.push_back(std::move(turn));
    }
    return true;
  }

  Result<bool> tools(std::string_view key, Value value) {
    if (!value.is_array()) return wrong_type(key, "an array of objects", kind_of(value));
    out_.tools_said = true;
    for (const Value one : value.elements()) {
      if (!one.is_object()) return wrong_type(key, "an array of objects", kind_of(one));
      if (key == "tools") {
        out_.tools.push_back(read_tool(one));
      } else {
        read_function(one, out_.tools.emplace_back(), "function");
      }
    }
    return true;
  }

  Result<bool> numbers(std::string_view key, Value value) {
    static constexpr std::pair<std::string_view, std::optional<RawJson> Sampling::*> plain[] = {
        {"temperature", &Sampling::temperature},
        {"top_p", &Sampling::top_p},
        {"top_k", &Sampling::top_k},
        {"min_p", &Sampling::min_p},
        {"presence_penalty", &Sampling::presence_penalty},
        {"frequency_penalty", &Sampling::frequency_penalty},
        {"seed", &Sampling::seed},
        {"random_seed", &Sampling::seed},
        {"top_logprobs", &Sampling::top_logprobs},
    };
    Sampling& s = out_.sampling;
    for (const auto& [name, number] : plain) {
      if (name != key) continue;
      if (!value.is_number()) return wrong_type(key, "a number", kind_of(value));
      s.*number = std::string(value.raw());
      return true;
    }
    if (key == "n") {
      if (!value.integer()) return wrong_type(key, "an integer", kind_of(value));
      s.n = value.integer();
      return true;
    }
    if (key != "max_tokens" && key != "max_completion_tokens") return false;
    if (!value.integer()) return wrong_type(key, "an integer", kind_of(value));
    if (out_.max_output) {  // both were said: the newer one counts, the other stays beside it
      const bool newer = key == "max_completion_tokens";
      out_.extras.add(self, newer ? "max_tokens" : key, newer ? std::to_string(*out_.max_output) : value.raw());
      if (!newer) return true;
    }
    out_.max_output = value.integer();
    out_.max_output_field = std::string(key);
    return true;
  }

  Result<bool> settings(std::string_view key, Value value) {
    if (key == "stop") return stop(value);
    if (key == "stream_options" && value.is_object()) {
      for (const auto [name, inner] : value.members()) {
        if (name == "include_usage" && inner.boolean()) {
          out_.usage_in_stream = inner.boolean();
        } else {
          add_inner(out_.extras, self, "stream_options", name, inner.raw());
        }
      }
      return true;
    }
    if (key == "tool_choice") return set(out_.tool_choice, read_choice(value));
    if (key == "function_call") return set(out_.tool_choice, read_function_call(value));
    if (key == "parallel_tool_calls" && value.boolean()) return set(out_.parallel_tools, value.boolean());
    if (key == "response_format") return read_format(value, out_);
    if (key == "logit_bias" && value.is_object()) return set(out_.sampling.logit_bias, std::string(value.raw()));
    if (key == "logprobs" && value.boolean()) return set(out_.sampling.logprobs, value.boolean());
    if (key == "metadata" && value.is_object()) return set(out_.metadata, std::string(value.raw()));
    if (key == "cache_control" && value.is_object()) return set(out_.cache_auto, CacheMark{.ttl = value["ttl"].text()});
    if (key == "modalities" && value.is_array()) {
      std::vector<std::string> words;
      for (const Value word : value.elements()) words.push_back(word.text());
      return set(out_.modalities, std::move(words));
    }
    return reasoning(key, value) || words(key, value);
  }

  template <class To, class From>
  static bool set(To& to, From from) {
    to = std::move(from);
    return true;
  }

  bool reasoning(std::string_view key, Value value) {
    ReasoningAsk& ask = out_.reasoning;
    if (key == "reasoning_effort" && value.is_string()) return set(ask.effort, value.text());
    if (key == "reasoning" && value.is_object()) {
      read_reasoning_object(value, ask);
      return true;
    }
    if (key == "thinking" && value.is_object()) return read_thinking(value, ask);
    if (key == "enable_thinking" && value.boolean()) {
      remember(ask.extras, self, "enable_thinking");
      return set(ask.mode, *value.boolean() ? ReasoningMode::on : ReasoningMode::off);
    }
    if (key == "thinking_budget" && value.integer()) {
      remember(ask.extras, self, "thinking_budget");
      return set(ask.budget, value.integer());
    }
    return false;
  }

  bool words(std::string_view key, Value value) {
    if (!value.is_string()) return false;
    if (key == "prompt_cache_key") return set(out_.cache_key, value.text());
    if (key == "service_tier") return set(out_.service_tier, value.text());
    if (key == "verbosity") return set(out_.verbosity, value.text());
    if ((key == "user" || key == "safety_identifier") && !out_.user) {
      out_.user_field = std::string(key);
      return set(out_.user, value.text());
    }
    return false;
  }

  Result<bool> stop(Value value) {
    if (value.is_string()) {
      out_.stop = {value.text()};
      out_.stop_is_string = true;
      return true;
    }
    if (!value.is_array()) return wrong_type("stop", "one of a string or an array of strings", kind_of(value));
    for (const Value one : value.elements()) {
      if (!one.is_string()) return wrong_type("stop", "one of a string or an array of strings", kind_of(one));
      out_.stop.push_back(one.text());
    }
    return true;
  }

  ChatRequest out_{.origin = self};
  bool messages_ = false;
};

}  // namespace

Result<ChatRequest> read_request(std::string_view body, json::Utf8 utf8) {
  json::Document doc;
  TRY(const Value root, doc.parse(body, utf8));
  return RequestReading().read(root);
}

}  // namespace sluice::openai_chat
