// Tools and how they may be chosen. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/cohere/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_name.h"

namespace sluice::cohere {
namespace {

// What a free-text tool becomes where only functions are known.
constexpr std::string_view input_schema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false})";
constexpr std::string_view no_parameters = R"({"type":"object","properties":{}})";

// Where a single tool, or some, must or may be called, only those are offered: there is no word that names them.
bool offered(const ChatRequest& request, const Tool& tool) {
  if (!request.tool_choice) return true;
  const ToolChoice& choice = *request.tool_choice;
  if (choice.kind != ChoiceKind::one && choice.kind != ChoiceKind::subset) return true;
  return std::ranges::find(choice.names, tool.name) != choice.names.end();
}

void write_tool(Writing& w, const Tool& tool, const Pointer& pointer) {
  w.out.begin_object().member("type", "function").key("function").begin_object();
  const std::string name = w.own() ? tool.name : to_portable_tool_name(tool.name);
  if (name != tool.name) w.notes.restated(pointer, "a tool's name has characters that are not taken");
  w.out.member("name", name);
  if (!tool.description.empty()) w.out.member("description", tool.description);
  if (tool.kind == ToolKind::custom) {
    w.notes.restated(pointer, "a free-text tool became a function with one text");
    w.out.member_raw("parameters", input_schema);
  } else if (!tool.schema.empty()) {
    w.out.member_raw("parameters", tool.schema);
  } else if (!w.own()) {
    w.notes.added(pointer, "a function must declare its parameters");
    w.out.member_raw("parameters", no_parameters);
  }
  write_inner_extras(w.out, tool.extras, self, "function");
  w.out.end_object();
  if (tool.cache) w.notes.lost(pointer_to_mark(w.request, pointer), "cohere has no cache marks");
  write_extras(w.out, tool.extras, self, pointer, w.notes);
  w.out.end_object();
}

// One word for all tools: true only when every tool wants it.
void write_strict(Writing& w, const std::vector<std::size_t>& written) {
  if (w.own()) {
    if (const auto said = remembered(w.request.extras, self, "strict_tools"); !said.empty()) {
      w.out.member_raw("strict_tools", said);
    }
    return;
  }
  const auto strict = [&](std::size_t i) { return w.request.tools[i].strict.value_or(false); };
  if (!written.empty() && std::ranges::all_of(written, strict)) {
    w.out.member_bool("strict_tools", true);
    return;
  }
  for (const std::size_t i : written) {
    if (strict(i)) {
      w.notes.lost(pointer_to_strict(w.request, i), "cohere's tools are strict together");
    }
  }
}

void write_choice(Writing& w, bool any) {
  if (!w.request.tool_choice) return;
  const ToolChoice& choice = *w.request.tool_choice;
  if (!choice.raw.empty()) w.restated(Field::tool_choice, "a choice that only its own dialect knows");
  if (!any && !w.own()) {
    if (choice.kind != ChoiceKind::none) w.restated(Field::tool_choice, "no tool is left to choose");
    return;
  }
  switch (choice.kind) {
    case ChoiceKind::automatic: return;
    case ChoiceKind::none: w.out.member("tool_choice", "NONE"); return;
    case ChoiceKind::required: w.out.member("tool_choice", "REQUIRED"); return;
    case ChoiceKind::one:
    case ChoiceKind::subset: break;
  }
  w.restated(Field::tool_choice, "cohere names no tool: only the chosen ones are offered");
  if (choice.kind == ChoiceKind::one || choice.subset_required) w.out.member("tool_choice", "REQUIRED");
}

}  // namespace

bool write_tools(Writing& w) {
  const auto& tools = w.request.tools;
  std::vector<std::size_t> written;
  bool left_out = false;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (!tools[i].vendor_raw.empty() && tools[i].origin != self) {
      w.notes.lost(pointer_to_tool(w.request, i), "a tool that only its own vendor runs");
    } else if (offered(w.request, tools[i])) {
      written.push_back(i);
    } else {
      left_out = true;
    }
  }
  if (left_out) w.restated(Field::tools, "only the tools that may be called are offered");
  if (!written.empty() || (w.own() && w.request.tools_said)) {
    w.out.key("tools").begin_array();
    for (const std::size_t i : written) {
      if (tools[i].vendor_raw.empty()) {
        write_tool(w, tools[i], pointer_to_tool(w.request, i));
      } else {
        w.out.raw(tools[i].vendor_raw);
      }
    }
    w.out.end_array();
  }
  write_choice(w, !written.empty());
  write_strict(w, written);
  if (w.request.parallel_tools == false) w.lost(Field::parallel_tools, "cohere cannot forbid parallel calls");
  return !written.empty();
}

}  // namespace sluice::cohere
