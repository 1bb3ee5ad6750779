// How the laws judge this dialect. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

#include <algorithm>

#include "base/text.h"
#include "dialects/gemini/names.h"

namespace sluice::laws {
namespace {

using gemini::to_camel;

constexpr auto request = Kind::request;
constexpr auto reply = Kind::reply;

// What is inside is the client's own: no field of the protocol.
bool own_words(std::string_view key) {
  constexpr std::string_view names[] = {"args", "response", "parameters", "labels", "partMetadata", "metadataFilter"};
  return key.ends_with("Schema") || key == "properties" || std::ranges::find(names, key) != std::end(names);
}

// Fields in camelCase, nothing that is null, single objects as lists, defaults left out.
void spell(json::Writer& w, json::Value value, std::string_view name);

void spell_list(json::Writer& w, json::Value value, std::string_view name) {
  w.begin_array();
  if (value.is_object()) spell(w, value, name);
  for (const json::Value one : value.elements()) spell(w, one, name);
  w.end_array();
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

// One entry for each function and each tool of the vendor.
void spell_tools(json::Writer& w, json::Value tools) {
  w.begin_array();
  const auto one = [&](std::string_view name, json::Value value, bool listed) {
    w.begin_object().key(name);
    if (listed) w.begin_array();
    spell(w, value, name);
    if (listed) w.end_array();
    w.end_object();
  };
  const auto entry = [&](json::Value tool) {
    for (const auto [key, value] : tool.members()) {
      const std::string name = to_camel(key);
      if (value.is_null()) continue;
      if (name != "functionDeclarations" || value.is_object()) {
        one(name, value, name == "functionDeclarations");
      } else {
        for (const json::Value declaration : value.elements()) one(name, declaration, true);
      }
    }
  };
  if (tools.is_object()) entry(tools);
  for (const json::Value tool : tools.elements()) entry(tool);
  w.end_array();
}

// What our ids look like for calls that came without one.
bool made_up(json::Value id) {
  const std::string text = id.text();
  return text.size() == 29 && text.starts_with("call_");
}

bool says_nothing(std::string_view name, json::Value value, std::string_view inside) {
  if (value.is_null()) return true;
  if (name == "thought") return value.boolean() == false;
  if (name == "role") return inside == "systemInstruction" || value.equals("model") || value.equals("user");
  if (name == "index") return value.integer() == 0;
  if (name == "args" || name == "stopSequences") return value.size() == 0;
  if (name == "candidateCount") return value.integer() == 1;
  if (name == "description") return value.equals("");
  if (name == "model") return inside.empty();
  if (name == "id") return inside == "functionCall" && made_up(value);
  if (name == "content") return !value["parts"];
  if (name == "generationConfig" || name == "toolConfig" || name == "thinkingConfig") {
    for (const auto [key, member] : value.members()) {
      if (!says_nothing(to_camel(key), member, name)) return false;
    }
    return true;
  }
  return false;
}

void spell(json::Writer& w, json::Value value, std::string_view inside) {
  if (!value.is_object()) {
    if (value.is_array()) return spell_list(w, value, inside);
    w.raw(value.raw());
    return;
  }
  w.begin_object();
  // A proof alone stands on an empty text.
  if (value.size() == 1 && gemini::field(value, "thoughtSignature")) w.member("text", "");
  for (const auto [key, member] : value.members()) {
    std::string name = to_camel(key);
    if (name == "_responseJsonSchema") name = "responseJsonSchema";
    if (says_nothing(name, member, inside)) continue;
    if (name == "role" && (member.equals("function") || member.equals("tool"))) continue;
    w.key(name);
    if (own_words(name)) {
      w.raw(member.raw());
    } else if (name == "tools") {
      spell_tools(w, member);
    } else if (name == "contents" || name == "parts") {
      spell_list(w, member, name);
    } else if (name == "systemInstruction" && member.is_string()) {
      w.begin_object().key("parts").begin_array().begin_object().member_raw("text", member.raw());
      w.end_object().end_array().end_object();
    } else if (name == "finishReason" && member.is_number()) {
      w.string(member.integer() == 1 ? "STOP" : member.integer() == 2 ? "MAX_TOKENS" : "another");
    } else if (name == "mode" || name == "thinkingLevel") {
      w.string(upper(member.text()));
    } else {
      spell(w, member, name);
    }
  }
  w.end_object();
}

std::optional<std::string> spelled_whole(json::Value value) {
  std::string out;
  json::Writer w(out);
  spell(w, value, "");
  return out;
}

const Register judge_gemini({
    .dialect = DialectId::gemini,
    .spellings = {{request, "", spelled_whole}, {reply, "", spelled_whole}},
    .forms =
        {
            {request, "/contents/*/role"},
            {request, "/contents/*/parts/*/thought"},
            // Ids and names tie calls to results; another dialect may need only one of them.
            {request, "/contents/*/parts/*/functionResponse/name"},
            // A link needs no type elsewhere.
            {request, "/contents/*/parts/*/fileData/mimeType"},
            {request, "/contents/*/parts/*/functionResponse/parts/*/fileData/mimeType"},
            // Words that a row of the mapping translates.
            {request, "/generationConfig/responseMimeType"},
            {request, "/generationConfig/responseModalities/*"},
            {request, "/generationConfig/thinkingConfig/**"},
            {request, "/toolConfig/functionCallingConfig/mode"},
            // Types of the vendor's own schemas are in upper case, and their own words for null and for counts.
            {request, "/tools/**/parameters/**/type"},
            {request, "/tools/**/parameters/**/nullable"},
            {request, "/generationConfig/responseSchema/**/type"},
            {request, "/generationConfig/responseSchema/**/nullable"},
            {reply, "/candidates/*/content/role"},
            {reply, "/candidates/*/content/parts/*/thought"},
            {reply, "/candidates/*/finishReason"},
            {reply, "/candidates/*/finishMessage"},
            {request, "/contents/**/mediaResolution/level"},  // an image's detail
            {reply, "/promptFeedback/blockReason"},
            // A proof travels in an envelope.
            {reply, "/candidates/*/content/parts/*/thoughtSignature"},
            // Sums and differences of it arrive (answer_test.cc).
            {reply, "/usageMetadata/**"},
        },
    .carried =
        {
            {request, "/contents/*/parts/*/text"},
            {request, "/contents/*/parts/*/functionCall/args/**"},
            {request, "/systemInstruction/parts/*/text"},
            {reply, "/candidates/*/content/parts/*/text"},
        },
    .terminal_words = {"\"finishReason\"", "\"blockReason\""},
});

}  // namespace
}  // namespace sluice::laws
