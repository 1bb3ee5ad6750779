// SPDX-License-Identifier: MIT
#include "dialects/anthropic/request_tools.h"

#include <algorithm>
#include <array>

#include "dialects/anthropic/schema.h"
#include "dialects/pointer.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_name.h"
#include "dialects/tool_schema.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;
constexpr int most_strict = 20;
constexpr std::string_view free_text_schema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"]})";

// Tools that vendors run themselves and that this vendor has as well.
struct SameTool {
  std::string_view theirs, ours;
};
constexpr std::array same_tools = std::to_array<SameTool>({
    {"web_search", R"({"type":"web_search_20250305","name":"web_search"})"},
    {"web_search_preview", R"({"type":"web_search_20250305","name":"web_search"})"},
    {"googleSearch", R"({"type":"web_search_20250305","name":"web_search"})"},
    {"google_search", R"({"type":"web_search_20250305","name":"web_search"})"},
});

std::string_view ours(const Tool& tool) {
  if (tool.origin == self) return tool.vendor_raw;
  const auto row = std::ranges::find(same_tools, tool.vendor_type, &SameTool::theirs);
  return row == same_tools.end() ? std::string_view() : row->ours;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + to_portable_tool_name(name);
  return out;
}

class Choosing {
 public:
  Choosing(const ChatRequest& request, bool forced, Tools& out, Notes& notes)
      : request_(request), forced_(forced), out_(out), notes_(notes) {}

  void run(const ToolChoice& choice) {
    switch (choice.kind) {
      case ChoiceKind::automatic: out_.choice = "auto"; break;
      case ChoiceKind::none: out_.choice = "none"; break;
      case ChoiceKind::required: force("any", {}); break;
      case ChoiceKind::one: force("tool", choice.names.empty() ? std::string() : choice.names.front()); break;
      case ChoiceKind::subset: subset(choice); break;
    }
    if (!choice.raw.empty() && choice.origin != self && choice.kind != ChoiceKind::subset) {
      notes_.restated(place(), "the nearest choice that anthropic has");
    }
  }

 private:
  [[nodiscard]] std::string place() const { return pointer_to(request_, Field::tool_choice); }

  void force(std::string_view kind, const std::string& name) {
    if (forced_) {
      out_.choice = kind;
      out_.choice_name = name;
      return;
    }
    out_.choice = "auto";
    out_.only = name;
    out_.hint = name.empty() ? "Call one of the tools now; do not answer in text."
                             : "Call the tool " + to_portable_tool_name(name) + " now; do not answer in text.";
    notes_.restated(place(), "tool_choice_degraded: this model cannot be forced to call a tool");
  }

  // Taking tools away would break the prompt cache: the choice is an instruction.
  void subset(const ToolChoice& choice) {
    if (choice.subset_required && forced_) {
      out_.choice = "any";
    } else {
      out_.choice = "auto";
    }
    out_.hint = (choice.subset_required ? "Call one of these tools now: " : "Of the tools, use only these: ") +
                list_of(choice.names) + '.';
    notes_.restated(place(), "said as an instruction: anthropic has no list of allowed tools");
  }

  const ChatRequest& request_;
  bool forced_;
  Tools& out_;
  Notes& notes_;
};

// Chat's web_search_options as the tool that it is here.
RawJson search_tool(json::Value options, Notes& notes) {
  RawJson text;
  json::Writer out(text);
  out.begin_object().member("type", "web_search_20250305").member("name", "web_search");
  const json::Value place = options["user_location"]["approximate"];
  if (place.size() > 0) {
    out.key("user_location").begin_object().member("type", "approximate");
    for (const auto [key, value] : place.members()) out.member_raw(key, value.raw());
    out.end_object();
  }
  out.end_object();
  if (options["search_context_size"]) {
    notes.lost("/web_search_options/search_context_size", "anthropic has no size of search results");
  }
  return text;
}

// One declaration; its object is open. `strict_left`: how many more may be strict.
void write_function(json::Writer& out, const ChatRequest& request, std::size_t index, const ModelRules& rules, bool own,
                    bool as_said, int& strict_left, Notes& notes) {
  const Tool& tool = request.tools[index];
  const Pointer pointer = pointer_to_tool(request, index);
  const Pointer schema_at = pointer_to_schema(request, index);
  if (as_said && !remembered(tool.extras, self, "custom").empty()) out.member("type", "custom");
  out.member("name", own ? tool.name : to_portable_tool_name(tool.name));
  if (!own && !portable_tool_name(tool.name)) notes.restated(pointer, "a name that anthropic takes");
  if (tool.kind == ToolKind::custom) {
    std::string description = tool.description;
    if (!tool.format.empty())
      description += (description.empty() ? "" : "\n") + ("The input has this form: " + tool.format);
    if (!description.empty()) out.member("description", description);
    out.member_raw("input_schema", free_text_schema);
    notes.restated(pointer, "a free-text tool is a function of one string here");
    return;
  }
  if (!tool.description.empty()) out.member("description", tool.description);
  if (as_said || (own && rules.structured)) {
    if (!tool.schema.empty()) out.member_raw("input_schema", tool.schema);
    if (tool.strict) out.member_bool("strict", *tool.strict);
    return;
  }
  if (tool.strict.value_or(false) && rules.structured && strict_left > 0) {
    if (const auto schema = strict_schema(object_schema(tool.schema, schema_at, notes), schema_at, notes)) {
      out.member_raw("input_schema", *schema).member_bool("strict", true);
      --strict_left;
      return;
    }
  }
  out.member_raw("input_schema", object_schema(tool.schema, schema_at, notes));
  if (!tool.strict) return;
  if (*tool.strict || !rules.structured) {
    notes.restated(pointer_to_strict(request, index), "the schema is told but not enforced here");
  } else {
    out.member_bool("strict", false);
  }
}

}  // namespace

Tools plan_tools(const ChatRequest& request, const Dialogue& dialogue, const ModelRules& rules, bool own, bool as_said,
                 bool manual_thinking, Notes& notes) {
  Tools out;
  if (!as_said && request.tools.empty()) {
    for (const Message& message : dialogue.messages) {
      for (const PlacedPart& placed : message.parts) {
        const auto* call = placed.part->as<ToolCall>();
        if (call == nullptr || std::ranges::find(out.redeclared, call->name) != out.redeclared.end()) continue;
        out.redeclared.push_back(call->name);
      }
    }
    if (!out.redeclared.empty()) notes.added("/tools", "calls in the history need their tools declared");
  }
  for (const Extra& x : request.extras.members) {
    if (request.origin != DialectId::openai_chat || x.key != web_search_options || !rules.thinks) continue;
    json::Document doc;
    if (const auto options = doc.parse(x.raw)) out.web_search = search_tool(*options, notes);
  }
  const bool any = !request.tools.empty() || !out.redeclared.empty() || !out.web_search.empty();
  if (!any && !as_said) {
    if (request.tool_choice) notes.lost(pointer_to(request, Field::tool_choice), "there are no tools to choose from");
    if (request.parallel_tools) notes.lost(pointer_to(request, Field::parallel_tools), "there are no tools to call");
    return out;
  }
  if (request.tool_choice) {
    const bool forced = as_said || (rules.forced_tool && !manual_thinking);
    Choosing(request, forced, out, notes).run(*request.tool_choice);
  } else if (!out.redeclared.empty()) {
    out.choice = "none";
  }
  if (request.parallel_tools) {
    if (out.choice.empty()) out.choice = "auto";
    if (out.choice == "none" && !own) {
      notes.lost(pointer_to(request, Field::parallel_tools), "no tool will be called");
    } else {
      out.parallel_off = !*request.parallel_tools;
    }
  }
  return out;
}

void write_tools(json::Writer& out, const ChatRequest& request, const Tools& tools, const ModelRules& rules, bool own,
                 bool as_said, PartRules& parts, Notes& notes) {
  const bool any = !request.tools.empty() || !tools.redeclared.empty() || !tools.web_search.empty();
  if (any || (own && request.tools_said)) {
    out.key("tools").begin_array();
    int strict_left = most_strict;
    for (std::size_t i = 0; i < request.tools.size(); ++i) {
      const Tool& tool = request.tools[i];
      const Pointer pointer = pointer_to_tool(request, i);
      if (!tools.only.empty() && tool.name != tools.only) {
        notes.lost(pointer, "left out so that the wanted tool is called");
        continue;
      }
      if (!tool.vendor_raw.empty()) {
        const std::string_view declaration = ours(tool);
        if (declaration.empty()) {
          notes.lost(pointer, "a tool that another vendor runs");
        } else {
          out.raw(declaration);
          if (tool.origin != self) notes.restated(pointer, "the vendor's own tool of that kind");
        }
        continue;
      }
      out.begin_object();
      write_function(out, request, i, rules, own, as_said, strict_left, notes);
      write_mark(out, parts, tool.cache, pointer, notes);
      write_extras(out, tool.extras, self, pointer, notes);
      out.end_object();
    }
    for (const std::string& name : tools.redeclared) {
      out.begin_object().member("name", own ? name : to_portable_tool_name(name));
      out.member_raw("input_schema", R"({"type":"object"})").end_object();
    }
    if (!tools.web_search.empty()) out.raw(tools.web_search);
    out.end_array();
  }
  if (tools.choice.empty()) return;
  out.key("tool_choice").begin_object().member("type", tools.choice);
  if (tools.choice == "tool") out.member("name", own ? tools.choice_name : to_portable_tool_name(tools.choice_name));
  if (tools.parallel_off) out.member_bool("disable_parallel_tool_use", *tools.parallel_off);
  out.end_object();
}

}  // namespace sluice::anthropic
