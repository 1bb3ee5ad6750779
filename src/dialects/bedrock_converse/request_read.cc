// A client's request as the canonical conversation. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "dialects/bedrock_converse/bedrock_converse.h"
#include "dialects/bedrock_converse/blocks.h"
#include "dialects/bedrock_converse/fields.h"
#include "dialects/spare.h"

namespace sluice::bedrock_converse {
namespace {

using json::Value;

std::unexpected<Failure> wrong(std::string param, std::string_view words) {
  Error error{.fault = Fault::bad_request};
  error.message = "Invalid request: " + param + ' ' + std::string(words) + '.';
  error.param = std::move(param);
  return fail(std::move(error));
}

std::string at(std::string_view list, std::size_t index) {
  return std::string(list) + '.' + std::to_string(index);
}

class Reading {
 public:
  explicit Reading(const Asked& asked) : asked_(asked) {}

  Result<ChatRequest> run() {
    TRY(const Value body, doc_.parse(asked_.body, asked_.utf8));
    if (!body.is_object()) return fail(Fault::bad_request, "Invalid request: the body must be a JSON object.");
    request_.origin = self;
    request_.model = asked_.path_model;
    request_.stream = asked_.path_streams;
    const auto [system, messages] = body.pick("system", "messages");
    TRY_VOID(read_system(system));
    TRY_VOID(read_messages(messages));
    for (const auto [key, value] : body.members()) TRY_VOID(read_member(key, value));
    return std::move(request_);
  }

 private:
  Result<void> read_system(Value system) {
    if (system && !system.is_array() && !system.is_null()) return wrong("system", "must be a list of blocks");
    if (system.size() == 0) return {};
    Turn turn{.role = Role::system};
    TRY_VOID(read_content(system, "system", turn));
    request_.turns.push_back(std::move(turn));
    return {};
  }

  Result<void> read_messages(Value messages) {
    if (!messages || messages.is_null()) return {};  // a prompt that is kept by the vendor may hold them
    if (!messages.is_array()) return wrong("messages", "must be a list");
    request_.turns.reserve(request_.turns.size() + messages.size());
    std::size_t index = 0;
    for (const Value message : messages.elements()) {
      const std::string place = at("messages", index++);
      const auto [role, content] = message.pick("role", "content");
      Turn turn;
      if (role.equals("assistant")) {
        turn.role = Role::assistant;
      } else if (role.equals("system")) {
        turn.role = Role::system;
      } else if (!role.equals("user")) {
        return wrong(place + ".role", "must be user or assistant");
      }
      TRY_VOID(read_content(content, place + ".content", turn));
      read_rest(message, {"role", "content"}, turn.extras);
      request_.turns.push_back(std::move(turn));
    }
    return {};
  }

  static Result<void> read_content(Value content, const std::string& place, Turn& turn) {
    if (!content.is_array()) return wrong(place, "must be a list of blocks");
    std::size_t index = 0;
    for (const Value block : content.elements()) {
      if (!block.is_object()) return wrong(at(place, index), "must be an object");
      ++index;
    }
    read_blocks(content, turn.parts, true);
    return {};
  }

  // The members of the body. What is not named here is unknown and kept.
  Result<void> read_member(std::string_view key, Value value) {
    using Step = Result<void> (Reading::*)(Value);
    constexpr std::array<std::pair<std::string_view, Step>, 6> steps = {{
        {"inferenceConfig", &Reading::read_inference},
        {"toolConfig", &Reading::read_tool_config},
        {"additionalModelRequestFields", &Reading::read_additional},
        {"outputConfig", &Reading::read_output_config},
        {"requestMetadata", &Reading::read_metadata},
        {"serviceTier", &Reading::read_service_tier},
    }};
    if (value.is_null() || key == "messages" || key == "system") return {};
    for (const auto& [name, step] : steps) {
      if (name == key) return (this->*step)(value);
    }
    request_.extras.add(self, key, value.raw());
    return {};
  }

  Result<void> read_inference(Value value) {
    if (!value.is_object()) return wrong("inferenceConfig", "must be an object");
    for (const auto [key, inner] : value.members()) {
      if (inner.is_null()) continue;
      if (key == "maxTokens") {
        request_.max_output = inner.integer();
        if (!request_.max_output) return wrong("inferenceConfig.maxTokens", "must be an integer");
      } else if (key == "temperature" || key == "topP") {
        if (!inner.is_number()) return wrong("inferenceConfig." + std::string(key), "must be a number");
        (key == "topP" ? request_.sampling.top_p : request_.sampling.temperature) = std::string(inner.raw());
      } else if (key == "stopSequences") {
        for (const Value one : inner.elements()) {
          if (!one.is_string()) return wrong("inferenceConfig.stopSequences", "must be a list of strings");
          request_.stop.push_back(one.text());
        }
      } else {
        add_inner(request_.extras, self, "inferenceConfig", key, inner.raw());
      }
    }
    return {};
  }

  Result<void> read_tool_config(Value value) {
    const auto [tools, choice] = value.pick("tools", "toolChoice");
    if (!tools.is_array()) return wrong("toolConfig.tools", "must be a list");
    request_.tools_said = true;
    std::size_t index = 0;
    for (const Value tool : tools.elements()) {
      const Value point = tool["cachePoint"];
      if (point.is_object() && !request_.tools.empty() && !request_.tools.back().cache) {
        request_.tools.back().cache = read_mark(point);
      } else {
        request_.tools.push_back(read_tool(tool));
        request_.tools.back().place.text = "/toolConfig/tools/" + std::to_string(index);
      }
      ++index;
    }
    for (const auto [key, inner] : value.members()) {
      if (key != "tools" && key != "toolChoice" && !inner.is_null())
        add_inner(request_.extras, self, "toolConfig", key, inner.raw());
    }
    return choice && !choice.is_null() ? read_tool_choice(choice) : Result<void>();
  }

  static Tool read_tool(Value value) {
    const Value spec = value["toolSpec"];
    Tool tool{.origin = self};
    if (!spec.is_object()) {
      tool.vendor_raw = std::string(value.raw());
      tool.vendor_type = value.size() > 0 ? std::string((*value.members().begin()).key) : std::string();
      return tool;
    }
    const auto [name, description, schema, strict] = spec.pick("name", "description", "inputSchema", "strict");
    tool.name = name.text();
    tool.description = description.text();
    tool.schema = std::string(schema["json"].raw());
    tool.strict = strict.boolean();
    for (const auto [key, inner] : spec.members()) {
      if (key != "name" && key != "description" && key != "inputSchema" && key != "strict" && !inner.is_null())
        add_inner(tool.extras, self, "toolSpec", key, inner.raw());
    }
    read_rest(value, {"toolSpec"}, tool.extras);
    return tool;
  }

  Result<void> read_tool_choice(Value value) {
    ToolChoice choice{.origin = self};
    if (value["any"]) {
      choice.kind = ChoiceKind::required;
    } else if (value["tool"]["name"].is_string()) {
      choice.kind = ChoiceKind::one;
      choice.names.push_back(value["tool"]["name"].text());
    } else if (!value["auto"]) {
      return wrong("toolConfig.toolChoice", "must be one of auto, any, tool");
    }
    request_.tool_choice = std::move(choice);
    return {};
  }

  Result<void> read_additional(Value value) {
    if (!value.is_object()) {
      request_.extras.add(self, "additionalModelRequestFields", value.raw());
      return {};
    }
    read_fields(value, request_);
    return {};
  }

  Result<void> read_output_config(Value value) {
    const auto [text_format, effort] = value.pick("textFormat", "effort");
    const Value form = text_format["structure"]["jsonSchema"];
    const auto [schema, name, description] = form.pick("schema", "name", "description");
    std::string inside = schema.text();
    const bool known = text_format["type"].equals("json_schema") && json::valid(inside);
    if (known) {
      OutputFormat format{.kind = FormatKind::json_schema, .name = name.text(), .description = description.text()};
      format.schema = std::move(inside);
      read_rest(form, {"schema", "name", "description"}, format.extras);
      request_.format = std::move(format);
    }
    const bool asks = effort.is_string() && request_.reasoning.effort.empty();
    if (asks) {
      request_.reasoning.effort = effort.text();
      remember(request_.reasoning.extras, self, "effort", "/outputConfig/effort");
    }
    for (const auto [key, inner] : value.members()) {
      const bool read = inner.is_null() || (key == "textFormat" && known) || (key == "effort" && asks);
      if (!read) add_inner(request_.extras, self, "outputConfig", key, inner.raw());
    }
    return {};
  }

  Result<void> read_metadata(Value value) {
    if (!value.is_object()) return wrong("requestMetadata", "must be an object of strings");
    request_.metadata = std::string(value.raw());
    return {};
  }

  Result<void> read_service_tier(Value value) {
    request_.service_tier = value["type"].string();
    if (!request_.service_tier) return wrong("serviceTier.type", "is required");
    return {};
  }

  const Asked& asked_;
  json::Document doc_;
  ChatRequest request_;
};

}  // namespace

Result<ChatRequest> read_request(const Asked& asked) {
  return Reading(asked).run();
}

}  // namespace sluice::bedrock_converse
