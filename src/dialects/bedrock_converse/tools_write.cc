// Tools and the choice among them. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "dialects/anthropic/schema.h"
#include "dialects/bedrock_converse/writing.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"
#include "dialects/tool_name.h"
#include "dialects/tool_schema.h"

namespace sluice::bedrock_converse {
namespace {

constexpr std::string_view free_text_schema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"]})";
constexpr std::string_view any_object = R"({"type":"object","properties":{}})";

// Tools of other vendors that search the web: some models here have one as well.
constexpr std::array searches =
    std::to_array<std::string_view>({"web_search", "web_search_preview", "googleSearch", "google_search"});
constexpr std::string_view grounding = R"({"systemTool":{"name":"nova_grounding"}})";

bool is_search(const Tool& tool) {
  return std::ranges::any_of(searches, [&](std::string_view word) {
    return tool.vendor_type == word || (word == "web_search" && tool.vendor_type.starts_with("web_search_"));
  });
}

// Names that the history calls, where no tool is declared.
std::vector<std::string> undeclared(const Writing& w) {
  std::vector<std::string> out;
  if (w.own) return out;
  for (const Message& message : w.dialogue.messages) {
    for (const PlacedPart& placed : message.parts) {
      const auto* call = placed.part->as<ToolCall>();
      if (call != nullptr && std::ranges::find(out, call->name) == out.end()) out.push_back(call->name);
    }
  }
  if (!out.empty())
    w.notes.added(pointer_to(w.request, Field::tools), "calls in the history need their tools declared");
  return out;
}

class Tools {
 public:
  Tools(Writing& w, bool thinking) : w_(w), thinking_(thinking) {}

  void write() {
    const ChatRequest& request = w_.request;
    if (request.tools.empty()) undeclared_ = undeclared(w_);
    if (request.tools.empty() && undeclared_.empty() && !(w_.own && request.tools_said)) {
      if (request.tool_choice) w_.lost(Field::tool_choice, "there are no tools to choose from");
      if (request.parallel_tools) w_.lost(Field::parallel_tools, "there are no tools to call");
      return;
    }
    plan_choice();
    const std::vector<std::size_t> said = sayable();
    // The history demands some, though those of another vendor have gone.
    if (said.empty() && !request.tools.empty()) undeclared_ = undeclared(w_);
    if (said.empty() && undeclared_.empty() && !w_.own) return;
    w_.out.key("toolConfig").begin_object().key("tools").begin_array();
    for (const std::size_t i : said) write_tool(i);
    for (const std::string& name : undeclared_) {
      w_.out.begin_object().key("toolSpec").begin_object().member("name", w_.tool_name(name));
      w_.out.key("inputSchema").begin_object().member_raw("json", any_object).end_object().end_object().end_object();
    }
    w_.out.end_array();
    write_choice();
    write_inner_extras(w_.out, request.extras, self, "toolConfig");
    w_.out.end_object();
  }

 private:
  void plan_choice() {
    if (w_.request.parallel_tools && !w_.own && !w_.rules.claude) {
      w_.lost(Field::parallel_tools, "this model has no say in how many tools are called at once");
    }
    if (w_.request.tool_choice) plan(*w_.request.tool_choice);
    if (!w_.request.parallel_tools || (!w_.own && !w_.rules.claude)) return;
    // Only an own field of Claude's says it, and only beside a free choice.
    if (w_.own || choice_.empty() || choice_ == "auto") {
      w_.no_parallel = !*w_.request.parallel_tools;
    } else {
      w_.lost(Field::parallel_tools, "beside a forced choice it cannot be said");
    }
  }

  void plan(const ToolChoice& choice) {
    const bool force = w_.own || !thinking_;
    switch (choice.kind) {
      case ChoiceKind::automatic: choice_ = "auto"; break;
      case ChoiceKind::none:
        w_.restated(Field::tool_choice, "said as an instruction: bedrock cannot forbid a tool");
        w_.hints.emplace_back("Do not call any tool; answer in text.");
        break;
      case ChoiceKind::required:
        if (force && (w_.own || w_.rules.must_call)) {
          choice_ = "any";
        } else {
          degrade("Call one of the tools now; do not answer in text.");
        }
        break;
      case ChoiceKind::one:
        name_ = choice.names.empty() ? std::string() : choice.names.front();
        if (force && (w_.own || w_.rules.must_call_one)) {
          choice_ = "tool";
        } else {
          only_ = name_;
          degrade("Call the tool " + w_.tool_name(name_) + " now; do not answer in text.");
          if (force && w_.rules.must_call) choice_ = "any";
        }
        break;
      case ChoiceKind::subset: subset(choice); break;
    }
    if (!choice.raw.empty() && choice.origin != self && choice.kind != ChoiceKind::subset) {
      w_.restated(Field::tool_choice, "the nearest choice that bedrock has");
    }
  }

  void degrade(std::string hint) {
    w_.restated(Field::tool_choice, "tool_choice_degraded: this model cannot be forced so");
    w_.hints.push_back(std::move(hint));
  }

  // Taking tools away would break the prompt cache: the choice is an instruction.
  void subset(const ToolChoice& choice) {
    if (choice.subset_required && !thinking_ && w_.rules.must_call) choice_ = "any";
    std::string names;
    for (const std::string& name : choice.names) names += (names.empty() ? "" : ", ") + w_.tool_name(name);
    w_.hints.push_back((choice.subset_required ? "Call one of these tools now: " : "Of the tools, use only these: ") +
                       names + '.');
    w_.restated(Field::tool_choice, "said as an instruction: bedrock has no list of allowed tools");
  }

  // Which of the tools can be said; the others are noted.
  std::vector<std::size_t> sayable() const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < w_.request.tools.size(); ++i) {
      const Tool& tool = w_.request.tools[i];
      const Pointer pointer = pointer_to_tool(w_.request, i);
      if (!only_.empty() && tool.name != only_) {
        w_.notes.lost(pointer, "left out so that the wanted tool is called");
      } else if (!tool.vendor_raw.empty() && tool.origin != self && !(w_.rules.grounds && is_search(tool))) {
        w_.notes.lost(pointer, "a tool that another vendor runs");
      } else {
        out.push_back(i);
      }
    }
    return out;
  }

  void write_tool(std::size_t index) {
    const Tool& tool = w_.request.tools[index];
    const Pointer pointer = pointer_to_tool(w_.request, index);
    json::Writer& out = w_.out;
    if (!tool.vendor_raw.empty()) {
      if (tool.origin == self) {
        out.raw(tool.vendor_raw);
      } else {
        w_.notes.restated(pointer, "the vendor's own tool of that kind");
        out.raw(grounding);
      }
      return write_mark(w_, tool.cache, pointer);
    }
    out.begin_object().key("toolSpec").begin_object().member("name", w_.tool_name(tool.name));
    if (w_.tool_name(tool.name) != tool.name) w_.notes.restated(pointer, "a name that bedrock takes");
    tool.kind == ToolKind::custom ? write_free_text(tool, pointer) : write_function(tool, index);
    write_inner_extras(out, tool.extras, self, "toolSpec");
    out.end_object();
    write_extras(out, tool.extras, self, pointer, w_.notes);
    out.end_object();
    write_mark(w_, tool.cache, pointer);
  }

  void write_free_text(const Tool& tool, const Pointer& pointer) {
    std::string description = tool.description;
    if (!tool.format.empty()) {
      description += (description.empty() ? "" : "\n") + ("The input has this form: " + tool.format);
    }
    if (!description.empty()) w_.out.member("description", description);
    write_schema(free_text_schema);
    w_.notes.restated(pointer, "a free-text tool is a function of one string here");
  }

  void write_function(const Tool& tool, std::size_t index) {
    if (!tool.description.empty()) w_.out.member("description", tool.description);
    if (w_.own) {
      if (!tool.schema.empty()) write_schema(tool.schema);
      if (tool.strict) w_.out.member_bool("strict", *tool.strict);
      return;
    }
    const Pointer at = pointer_to_schema(w_.request, index);
    RawJson schema = object_schema(tool.schema, at, w_.notes);
    bool strict = tool.strict.value_or(false) && w_.rules.strict_tools;
    if (strict && w_.rules.claude) {
      if (auto narrow = anthropic::strict_schema(schema, at, w_.notes)) {
        schema = *std::move(narrow);
      } else {
        strict = false;
      }
    }
    write_schema(schema);
    if (!tool.strict) return;
    if (strict || (!*tool.strict && w_.rules.strict_tools)) {
      w_.out.member_bool("strict", strict);
    } else {
      w_.notes.restated(pointer_to_strict(w_.request, index), "the schema is told but not enforced here");
    }
  }

  void write_schema(std::string_view schema) {
    w_.out.key("inputSchema").begin_object().member_raw("json", schema).end_object();
  }

  void write_choice() {
    if (choice_.empty()) return;
    w_.out.key("toolChoice").begin_object().key(choice_).begin_object();
    if (choice_ == "tool") w_.out.member("name", w_.tool_name(name_));
    w_.out.end_object().end_object();
  }

  Writing& w_;
  bool thinking_;
  std::vector<std::string> undeclared_;
  std::string choice_;  // auto, any, tool; empty: nothing is said
  std::string name_;    // of choice "tool"
  std::string only_;    // not empty: of the declared tools this one alone is offered
};

}  // namespace

void write_tool_config(Writing& w, bool thinking) {
  Tools(w, thinking).write();
}

}  // namespace sluice::bedrock_converse
