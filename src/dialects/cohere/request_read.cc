// A client's request as the canonical conversation. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "dialects/cohere/cohere.h"
#include "dialects/cohere/message.h"
#include "dialects/spare.h"

namespace sluice::cohere {
namespace {

using json::Value;

std::unexpected<Failure> wrong(std::string param, std::string_view words) {
  Error error{.fault = Fault::bad_request};
  error.message = "invalid request: " + param + ' ' + std::string(words);
  error.param = std::move(param);
  return fail(std::move(error));
}

std::string place(std::size_t message) {
  return "messages[" + std::to_string(message) + ']';
}

void spare(Extras& extras, Value object, std::initializer_list<std::string_view> known) {
  for (const auto [key, value] : object.members()) {
    if (std::ranges::find(known, key) == known.end()) extras.add(self, key, value.raw());
  }
}

class Reading {
 public:
  explicit Reading(const Asked& asked) : asked_(asked) {}

  Result<ChatRequest> run() {
    TRY(const Value body, doc_.parse(asked_.body, asked_.utf8));
    if (!body.is_object()) return fail(Fault::bad_request, "invalid request: the body must be a JSON object");
    request_.origin = self;
    const Value messages = body["messages"];
    if (!messages.is_array()) return wrong("messages", "is required and must be a list");
    request_.turns.reserve(messages.size());
    for (const Value message : messages.elements()) TRY_VOID(read_turn(message));
    for (const auto [key, value] : body.members()) TRY_VOID(read_member(key, value));
    if (strict_) {
      for (Tool& tool : request_.tools) {
        if (tool.vendor_raw.empty()) tool.strict = strict_;
      }
    }
    if (request_.model.empty()) request_.model = asked_.path_model;
    request_.stream = request_.stream_said.value_or(asked_.path_streams);
    return std::move(request_);
  }

 private:
  Result<void> read_turn(Value message) {
    const std::string at = place(request_.turns.size());
    if (!message.is_object()) return wrong(at, "must be an object");
    const auto [role, id] = message.pick("role", "tool_call_id");
    Turn turn;
    if (role.equals("user")) {
      turn.role = Role::user;
    } else if (role.equals("assistant")) {
      turn.role = Role::assistant;
    } else if (role.equals("system")) {
      turn.role = Role::system;
    } else if (role.equals("tool")) {
      turn.role = Role::tool;
    } else {
      return wrong(at + ".role", "must be one of system, user, assistant, tool");
    }
    TRY(MessageParts read, read_message(message, at));
    turn.plain_string = read.plain_string;
    turn.extras = std::move(read.extras);
    if (turn.role == Role::tool) {
      if (!id.is_string()) return wrong(at + ".tool_call_id", "is required");
      ToolResult result{.call_id = id.text(), .parts = std::move(read.parts), .plain_string = read.plain_string};
      turn.parts.push_back({.body = std::move(result)});
    } else {
      turn.parts = std::move(read.parts);
    }
    request_.turns.push_back(std::move(turn));
    return {};
  }

  // The members of the body. What is not named here is unknown and kept.
  Result<void> read_member(std::string_view key, Value value) {
    using Step = Result<void> (Reading::*)(Value);
    constexpr std::array<std::pair<std::string_view, Step>, 17> steps = {{
        {"model", &Reading::read_model},
        {"stream", &Reading::read_stream},
        {"max_tokens", &Reading::read_max_tokens},
        {"stop_sequences", &Reading::read_stop},
        {"temperature", &Reading::read_sampling<&Sampling::temperature>},
        {"p", &Reading::read_sampling<&Sampling::top_p>},
        {"k", &Reading::read_sampling<&Sampling::top_k>},
        {"seed", &Reading::read_sampling<&Sampling::seed>},
        {"frequency_penalty", &Reading::read_sampling<&Sampling::frequency_penalty>},
        {"presence_penalty", &Reading::read_sampling<&Sampling::presence_penalty>},
        {"logprobs", &Reading::read_logprobs},
        {"tools", &Reading::read_tools},
        {"tool_choice", &Reading::read_tool_choice},
        {"strict_tools", &Reading::read_strict_tools},
        {"documents", &Reading::read_documents},
        {"response_format", &Reading::read_format},
        {"thinking", &Reading::read_thinking},
    }};
    if (value.is_null() || key == "messages") return {};
    for (const auto& [name, step] : steps) {
      if (name == key) return (this->*step)(value);
    }
    request_.extras.add(self, key, value.raw());
    return {};
  }

  Result<void> read_model(Value value) {
    if (!value.is_string()) return wrong("model", "must be a string");
    request_.model = value.text();
    return {};
  }

  Result<void> read_stream(Value value) {
    request_.stream_said = value.boolean();
    if (!request_.stream_said) return wrong("stream", "must be a boolean");
    return {};
  }

  Result<void> read_max_tokens(Value value) {
    request_.max_output = value.integer();
    if (!request_.max_output) return wrong("max_tokens", "must be an integer");
    return {};
  }

  Result<void> read_stop(Value value) {
    if (!value.is_array()) return wrong("stop_sequences", "must be a list of strings");
    for (const Value one : value.elements()) {
      if (!one.is_string()) return wrong("stop_sequences", "must be a list of strings");
      request_.stop.push_back(one.text());
    }
    return {};
  }

  template <std::optional<RawJson> Sampling::* member>
  Result<void> read_sampling(Value value) {
    if (!value.is_number()) return wrong("temperature, p, k, seed and the penalties", "must be numbers");
    request_.sampling.*member = std::string(value.raw());
    return {};
  }

  Result<void> read_logprobs(Value value) {
    request_.sampling.logprobs = value.boolean();
    if (!request_.sampling.logprobs) return wrong("logprobs", "must be a boolean");
    return {};
  }

  Result<void> read_tools(Value value) {
    if (!value.is_array()) return wrong("tools", "must be a list");
    request_.tools_said = true;
    for (const Value tool : value.elements()) request_.tools.push_back(read_tool(tool));
    return {};
  }

  static Tool read_tool(Value value) {
    const auto [type, function] = value.pick("type", "function");
    Tool tool{.name = function["name"].text(), .origin = self};
    if (!function.is_object() || (type && !type.equals("function"))) {
      tool.vendor_raw = std::string(value.raw());
      tool.vendor_type = type.text();
      return tool;
    }
    for (const auto [key, inner] : function.members()) {
      if (key == "description" && inner.is_string()) {
        tool.description = inner.text();
      } else if (key == "parameters" && inner.is_object()) {
        tool.schema = std::string(inner.raw());
      } else if (key != "name") {
        add_inner(tool.extras, self, "function", key, inner.raw());
      }
    }
    spare(tool.extras, value, {"type", "function"});
    return tool;
  }

  Result<void> read_tool_choice(Value value) {
    ToolChoice choice{.origin = self};
    if (value.equals("REQUIRED")) {
      choice.kind = ChoiceKind::required;
    } else if (value.equals("NONE")) {
      choice.kind = ChoiceKind::none;
    } else {
      return wrong("tool_choice", "must be REQUIRED or NONE");
    }
    request_.tool_choice = std::move(choice);
    return {};
  }

  Result<void> read_strict_tools(Value value) {
    strict_ = value.boolean();
    if (!strict_) return wrong("strict_tools", "must be a boolean");
    remember(request_.extras, self, "strict_tools", value.raw());
    return {};
  }

  // Documents are what the last question is asked about: they stand in front of it.
  Result<void> read_documents(Value value) {
    if (!value.is_array()) return wrong("documents", "must be a list");
    const auto question = std::ranges::find(request_.turns.rbegin(), request_.turns.rend(), Role::user, &Turn::role);
    if (question == request_.turns.rend()) {
      request_.extras.add(self, "documents", value.raw());
      return {};
    }
    std::vector<Part> parts;
    std::size_t index = 0;
    for (const Value document : value.elements()) {
      const Value data = document.is_string() ? document : document["data"];
      if (!data.is_string() && !data.is_object()) {
        return wrong("documents[" + std::to_string(index) + ']', "must be a string or an object with data");
      }
      parts.push_back(read_document(document, data));
      ++index;
    }
    question->parts.insert(question->parts.begin(), std::make_move_iterator(parts.begin()),
                           std::make_move_iterator(parts.end()));
    return {};
  }

  static Part read_document(Value document, Value data) {
    DocumentText text = document_text(data, true);
    Part part{.body = Media{.kind = MediaKind::document,
                            .form = MediaForm::text,
                            .data = std::move(text.text),
                            .mime = "text/plain",
                            .name = std::move(text.title),
                            .origin = self}};
    remember(part.extras, self, document_memory, data.raw());
    if (document.is_string()) remember(part.extras, self, "string");
    spare(part.extras, document, {"data"});
    return part;
  }

  Result<void> read_format(Value value) {
    OutputFormat format;
    const auto [type, schema] = value.pick("type", "json_schema");
    if (type.equals("json_object")) {
      format.kind = schema.is_object() ? FormatKind::json_schema : FormatKind::json_object;
      if (schema.is_object()) format.schema = std::string(schema.raw());
    } else if (!type.equals("text")) {
      return wrong("response_format.type", "must be text or json_object");
    }
    for (const auto [key, inner] : value.members()) {
      if (key != "type" && !inner.is_null() && !(key == "json_schema" && inner.is_object())) {
        format.extras.add(self, key, inner.raw());
      }
    }
    request_.format = std::move(format);
    return {};
  }

  Result<void> read_thinking(Value value) {
    ReasoningAsk& ask = request_.reasoning;
    const auto [type, budget] = value.pick("type", "token_budget");
    if (type.equals("enabled")) {
      ask.mode = ReasoningMode::on;
    } else if (type.equals("disabled")) {
      ask.mode = ReasoningMode::off;
    } else {
      return wrong("thinking.type", "must be enabled or disabled");
    }
    ask.budget = budget.integer();
    if (budget && !budget.is_null() && !ask.budget) return wrong("thinking.token_budget", "must be an integer");
    spare(ask.extras, value, {"type", "token_budget"});
    return {};
  }

  const Asked& asked_;
  json::Document doc_;
  ChatRequest request_;
  std::optional<bool> strict_;
};

}  // namespace

Result<ChatRequest> read_request(const Asked& asked) {
  return Reading(asked).run();
}

}  // namespace sluice::cohere
