// A client's Messages request as the canonical conversation. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "dialects/anthropic/anthropic.h"
#include "dialects/anthropic/blocks.h"
#include "dialects/spare.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;

std::unexpected<Failure> wrong(std::string param, std::string_view words) {
  Error error{.fault = Fault::bad_request};
  error.message = param + ": " + std::string(words);
  error.param = std::move(param);
  return fail(std::move(error));
}

std::string at(std::string_view list, std::size_t index) {
  return std::string(list) + '.' + std::to_string(index);
}

// Members of the known inner object `name` that are not among `known`.
void read_inner(json::Value object, std::string_view name, std::initializer_list<std::string_view> known,
                Extras& extras) {
  for (const auto [key, value] : object.members()) {
    if (value.is_null() || std::ranges::find(known, key) != known.end()) continue;
    add_inner(extras, self, name, key, value.raw());
  }
}

class Reading {
 public:
  explicit Reading(const Asked& asked) : asked_(asked) {}

  Result<ChatRequest> run() {
    TRY(const json::Value body, doc_.parse(asked_.body, asked_.utf8));
    if (!body.is_object()) return fail(Fault::bad_request, "The body must be a JSON object.");
    request_.origin = self;
    request_.max_output_field = "max_tokens";
    // The system text comes first in the conversation, wherever it stands in the body.
    if (const json::Value system = body["system"]; system && !system.is_null()) TRY_VOID(read_system(system));
    const json::Value messages = body["messages"];
    if (!messages) return wrong("messages", "Field required");
    if (!messages.is_array()) return wrong("messages", "Input should be a valid list");
    request_.turns.reserve(request_.turns.size() + messages.size());
    std::size_t index = 0;
    for (const json::Value message : messages.elements()) TRY_VOID(read_message(message, index++));
    for (const auto [key, value] : body.members()) TRY_VOID(read_member(key, value));
    if (request_.model.empty()) request_.model = asked_.path_model;
    request_.stream = request_.stream_said.value_or(asked_.path_streams);
    remember_headers();
    return std::move(request_);
  }

 private:
  // Version and beta flags belong to what the body says.
  void remember_headers() {
    std::string betas;
    for (const auto& [name, value] : asked_.headers) {
      if (name == "anthropic-version") remember(request_.extras, self, name, json::quote(value));
      if (name == "anthropic-beta") betas += (betas.empty() ? "" : ",") + std::string(value);
    }
    if (!betas.empty()) remember(request_.extras, self, "anthropic-beta", json::quote(betas));
  }

  Result<void> read_system(json::Value system) {
    Turn turn{.role = Role::system};
    TRY_VOID(read_content(system, "system", turn.parts, turn.plain_string));
    request_.turns.push_back(std::move(turn));
    return {};
  }

  Result<void> read_message(json::Value message, std::size_t index) {
    if (!message.is_object()) return wrong(at("messages", index), "Input does not match the expected shape.");
    const json::Value role = message["role"];
    Turn turn;
    if (role.equals("user")) {
      turn.role = Role::user;
    } else if (role.equals("assistant")) {
      turn.role = Role::assistant;
    } else if (role.equals("system")) {
      turn.role = Role::system;
    } else {
      return wrong(at("messages", index) + ".role", "Input should be 'user' or 'assistant'");
    }
    const json::Value content = message["content"];
    if (!content) return wrong(at("messages", index) + ".content", "Field required");
    TRY_VOID(read_content(content, at("messages", index) + ".content", turn.parts, turn.plain_string));
    read_extras(message, {"role", "content"}, turn.extras);
    request_.turns.push_back(std::move(turn));
    return {};
  }

  // The members of the body in their order. What is not named here is unknown and kept.
  Result<void> read_member(std::string_view key, json::Value value) {
    using Step = Result<void> (Reading::*)(json::Value);
    constexpr std::array<std::pair<std::string_view, Step>, 14> steps = {{
        {"model", &Reading::read_model},
        {"max_tokens", &Reading::read_max_tokens},
        {"stream", &Reading::read_stream},
        {"temperature", &Reading::read_sampling<&Sampling::temperature>},
        {"top_p", &Reading::read_sampling<&Sampling::top_p>},
        {"top_k", &Reading::read_sampling<&Sampling::top_k>},
        {"stop_sequences", &Reading::read_stop},
        {"thinking", &Reading::read_thinking},
        {"output_config", &Reading::read_output_config},
        {"output_format", &Reading::read_output_format},
        {"tools", &Reading::read_tools},
        {"tool_choice", &Reading::read_tool_choice},
        {"metadata", &Reading::read_metadata},
        {"service_tier", &Reading::read_service_tier},
    }};
    if (value.is_null() || key == "messages" || key == "system") return {};
    for (const auto& [name, step] : steps) {
      if (name == key) return (this->*step)(value);
    }
    if (key == "cache_control") {
      request_.cache_auto = read_cache_mark(value);
      if (request_.cache_auto) return {};
    }
    request_.extras.add(self, key, value.raw());
    return {};
  }

  Result<void> read_model(json::Value value) {
    if (!value.is_string()) return wrong("model", "Input should be a valid string");
    request_.model = value.text();
    return {};
  }

  Result<void> read_max_tokens(json::Value value) {
    request_.max_output = value.integer();
    if (!request_.max_output) return wrong("max_tokens", "Input should be a valid integer");
    return {};
  }

  Result<void> read_stream(json::Value value) {
    request_.stream_said = value.boolean();
    if (!request_.stream_said) return wrong("stream", "Input should be a valid boolean");
    return {};
  }

  template <std::optional<RawJson> Sampling::* member>
  Result<void> read_sampling(json::Value value) {
    if (!value.is_number()) {
      constexpr bool k = member == &Sampling::top_k;
      constexpr bool p = member == &Sampling::top_p;
      return wrong(k ? "top_k" : p ? "top_p" : "temperature", "Input should be a valid number");
    }
    request_.sampling.*member = std::string(value.raw());
    return {};
  }

  Result<void> read_stop(json::Value value) {
    if (!value.is_array()) return wrong("stop_sequences", "Input should be a valid list");
    for (const json::Value one : value.elements()) {
      if (!one.is_string()) return wrong("stop_sequences", "Input should be a valid string");
      request_.stop.push_back(one.text());
    }
    return {};
  }

  Result<void> read_thinking(json::Value value) {
    if (!value.is_object()) return wrong("thinking", "Input should be an object");
    ReasoningAsk& ask = request_.reasoning;
    const std::string type = value["type"].text();
    if (type == "enabled") {
      ask.mode = ReasoningMode::on;
      ask.budget = value["budget_tokens"].integer();
      if (!ask.budget) return wrong("thinking.enabled.budget_tokens", "Field required");
    } else if (type == "adaptive") {
      ask.mode = ReasoningMode::automatic;
    } else if (type == "disabled" || type == "between_tools") {
      ask.mode = ReasoningMode::off;
    } else {
      return wrong("thinking", "Input tag '" + type + "' found using 'type' does not match any of the expected tags");
    }
    ask.display = value["display"].text();
    // A form of "off" that only this dialect has.
    if (type == "between_tools") remember(ask.extras, self, type);
    read_extras(value, {"type", "budget_tokens", "display"}, ask.extras);
    return {};
  }

  void read_format(json::Value format) {
    OutputFormat out{.kind = FormatKind::json_schema, .schema = std::string(format["schema"].raw())};
    read_extras(format, {"type", "schema"}, out.extras);
    request_.format = std::move(out);
  }

  Result<void> read_output_config(json::Value value) {
    if (!value.is_object()) return wrong("output_config", "Input should be an object");
    request_.reasoning.effort = value["effort"].text();
    const json::Value format = value["format"];
    const bool known = format["type"].equals("json_schema") && format["schema"].is_object();
    if (known) read_format(format);
    read_inner(value, "output_config", {"effort", "format"}, request_.extras);
    if (format && !known) add_inner(request_.extras, self, "output_config", "format", format.raw());
    return {};
  }

  // The older name of output_config.format.
  Result<void> read_output_format(json::Value value) {
    if (value["type"].equals("json_schema") && value["schema"].is_object() && !request_.format) {
      read_format(value);
      remember(request_.format->extras, self, "output_format");
    } else {
      request_.extras.add(self, "output_format", value.raw());
    }
    return {};
  }

  Result<void> read_tools(json::Value value) {
    if (!value.is_array()) return wrong("tools", "Input should be a valid list");
    request_.tools_said = true;
    request_.tools.reserve(value.size());
    std::size_t index = 0;
    for (const json::Value tool : value.elements()) {
      if (!tool.is_object()) return wrong(at("tools", index), "Input should be an object");
      request_.tools.push_back(read_tool(tool));
      ++index;
    }
    return {};
  }

  static Tool read_tool(json::Value value) {
    Tool tool{.name = value["name"].text(), .origin = self};
    const json::Value type = value["type"];
    if (type && !type.is_null() && !type.equals("custom")) {
      tool.vendor_raw = std::string(value.raw());
      tool.vendor_type = type.text();
      return tool;
    }
    tool.description = value["description"].text();
    tool.schema = std::string(value["input_schema"].raw());
    tool.strict = value["strict"].boolean();
    tool.cache = read_cache_mark(value["cache_control"]);
    read_extras(value, {"type", "name", "description", "input_schema", "strict", "cache_control"}, tool.extras);
    if (type.is_string()) remember(tool.extras, self, "custom");
    return tool;
  }

  Result<void> read_tool_choice(json::Value value) {
    if (!value.is_object()) return wrong("tool_choice", "Input should be an object");
    ToolChoice choice{.origin = self};
    const std::string type = value["type"].text();
    if (type == "any") {
      choice.kind = ChoiceKind::required;
    } else if (type == "none") {
      choice.kind = ChoiceKind::none;
    } else if (type == "tool" && value["name"].is_string()) {
      choice.kind = ChoiceKind::one;
      choice.names.push_back(value["name"].text());
    } else if (type != "auto") {
      return wrong("tool_choice", "Input should be 'auto', 'any', 'tool' with a name, or 'none'");
    }
    if (const auto off = value["disable_parallel_tool_use"].boolean()) request_.parallel_tools = !*off;
    request_.tool_choice = std::move(choice);
    return {};
  }

  Result<void> read_metadata(json::Value value) {
    if (!value.is_object()) return wrong("metadata", "Input should be an object");
    if (const auto user = value["user_id"].string()) {
      request_.user = *user;
      request_.user_field = "metadata.user_id";
    }
    read_inner(value, "metadata", {"user_id"}, request_.extras);
    return {};
  }

  Result<void> read_service_tier(json::Value value) {
    if (!value.is_string()) return wrong("service_tier", "Input should be a valid string");
    // What others call the default is what this vendor calls standard.
    request_.service_tier = value.equals("standard_only") ? "default" : value.text();
    return {};
  }

  const Asked& asked_;
  json::Document doc_;
  ChatRequest request_;
};

}  // namespace

Result<ChatRequest> read_request(const Asked& asked, Notes&) {
  return Reading(asked).run();
}

}  // namespace sluice::anthropic
