// tools and toolConfig. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "dialects/gemini/schema.h"
#include "dialects/gemini/settings.h"
#include "dialects/gemini/tool_names.h"
#include "dialects/pointer.h"
#include "dialects/pointer_within.h"
#include "dialects/spare.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

std::unexpected<Failure> wrong(std::string message, std::string param) {
  Error error{.fault = Fault::bad_request, .message = std::move(message)};
  error.param = std::move(param);
  return fail(std::move(error));
}

Result<Tool> read_declaration(json::Value declaration) {
  if (!declaration.is_object()) return wrong("Invalid value at 'tools.function_declarations'", "tools");
  Tool tool;
  for (const auto [key, value] : declaration.members()) {
    if (value.is_null()) continue;
    if (key == "name") {
      tool.name = value.text();
    } else if (key == "description") {
      tool.description = value.text();
    } else if (key == "parameters" && value.is_object()) {
      tool.schema = to_json_schema(value);
      tool.schema_native.text = std::string(value.raw());
    } else if (is_name(key, "parametersJsonSchema") && value.is_object()) {
      tool.schema = std::string(value.raw());
      tool.schema_native.text.clear();
    } else {
      tool.extras.add(self, key, value.raw());
    }
  }
  if (tool.name.empty()) return wrong("tools.function_declarations.name: [FIELD_INVALID] A name is required.", "tools");
  return tool;
}

Result<void> read_function(json::Value declaration, std::string place, ChatRequest& out) {
  TRY(Tool tool, read_declaration(declaration));
  tool.place.text = std::move(place);
  out.tools.push_back(std::move(tool));
  return {};
}

Result<void> read_tool(json::Value entry, const std::string& place, ChatRequest& out) {
  if (!entry.is_object()) return wrong("Invalid value at 'tools'", "tools");
  for (const auto [key, value] : entry.members()) {
    if (value.is_null()) continue;
    if (is_name(key, "functionDeclarations")) {
      const std::string list = place + '/' + std::string(key);
      std::size_t index = 0;
      if (value.is_object()) TRY_VOID(read_function(value, list, out));
      for (const json::Value one : value.elements()) {
        TRY_VOID(read_function(one, list + '/' + std::to_string(index++), out));
      }
    } else {
      Leftovers raw;
      raw.add(key, value.raw());
      Tool tool{.vendor_raw = raw.take(), .vendor_type = to_camel(key), .origin = self};
      tool.place.text = place + '/' + json::pointer_token(key);
      out.tools.push_back(std::move(tool));
    }
  }
  return {};
}

// The vendor's own tool that does what another vendor's does.
struct VendorRow {
  std::string_view theirs, ours;  // theirs: the beginning of its type
};
constexpr VendorRow vendor_tools[] = {
    {"web_search", "googleSearch"},
    {"web_fetch", "urlContext"},
    {"code_execution", "codeExecution"},
    {"code_interpreter", "codeExecution"},
};

class Writing {
 public:
  Writing(json::Writer& out, const ChatRequest& request, const Destination& to, const ModelRules& rules, Notes& notes)
      : out_(out), request_(request), to_(to), rules_(rules), notes_(notes) {}

  void run() {
    tools();
    config();
  }

 private:
  [[nodiscard]] std::string at(std::size_t tool, std::string_view member) const {
    const bool chat = (request_.origin == DialectId::openai_chat || request_.origin == DialectId::cohere) &&
                      request_.tools[tool].kind == ToolKind::function;
    return pointer_to_tool(request_, tool) + (chat ? "/function" : "") + std::string(member);
  }

  void tools() {
    if (request_.tools.empty()) {
      if (own_ && request_.tools_said) out_.key("tools").begin_array().end_array();
      return;
    }
    const bool functions = std::ranges::any_of(request_.tools, [](const Tool& t) { return t.vendor_raw.empty(); });
    std::string text;
    json::Writer w(text);
    w.begin_array();
    bool open = false;  // inside functionDeclarations
    const auto close = [&] {
      if (open) w.end_array().end_object();
      open = false;
    };
    for (std::size_t i = 0; i < request_.tools.size(); ++i) {
      const Tool& tool = request_.tools[i];
      if (!tool.vendor_raw.empty()) {
        const std::string vendor = vendor_tool(tool, i, functions);
        if (vendor.empty()) continue;
        close();
        w.raw(vendor);
        continue;
      }
      if (!open) w.begin_object().key("functionDeclarations").begin_array();
      open = true;
      declaration(w, tool, i);
    }
    close();
    w.end_array();
    if (text.size() > 2) out_.member_raw("tools", text);
  }

  // The entry for a tool that the vendor runs, or empty with a Note.
  std::string vendor_tool(const Tool& tool, std::size_t i, bool functions) {
    if (tool.origin == self) return tool.vendor_raw;
    for (const VendorRow& row : vendor_tools) {
      if (!tool.vendor_type.starts_with(row.theirs)) continue;
      if (functions && !rules_.mixed_tools) {
        notes_.lost(pointer_to_tool(request_, i), "this model takes no tool of its vendor beside functions");
        return {};
      }
      server_tools_ = true;
      notes_.restated(pointer_to_tool(request_, i), "gemini's own tool of that purpose stands for it");
      return "{\"" + std::string(row.ours) + "\":{}}";
    }
    notes_.lost(pointer_to_tool(request_, i), "gemini has no such tool");
    return {};
  }

  void declaration(json::Writer& w, const Tool& tool, std::size_t i) {
    const std::string name = own_ ? tool.name : taken_tool_name(tool.name);
    if (name != tool.name) notes_.restated(pointer_to_tool(request_, i), "a name that gemini takes");
    w.begin_object().member("name", name);
    if (!tool.description.empty()) w.member("description", tool.description);
    if (tool.kind == ToolKind::custom) {
      notes_.restated(pointer_to_tool(request_, i), "gemini has no free-text tools; its input became an argument");
      w.member_raw("parametersJsonSchema",
                   R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"]})");
    } else if (!tool.schema.empty()) {
      schema(w, tool, i);
    }
    if (tool.extras.origin == self) {
      for (const Extra& x : tool.extras.members) w.member_raw(x.key, x.raw);
    } else {
      note_extras(tool.extras, self, pointer_to_tool(request_, i), notes_);
    }
    w.end_object();
    if (tool.cache) notes_.lost(pointer_to_mark(request_, pointer_to_tool(request_, i)), "gemini caches on its own");
    if (!own_ && tool.strict) strict(*tool.strict, i);
  }

  void strict(bool strict, std::size_t i) {
    if (!strict) return;
    const bool free = !request_.tool_choice || request_.tool_choice->kind == ChoiceKind::automatic;
    if (!free) {
      notes_.restated(pointer_to_strict(request_, i), "a forced call always holds to its schema");
    } else if (rules_.validated) {
      strict_ = true;
      notes_.restated(pointer_to_strict(request_, i), "mode VALIDATED holds every call to its schema");
    } else {
      notes_.lost(pointer_to_strict(request_, i), "this model knows no strict tools");
    }
  }

  void schema(json::Writer& w, const Tool& tool, std::size_t i) {
    if (own_) {
      if (!tool.schema_native.text.empty()) {
        json::Document doc;
        const auto root = doc.parse(tool.schema_native.text);
        if (root && to_json_schema(*root) == tool.schema) {
          w.member_raw("parameters", tool.schema_native.text);
          return;
        }
      }
      w.member_raw("parametersJsonSchema", tool.schema);
      return;
    }
    const Pointer place = pointer_to_schema(request_, i);
    if (!rules_.json_schema) {
      const std::string text = to_own_schema(tool.schema, place, notes_);
      if (!text.empty()) {
        // No arguments at all: an object without properties is refused.
        if (text.find("\"properties\"") != std::string::npos) w.member_raw("parameters", text);
        return;
      }
    }
    w.member_raw("parametersJsonSchema", taken_json_schema(tool.schema, place, notes_));
  }

  void config() {
    std::string text;
    json::Writer w(text);
    w.begin_object();
    if (request_.tool_choice) {
      choice(w, *request_.tool_choice);
    } else if (strict_) {
      w.key("functionCallingConfig").begin_object().member("mode", "VALIDATED").end_object();
    }
    if (own_ && request_.extras.origin == self) {
      for (const Extra& extra : request_.extras.members) {
        json::Document doc;
        if (extra.key != "toolConfig") continue;
        const auto inner = doc.parse(extra.raw);
        if (!inner) continue;
        for (const auto [key, value] : inner->members()) w.member_raw(key, value.raw());
      }
    }
    const bool functions = std::ranges::any_of(request_.tools, [](const Tool& t) { return t.vendor_raw.empty(); });
    if (!own_ && server_tools_ && functions && to_.provider == "gemini") {
      w.member_bool("includeServerSideToolInvocations", true);
    }
    w.end_object();
    if (text.size() > 2) out_.member_raw("toolConfig", text);
    if (request_.parallel_tools && !*request_.parallel_tools) {
      notes_.lost(pointer_to(request_, Field::parallel_tools), "gemini cannot be held to one call at a time");
    }
  }

  void choice(json::Writer& w, const ToolChoice& choice) {
    if (choice.origin == self && !choice.raw.empty()) {
      w.member_raw("functionCallingConfig", choice.raw);
      return;
    }
    if (!choice.raw.empty()) notes_.restated(pointer_to(request_, Field::tool_choice), "the nearest that gemini knows");
    // Without tools there is nothing to choose from; the vendor refuses such a config.
    if (!own_ && request_.tools.empty()) {
      notes_.lost(pointer_to(request_, Field::tool_choice), "a tool choice without tools");
      return;
    }
    if (choice.kind == ChoiceKind::subset && !choice.subset_required && !rules_.validated) {
      notes_.lost(pointer_to(request_, Field::tool_choice), "this model has allowed names only for forced calls");
      return;
    }
    std::string_view mode = "AUTO";
    switch (choice.kind) {
      case ChoiceKind::automatic: mode = strict_ ? "VALIDATED" : "AUTO"; break;
      case ChoiceKind::none: mode = "NONE"; break;
      case ChoiceKind::required:
      case ChoiceKind::one: mode = "ANY"; break;
      case ChoiceKind::subset: mode = choice.subset_required ? "ANY" : "VALIDATED"; break;
    }
    w.key("functionCallingConfig").begin_object().member("mode", mode);
    if (choice.kind == ChoiceKind::one || choice.kind == ChoiceKind::subset) {
      w.key("allowedFunctionNames").begin_array();
      for (const std::string& name : choice.names) w.string(own_ ? name : taken_tool_name(name));
      w.end_array();
    }
    w.end_object();
  }

  json::Writer& out_;
  const ChatRequest& request_;
  const Destination& to_;
  const ModelRules& rules_;
  Notes& notes_;
  bool own_ = request_.origin == self;
  bool strict_ = false;        // mode VALIDATED stands for strict tools
  bool server_tools_ = false;  // a tool of the vendor was put in for another's
};

ToolChoice read_choice(json::Value config) {
  ToolChoice out{.origin = self};
  const std::string mode = lower(field(config, "mode").text());
  const json::Value allowed = field(config, "allowedFunctionNames");
  if (allowed.is_string()) out.names.push_back(allowed.text());
  for (const json::Value name : allowed.elements()) out.names.push_back(name.text());
  std::size_t known = 0;
  for (const auto [key, value] : config.members()) {
    known += key == "mode" || is_name(key, "allowedFunctionNames") || value.is_null();
  }
  if (mode == "none") {
    out.kind = ChoiceKind::none;
  } else if (mode == "any") {
    out.kind = out.names.empty() ? ChoiceKind::required : out.names.size() == 1 ? ChoiceKind::one : ChoiceKind::subset;
    out.subset_required = out.kind == ChoiceKind::subset;
  } else if (mode == "validated" && !out.names.empty()) {
    out.kind = ChoiceKind::subset;
  } else if (mode != "auto" || !out.names.empty()) {
    out.raw = std::string(config.raw());
  }
  if ((mode == "none" && !out.names.empty()) || known != config.size()) out.raw = std::string(config.raw());
  return out;
}

}  // namespace

Result<void> read_tools(json::Value tools, ChatRequest& out) {
  if (!tools) return {};
  if (tools.is_object()) return read_tool(tools, "/tools", out);
  if (!tools.is_array()) return wrong("Invalid value at 'tools'", "tools");
  std::size_t index = 0;
  for (const json::Value entry : tools.elements()) {
    TRY_VOID(read_tool(entry, "/tools/" + std::to_string(index++), out));
  }
  out.tools_said = tools.size() == 0;
  return {};
}

Result<void> read_tool_config(json::Value config, ChatRequest& out) {
  if (!config) return {};
  if (!config.is_object()) return wrong("Invalid value at 'tool_config'", "toolConfig");
  Leftovers rest;
  for (const auto [key, value] : config.members()) {
    if (value.is_null()) continue;
    if (is_name(key, "functionCallingConfig") && value.is_object()) {
      out.tool_choice = read_choice(value);
    } else {
      rest.add(key, value.raw());
    }
  }
  if (!rest.empty()) out.extras.add(self, "toolConfig", rest.take());
  return {};
}

Result<void> write_tools(json::Writer& out, const ChatRequest& request, const Destination& to, const ModelRules& rules,
                         Notes& notes) {
  Writing(out, request, to, rules, notes).run();
  return {};
}

}  // namespace sluice::gemini
