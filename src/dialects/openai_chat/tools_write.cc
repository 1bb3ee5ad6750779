// Tools and how they may be chosen. SPDX-License-Identifier: MIT
#include "dialects/openai_chat/moonshot_schema.h"
#include "dialects/openai_chat/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_name.h"
#include "dialects/tool_schema.h"

namespace sluice::openai_chat {
namespace {

// What a free-text tool becomes where only functions are known.
constexpr std::string_view input_schema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false})";

std::string written_name(Writing& w, const std::string& name, const Pointer& pointer) {
  std::string out = to_portable_tool_name(name);
  if (out != name && !w.own()) {
    w.notes.restated(pointer, "a tool's name has characters that are not taken");
    return out;
  }
  return name;
}

void write_custom(Writing& w, const Tool& tool) {
  w.out.member("type", "custom").key("custom").begin_object();
  w.out.member("name", tool.name);
  if (!tool.description.empty()) w.out.member("description", tool.description);
  if (!tool.format.empty()) w.out.member_raw("format", tool.format);
  write_inner_extras(w.out, tool.extras, self, "custom");
  w.out.end_object();
}

RawJson taken_schema(Writing& w, std::size_t index) {
  const RawJson& schema = w.request.tools[index].schema;
  if (w.own() || w.vendor.schemas == SchemaForm::any) return schema;
  const Pointer pointer = pointer_to_schema(w.request, index);
  RawJson out = object_schema(schema, pointer, w.notes, true);
  return w.vendor.schemas == SchemaForm::moonshot ? moonshot_schema(out, pointer, w.notes) : out;
}

void write_function(Writing& w, std::size_t index, const Pointer& pointer) {
  const Tool& tool = w.request.tools[index];
  w.out.member("type", "function").key("function").begin_object();
  w.out.member("name", written_name(w, tool.name, pointer + "/name"));
  if (!tool.description.empty()) w.out.member("description", tool.description);
  if (tool.kind == ToolKind::custom) {
    w.notes.restated(pointer, "a free-text tool became a function with one text");
    w.out.member_raw("parameters", input_schema);
  } else if (!tool.schema.empty()) {
    w.out.member_raw("parameters", taken_schema(w, index));
  }
  if (tool.strict) {
    if (w.vendor.strict) {
      w.out.member_bool("strict", *tool.strict);
    } else if (*tool.strict) {
      w.notes.lost(pointer_to_strict(w.request, index), "this vendor does not take it");
    }
  }
  write_inner_extras(w.out, tool.extras, self, "function");
  w.out.end_object();
}

void write_tool(Writing& w, std::size_t index) {
  const Tool& tool = w.request.tools[index];
  const Pointer pointer = pointer_to_tool(w.request, index);
  if (!tool.vendor_raw.empty()) {
    if (tool.origin == self) {
      w.out.raw(tool.vendor_raw);
    } else {
      w.notes.lost(pointer, "a tool that only its own vendor runs");
    }
    return;
  }
  w.out.begin_object();
  if (tool.kind == ToolKind::custom && w.vendor.custom_tools) {
    write_custom(w, tool);
  } else {
    write_function(w, index, pointer);
  }
  write_cache_mark(w, tool.cache, pointer);
  write_extras(w.out, tool.extras, self, pointer, w.notes);
  w.out.end_object();
}

bool any_tool(const ChatRequest& request) {
  for (const Tool& tool : request.tools) {
    if (tool.vendor_raw.empty() || tool.origin == self) return true;
  }
  return false;
}

void write_named(Writing& w, const std::string& name, ToolKind kind) {
  const bool custom = kind == ToolKind::custom && w.vendor.custom_tools;
  w.out.begin_object().member("type", custom ? "custom" : "function");
  w.out.key(custom ? "custom" : "function").begin_object();
  w.out.member("name", w.own() ? name : to_portable_tool_name(name)).end_object().end_object();
}

ToolKind kind_of_tool(const ChatRequest& request, std::string_view name) {
  for (const Tool& tool : request.tools) {
    if (tool.name == name) return tool.kind;
  }
  return ToolKind::function;
}

void write_choice(Writing& w, const ToolChoice& choice) {
  if (!choice.raw.empty()) {
    if (choice.origin == self) {
      w.out.member_raw("tool_choice", choice.raw);
      return;
    }
    w.restated(Field::tool_choice, "a choice that only its own dialect knows");
  }
  const bool forced = choice.kind == ChoiceKind::required || choice.kind == ChoiceKind::one;
  if (forced && !w.vendor.forced_tools) {
    w.restated(Field::tool_choice, "this vendor takes only the model's own choice");
    w.out.member("tool_choice", "auto");
    return;
  }
  switch (choice.kind) {
    case ChoiceKind::automatic: w.out.member("tool_choice", "auto"); return;
    case ChoiceKind::none: w.out.member("tool_choice", "none"); return;
    case ChoiceKind::required: w.out.member("tool_choice", "required"); return;
    case ChoiceKind::one:
      w.out.key("tool_choice");
      write_named(w, choice.names.empty() ? std::string() : choice.names.front(), choice.tool_kind);
      return;
    case ChoiceKind::subset: break;
  }
  if (!w.vendor.allowed_tools) {
    w.restated(Field::tool_choice, "this vendor takes no subset of tools");
    const bool required = choice.subset_required && w.vendor.forced_tools;
    w.out.member("tool_choice", required ? "required" : "auto");
    return;
  }
  w.out.key("tool_choice").begin_object().member("type", "allowed_tools").key("allowed_tools").begin_object();
  w.out.member("mode", choice.subset_required ? "required" : "auto").key("tools").begin_array();
  for (const std::string& name : choice.names) write_named(w, name, kind_of_tool(w.request, name));
  w.out.end_array().end_object().end_object();
}

}  // namespace

void write_tools(Writing& w) {
  const bool any = any_tool(w.request);
  if (any || (w.own() && w.request.tools_said)) {
    w.out.key("tools").begin_array();
    for (std::size_t i = 0; i < w.request.tools.size(); ++i) write_tool(w, i);
    w.out.end_array();
  } else {
    for (std::size_t i = 0; i < w.request.tools.size(); ++i) {
      w.notes.lost(pointer_to_tool(w.request, i), "a tool that only its own vendor runs");
    }
  }
  // Without tools both are a 400.
  if (w.request.tool_choice) {
    if (any || w.own()) {
      write_choice(w, *w.request.tool_choice);
    } else if (w.request.tool_choice->kind != ChoiceKind::none) {
      w.restated(Field::tool_choice, "no tool is left to choose");
    }
  }
  if (!w.request.parallel_tools) return;
  if (!any && !(w.own() && w.vendor.any_extra)) {
    if (!*w.request.parallel_tools) w.lost(Field::parallel_tools, "it means nothing without tools");
  } else if (w.vendor.refused.has(Field::parallel_tools)) {
    w.lost(Field::parallel_tools, "this vendor does not take it");
  } else {
    w.out.member_bool("parallel_tool_calls", *w.request.parallel_tools);
  }
}

}  // namespace sluice::openai_chat
