// SPDX-License-Identifier: MIT
#include "dialects/tool_return.h"

#include <utility>

#include "base/json.h"
#include "dialects/tool_name.h"

namespace sluice {

std::string unwrap_free_text(std::string_view arguments) {
  json::Document doc;
  const auto root = doc.parse(arguments);
  if (!root || root->size() != 1 || !(*root)["input"].is_string()) return std::string(arguments);
  return (*root)["input"].text();
}

ToolReturn::ToolReturn(const ChatRequest& asked) {
  for (const Tool& tool : asked.tools) {
    if (!tool.vendor_raw.empty()) continue;
    if (tool.kind == ToolKind::function && portable_tool_name(tool.name)) continue;
    changed_[to_portable_tool_name(tool.name)] = {.name = tool.name, .kind = tool.kind};
  }
}

const ToolReturn::Changed* ToolReturn::declared(std::string_view name) const {
  const auto found = changed_.find(name);
  return found == changed_.end() ? nullptr : &found->second;
}

void ToolReturn::undo(Reply& reply) const {
  for (Choice& choice : reply.choices) {
    for (Part& part : choice.parts) {
      auto* call = part.as<ToolCall>();
      const Changed* tool = call == nullptr ? nullptr : declared(call->name);
      if (tool == nullptr) continue;
      call->name = tool->name;
      // An upstream that knows free text itself has nothing wrapped.
      if (tool->kind == ToolKind::custom && call->kind == ToolKind::function) {
        call->kind = ToolKind::custom;
        call->arguments = unwrap_free_text(call->arguments);
      }
    }
  }
}

void ToolReturn::undo(std::vector<Event>& events) {
  if (!needed()) return;
  std::vector<Event> out;
  out.reserve(events.size() + 1);
  for (Event& event : events) {
    if (auto* start = std::get_if<BlockStart>(&event)) {
      auto* call = start->part.as<ToolCall>();
      const Changed* tool = call == nullptr ? nullptr : declared(call->name);
      if (tool != nullptr) {
        call->name = tool->name;
        if (tool->kind == ToolKind::custom && call->kind == ToolKind::function) {
          call->kind = ToolKind::custom;
          held_[start->choice] = {};
        }
      }
    } else if (auto* delta = std::get_if<Delta>(&event)) {
      if (const auto held = held_.find(delta->choice); held != held_.end()) {
        held->second += delta->text;
        continue;
      }
    } else if (auto* stop = std::get_if<BlockStop>(&event)) {
      if (const auto held = held_.find(stop->choice); held != held_.end()) {
        out.emplace_back(Delta{.choice = stop->choice, .block = stop->block, .text = unwrap_free_text(held->second)});
        held_.erase(held);
      }
    }
    out.push_back(std::move(event));
  }
  events = std::move(out);
}

}  // namespace sluice
