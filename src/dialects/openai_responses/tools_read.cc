// Tools and the choice among them. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "dialects/openai_chat/wrong.h"
#include "dialects/openai_responses/reading.h"

namespace sluice::openai_responses {
namespace {

using json::Value;

// Chat keeps a grammar in an object of its own, and the model has chat's form.
RawJson chat_format(Value format) {
  if (!format["type"].equals("grammar")) return std::string(format.raw());
  std::string text;
  json::Writer out(text);
  out.begin_object().member("type", "grammar").key("grammar").begin_object();
  for (const auto [key, value] : format.members()) {
    if (key != "type") out.member_raw(key, value.raw());
  }
  out.end_object().end_object();
  return text;
}

Tool read_tool(Value declared) {
  Tool tool{.name = declared["name"].text(), .origin = self};
  const bool custom = declared["type"].equals("custom");
  if (!custom && !declared["type"].equals("function")) {
    tool.vendor_type = declared["type"].text();
    tool.vendor_raw = std::string(declared.raw());
    return tool;
  }
  tool.kind = custom ? ToolKind::custom : ToolKind::function;
  for (const auto [key, value] : declared.members()) {
    if (value.is_null() || key == "type" || key == "name") continue;
    if (key == "description" && value.is_string()) {
      tool.description = value.text();
    } else if (key == "parameters" && !custom && value.is_object()) {
      tool.schema = std::string(value.raw());
    } else if (key == "format" && custom && value.is_object()) {
      tool.format = chat_format(value);
    } else if (key == "strict" && value.boolean()) {
      tool.strict = value.boolean();
    } else {
      tool.extras.add(self, key, value.raw());
    }
  }
  return tool;
}

bool is_named(Value tool) {
  return (tool["type"].equals("function") || tool["type"].equals("custom")) && tool["name"].is_string() &&
         tool.size() == 2;
}

}  // namespace

Result<void> read_tools(Value tools, ChatRequest& out) {
  if (!tools.is_array()) return openai_chat::wrong_type("tools", "an array of objects", openai_chat::kind_of(tools));
  out.tools_said = true;
  out.tools.reserve(tools.size());
  std::size_t index = 0;
  for (const Value one : tools.elements()) {
    const std::string place = "tools[" + std::to_string(index++) + "]";
    if (!one.is_object()) return openai_chat::wrong_type(place, "an object", openai_chat::kind_of(one));
    const bool ours = one["type"].equals("function") || one["type"].equals("custom");
    if (ours && !one["name"].is_string()) return openai_chat::missing(place + ".name");
    out.tools.push_back(read_tool(one));
  }
  return {};
}

ToolChoice read_tool_choice(Value choice) {
  ToolChoice out{.origin = self};
  if (choice.equals("auto")) return out;
  if (choice.equals("none")) {
    out.kind = ChoiceKind::none;
  } else if (choice.equals("required")) {
    out.kind = ChoiceKind::required;
  } else if (is_named(choice)) {
    out.kind = ChoiceKind::one;
    out.names = {choice["name"].text()};
    out.tool_kind = choice["type"].equals("custom") ? ToolKind::custom : ToolKind::function;
  } else if (choice["type"].equals("allowed_tools")) {
    out.kind = ChoiceKind::subset;
    out.subset_required = choice["mode"].equals("required");
    bool plain = true;
    for (const Value one : choice["tools"].elements()) {
      plain &= is_named(one);
      if (one["name"].is_string()) out.names.push_back(one["name"].text());
    }
    // Tools of the vendor among them have no name.
    if (!plain) out.raw = std::string(choice.raw());
  } else {
    // A tool of the vendor's: what others can say is that one must be called.
    if (choice.is_object()) out.kind = ChoiceKind::required;
    out.raw = std::string(choice.raw());
  }
  return out;
}

}  // namespace sluice::openai_responses
