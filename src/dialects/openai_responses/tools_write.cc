// Tools and how they may be chosen. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "dialects/openai_responses/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_name.h"
#include "dialects/tool_schema.h"

namespace sluice::openai_responses {
namespace {

// Tools that vendors run themselves and that are here as well; by how their types begin.
struct SameTool {
  std::string_view theirs, ours, declaration;
};
constexpr std::array same_tools = std::to_array<SameTool>({
    {"web_search", "web_search", R"({"type":"web_search"})"},
    {"googleSearch", "web_search", R"({"type":"web_search"})"},
    {"code_execution", "code_interpreter", R"({"type":"code_interpreter","container":{"type":"auto"}})"},
    {"codeExecution", "code_interpreter", R"({"type":"code_interpreter","container":{"type":"auto"}})"},
});

const SameTool* same_tool(const Tool& tool) {
  if (tool.origin == self) return nullptr;
  for (const SameTool& row : same_tools) {
    if (tool.vendor_type.starts_with(row.theirs)) return &row;
  }
  return nullptr;
}

std::string written_name(Writing& w, const std::string& name, const Pointer& pointer) {
  if (w.own() || portable_tool_name(name)) return name;
  w.notes.restated(pointer, "a tool's name has characters that are not taken");
  return to_portable_tool_name(name);
}

// Chat's nested form of a grammar, flat.
void write_tool_format(json::Writer& out, const RawJson& format) {
  json::Document doc;
  const auto root = doc.parse(format);
  out.key("format");
  if (!root || !(*root)["grammar"].is_object()) {
    out.raw(format);
    return;
  }
  out.begin_object().member("type", "grammar");
  for (const auto [key, value] : (*root)["grammar"].members()) out.member_raw(key, value.raw());
  out.end_object();
}

void write_tool(Writing& w, std::size_t index) {
  const Tool& tool = w.request.tools[index];
  const Pointer pointer = pointer_to_tool(w.request, index);
  if (!tool.vendor_raw.empty()) {
    if (tool.origin == self) {
      w.out.raw(tool.vendor_raw);
    } else if (const SameTool* same = same_tool(tool)) {
      w.out.raw(same->declaration);
      w.notes.restated(pointer, "the vendor's own tool of that kind");
    } else {
      w.notes.lost(pointer, "a tool that only its own vendor runs");
    }
    return;
  }
  const bool custom = tool.kind == ToolKind::custom;
  w.out.begin_object().member("type", custom ? "custom" : "function");
  w.out.member("name", written_name(w, tool.name, pointer));
  if (!tool.description.empty()) w.out.member("description", tool.description);
  if (custom) {
    if (!tool.format.empty()) write_tool_format(w.out, tool.format);
  } else {
    if (!w.own()) {
      w.out.member_raw("parameters", object_schema(tool.schema, pointer_to_schema(w.request, index), w.notes, true));
    } else if (!tool.schema.empty()) {
      w.out.member_raw("parameters", tool.schema);
    }
    if (tool.strict) {
      w.out.member_bool("strict", *tool.strict);
    } else if (!w.own()) {
      w.out.member_bool("strict", false);  // here silence would mean true, and few schemas are fit for it
    }
  }
  if (tool.cache) w.notes.lost(pointer_to_mark(w.request, pointer), "openai_responses has no cache marks on tools");
  write_extras(w.out, tool.extras, self, pointer, w.notes);
  w.out.end_object();
}

// Chat's web_search_options as the tool that it is here.
bool write_search_options(Writing& w) {
  if (w.request.origin != DialectId::openai_chat) return false;
  const auto found = std::ranges::find(w.request.extras.members, web_search_options, &Extra::key);
  if (found == w.request.extras.members.end()) return false;
  json::Document doc;
  const auto options = doc.parse(found->raw);
  if (!options || !options->is_object()) return false;
  w.out.begin_object().member("type", "web_search");
  for (const auto [key, value] : options->members()) {
    if (key != "user_location") w.out.member_raw(key, value.raw());
  }
  if (const json::Value place = (*options)["user_location"]["approximate"]; place.size() > 0) {
    w.out.key("user_location").begin_object().member("type", "approximate");
    for (const auto [key, value] : place.members()) w.out.member_raw(key, value.raw());
    w.out.end_object();
  }
  w.out.end_object();
  return true;
}

const Tool* declared(const ChatRequest& request, std::string_view name) {
  const auto found = std::ranges::find(request.tools, name, &Tool::name);
  return found == request.tools.end() ? nullptr : &*found;
}

void write_named(Writing& w, const std::string& name, ToolKind kind) {
  w.out.begin_object();
  const Tool* tool = declared(w.request, name);
  if (tool != nullptr && !tool->vendor_raw.empty() && same_tool(*tool) != nullptr) {
    w.out.member("type", same_tool(*tool)->ours);
  } else {
    w.out.member("type", kind == ToolKind::custom ? "custom" : "function");
    w.out.member("name", w.own() ? name : to_portable_tool_name(name));
  }
  w.out.end_object();
}

void write_choice(Writing& w, const ToolChoice& choice) {
  if (!choice.raw.empty()) {
    if (choice.origin == self) {
      w.out.member_raw("tool_choice", choice.raw);
      return;
    }
    w.restated(Field::tool_choice, "a choice that only its own dialect knows");
  }
  switch (choice.kind) {
    case ChoiceKind::automatic: w.out.member("tool_choice", "auto"); return;
    case ChoiceKind::none: w.out.member("tool_choice", "none"); return;
    case ChoiceKind::required: w.out.member("tool_choice", "required"); return;
    case ChoiceKind::one:
      w.out.key("tool_choice");
      return write_named(w, choice.names.empty() ? std::string() : choice.names.front(), choice.tool_kind);
    case ChoiceKind::subset: break;
  }
  w.out.key("tool_choice").begin_object().member("type", "allowed_tools");
  w.out.member("mode", choice.subset_required ? "required" : "auto").key("tools").begin_array();
  for (const std::string& name : choice.names) {
    const Tool* tool = declared(w.request, name);
    write_named(w, name, tool == nullptr ? ToolKind::function : tool->kind);
  }
  w.out.end_array().end_object();
}

bool goes(const Tool& tool) {
  return tool.vendor_raw.empty() || tool.origin == self || same_tool(tool) != nullptr;
}

}  // namespace

void write_tools(Writing& w) {
  const ChatRequest& r = w.request;
  const bool search = r.origin == DialectId::openai_chat &&
                      std::ranges::find(r.extras.members, web_search_options, &Extra::key) != r.extras.members.end();
  const bool any = std::ranges::any_of(r.tools, goes) || search;
  if (any || (w.own() && r.tools_said)) {
    w.out.key("tools").begin_array();
    for (std::size_t i = 0; i < r.tools.size(); ++i) write_tool(w, i);
    if (search) write_search_options(w);
    w.out.end_array();
  } else {
    for (std::size_t i = 0; i < r.tools.size(); ++i) {
      w.notes.lost(pointer_to_tool(r, i), "a tool that only its own vendor runs");
    }
  }
  // Without tools both are refused.
  if (r.tool_choice) {
    if (any || w.own()) {
      write_choice(w, *r.tool_choice);
    } else if (r.tool_choice->kind != ChoiceKind::none) {
      w.restated(Field::tool_choice, "no tool is left to choose");
    }
  }
  if (!r.parallel_tools) return;
  if (any || w.own()) {
    w.out.member_bool("parallel_tool_calls", *r.parallel_tools);
  } else if (!*r.parallel_tools) {
    w.lost(Field::parallel_tools, "it means nothing without tools");
  }
}

}  // namespace sluice::openai_responses
