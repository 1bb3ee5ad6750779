// A client's items as turns. SPDX-License-Identifier: MIT
#include <utility>

#include "dialects/openai_chat/wrong.h"
#include "dialects/openai_responses/reading.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

using json::Value;
using openai_chat::invalid;
using openai_chat::kind_of;
using openai_chat::missing;
using openai_chat::wrong_type;

// An item as errors name it.
std::string named(std::size_t item) {
  return "input[" + std::to_string(item) + "]";
}

Result<Role> read_role(Value role, std::size_t item) {
  if (!role) return missing(named(item) + ".role");
  std::string scratch;
  const std::string_view word = role.view(scratch);
  if (word == "user") return Role::user;
  if (word == "assistant") return Role::assistant;
  if (word == "developer") return Role::developer;
  if (word == "system") return Role::system;
  return invalid(named(item) + ".role", "Invalid value: '" + std::string(word) +
                                            "'. Supported values are: 'assistant', 'system', 'developer', and 'user'.");
}

bool is_output(Value item) {
  return item["type"].equals("function_call_output") || item["type"].equals("custom_tool_call_output");
}

Result<Part> read_output(Value item, std::size_t place) {
  const Value id = item["call_id"];
  const Value output = item["output"];
  if (!id.is_string()) return missing(named(place) + ".call_id");
  if (!output) return missing(named(place) + ".output");
  if (!output.is_string() && !output.is_array()) {
    return wrong_type(named(place) + ".output", "one of a string or an array of objects", kind_of(output));
  }
  ToolResult result{.call_id = id.text(), .name = item["name"].text(), .plain_string = output.is_string()};
  if (result.plain_string) result.parts.push_back({.body = Text{.text = output.text()}});
  for (const Value one : output.elements()) result.parts.push_back(read_content(one, false, Side::asked));
  Part part{.body = std::move(result)};
  remember(part.extras, self, memory::at, std::to_string(place));
  if (item["type"].equals("custom_tool_call_output")) remember(part.extras, self, memory::custom);
  for (const auto [key, value] : item.members()) {
    if (value.is_null() || key == "type" || key == "call_id" || key == "output" || key == "name") continue;
    if (key == "id" || key == "status") {
      remember(part.extras, self, key, value.raw());
    } else {
      part.extras.add(self, key, value.raw());
    }
  }
  return part;
}

Result<void> check_call(Value item, std::size_t place) {
  const ItemKind kind = kind_of_item(item);
  if (kind != ItemKind::call && kind != ItemKind::custom_call) return {};
  for (const std::string_view key : {"call_id", "name"}) {
    if (!item[key].is_string()) return missing(named(place) + '.' + std::string(key));
  }
  return {};
}

class Input {
 public:
  explicit Input(ChatRequest& out) : out_(out) {}

  Result<void> read(Value item, std::size_t place) {
    if (!item.is_object()) return wrong_type(named(place), "an object", kind_of(item));
    if (is_output(item)) {
      TRY(Part part, read_output(item, place));
      open(Role::tool, place).parts.push_back(std::move(part));
      return {};
    }
    if (kind_of_item(item) == ItemKind::message) return read_message(item, place);
    TRY_VOID(check_call(item, place));
    // Items that are nobody's words (a reference, tools that were added) stand with the assistant's.
    read_item(item, place, Side::asked, assistant(place).parts);
    return {};
  }

  // The last of the assistant's items is read.
  void settle() {
    if (last_assistant_) hand_out_seals(out_.turns.back().parts, 0);
    last_assistant_ = false;
  }

 private:
  Turn& open(Role role, std::size_t place) {
    settle();
    Turn& turn = out_.turns.emplace_back(Turn{.role = role});
    remember(turn.extras, self, memory::at, std::to_string(place));
    return turn;
  }

  Turn& assistant(std::size_t place) {
    if (!last_assistant_) open(Role::assistant, place);
    last_assistant_ = true;
    return out_.turns.back();
  }

  Result<void> read_message(Value item, std::size_t place) {
    TRY(const Role role, read_role(item["role"], place));
    const Value content = item["content"];
    if (!content) return missing(named(place) + ".content");
    if (!content.is_string() && !content.is_array()) {
      return wrong_type(named(place) + ".content", "one of a string or an array of objects", kind_of(content));
    }
    if (role == Role::assistant) {
      read_item(item, place, Side::asked, assistant(place).parts);
      return {};
    }
    Turn& turn = open(role, place);
    turn.plain_string = content.is_string();
    read_item(item, place, Side::asked, turn.parts);
    // A message without content is a turn without parts, unless there is more to keep of it.
    if (content.is_array() && content.size() == 0 && turn.parts.back().extras.members.size() == 2) turn.parts.clear();
    return {};
  }

  ChatRequest& out_;
  bool last_assistant_ = false;  // the last turn is the assistant's and may grow
};

}  // namespace

Result<void> read_input(Value input, ChatRequest& out) {
  if (input.is_string()) {
    Turn& turn = out.turns.emplace_back(Turn{.plain_string = true});
    turn.parts.push_back({.body = Text{.text = input.text()}});
    remember(turn.extras, self, memory::string);
    return {};
  }
  if (!input.is_array()) return wrong_type("input", "one of a string or an array of objects", kind_of(input));
  out.turns.reserve(out.turns.size() + input.size());
  Input items(out);
  std::size_t place = 0;
  for (const Value item : input.elements()) TRY_VOID(items.read(item, place++));
  items.settle();
  return {};
}

}  // namespace sluice::openai_responses
