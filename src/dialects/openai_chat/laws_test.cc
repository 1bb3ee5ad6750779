// How the laws judge openai_chat: its spelling table. SPDX-License-Identifier: MIT
#include "dialects/laws.h"

#include "dialects/openai_chat/message.h"

namespace sluice::openai_chat {
namespace {

using json::Value;
using laws::Kind;
using Text = std::optional<std::string>;

// The object again, member by member: `change` answers the member's new text ("" drops it), or nullopt to keep it;
// `more` is appended.
template <class Change>
std::string remade(Value object, Change change, const std::vector<std::pair<std::string, std::string>>& more = {}) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  for (const auto [key, value] : object.members()) {
    const Text text = change(key, value);
    if (!text) {
      writer.member_raw(key, value.raw());
    } else if (!text->empty()) {
      writer.member_raw(key, *text);
    }
  }
  for (const auto& [key, text] : more) writer.member_raw(key, text);
  writer.end_object();
  return out;
}

Text no_null(Value value) {
  if (value.is_null()) return std::nullopt;
  return std::string(value.raw());
}

Text unless_empty(Value value) {
  if (value.size() == 0 && !(value.is_string() && !value.equals(""))) return std::nullopt;
  return std::string(value.raw());
}

Text never(Value) {
  return std::nullopt;
}

// Functions of the first generation are tools.
Text request_root(Value root) {
  std::vector<std::pair<std::string, std::string>> more;
  for (const auto [key, value] : root.members()) {
    if (key == "functions") {
      std::string tools = "[";
      for (const Value one : value.elements()) {
        tools += (tools.size() > 1 ? "," : "") + std::string(R"({"type":"function","function":)") +
                 std::string(one.raw()) + '}';
      }
      more.emplace_back("tools", tools + ']');
    } else if (key == "function_call") {
      more.emplace_back("tool_choice", value.is_object()
                                           ? R"({"type":"function","function":)" + std::string(value.raw()) + '}'
                                           : std::string(value.raw()));
    } else if (key == "random_seed") {
      more.emplace_back("seed", std::string(value.raw()));
    }
  }
  return remade(
      root,
      [](std::string_view key, Value) -> Text {
        if (key == "functions" || key == "function_call" || key == "random_seed") return "";
        return std::nullopt;
      },
      more);
}

// Usage is always asked for, so that tokens can be counted.
Text stream_options(Value value) {
  std::string out = remade(
      value, [](std::string_view key, Value) -> Text { return key == "include_usage" ? Text("") : std::nullopt; });
  if (out == "{}") return std::nullopt;
  return out;
}

// Reasoning stands under many names; where details speak, the plain text only repeats them. Thoughts inside the content
// are reasoning, a call of the first generation is a tool call, an empty list or text says nothing.
Text message(Value value, bool reply) {
  std::string reasoning;
  std::string details;
  for (const Value detail : value["reasoning_details"].elements()) {
    details += detail["text"].text() + detail["summary"].text();
  }
  const Value plain = value["reasoning_content"].is_string() ? value["reasoning_content"] : value["reasoning"];
  if (details.empty()) reasoning = plain.text();
  std::vector<std::pair<std::string, std::string>> more;
  std::string content;
  if (const Value list = value["content"]; list.is_array()) {
    std::string texts;
    for (const Value part : list.elements()) {
      if (part["type"].equals("thinking")) {
        for (const Value piece : part["thinking"].elements()) reasoning += piece["text"].text();
        continue;
      }
      texts += part["text"].text();
      content += (content.empty() ? "[" : ",") + std::string(part.raw());
    }
    if (!content.empty()) content += ']';
    if (reply) content = texts.empty() ? "" : json::quote(texts);
  }
  if (!reasoning.empty()) more.emplace_back("reasoning_content", json::quote(reasoning));
  if (const Value call = value["function_call"]; call.is_object()) {
    more.emplace_back("tool_calls", R"([{"id":")" + legacy_call_id(call["name"].text()) +
                                        R"(","type":"function","function":)" + std::string(call.raw()) + "}]");
  }
  const bool function = value["role"].equals("function");
  if (function) more.emplace_back("tool_call_id", json::quote(legacy_call_id(value["name"].text())));
  return remade(
      value,
      [&](std::string_view key, Value inner) -> Text {
        if (key == "reasoning" || key == "reasoning_content" || key == "function_call") return "";
        if (key == "content" && inner.is_array()) return content;
        if (key == "content" && reply && inner.equals("")) return "";
        if (key == "role" && function) return "\"tool\"";
        if ((key == "tool_calls" || key == "annotations" || key == "reasoning_details") && inner.size() == 0) return "";
        if (key == "refusal" && inner.equals("")) return "";
        return std::nullopt;
      },
      more);
}

Text call(Value value) {
  const bool typed = value["type"].is_string();
  std::vector<std::pair<std::string, std::string>> more;
  if (!typed) more.emplace_back("type", "\"function\"");
  return remade(
      value, [](std::string_view key, Value) -> Text { return key == "index" ? Text("") : std::nullopt; }, more);
}

Text detail(Value value) {
  return remade(value, [](std::string_view key, Value inner) -> Text {
    if (key == "index" || (key == "format" && inner.equals("unknown")) || inner.equals("")) return "";
    return std::nullopt;
  });
}

Text tool(Value value) {
  if (value["type"] || !value["function"].is_object()) return std::string(value.raw());
  return remade(value, [](std::string_view, Value) -> Text { return std::nullopt; }, {{"type", "\"function\""}});
}

// Mistral's word.
Text choice_word(Value value) {
  return value.equals("any") ? "\"required\"" : std::string(value.raw());
}

// A choice that a filter emptied has no message.
Text choice(Value value) {
  std::vector<std::pair<std::string, std::string>> more;
  if (!value["message"]) more.emplace_back("message", R"({"role":"assistant"})");
  return remade(value, [](std::string_view, Value) -> Text { return std::nullopt; }, more);
}

// Of what the upstream did not say, the writer makes what every client needs.
std::function<Text(Value)> made(std::string made_text) {
  return [made_text](Value value) -> Text {
    if (value.raw() == made_text || value.equals("")) return std::nullopt;
    return std::string(value.raw());
  };
}

const laws::Register judge({
    .dialect = DialectId::openai_chat,
    .spellings =
        {
            {Kind::request, "/**", no_null},
            {Kind::request, "", request_root},
            {Kind::request, "/stream_options", stream_options},
            {Kind::request, "/messages/*", [](Value value) { return message(value, false); }},
            {Kind::request, "/messages/*/tool_calls/*", call},
            {Kind::request, "/messages/*/reasoning_details/*", detail},
            {Kind::request, "/tools/*", tool},
            {Kind::request, "/tools/*/function/description", unless_empty},
            {Kind::request, "/tool_choice", choice_word},
            {Kind::reply, "/**", no_null},
            {Kind::reply, "/object", never},
            {Kind::reply, "/created", made("1700000000")},
            {Kind::reply, "/id", made("\"chatcmpl-exchange-1\"")},
            {Kind::reply, "/model", made("\"asked-model\"")},
            {Kind::reply, "/choices/*", choice},
            {Kind::reply, "/choices/*/finish_reason", unless_empty},
            {Kind::reply, "/choices/*/message", [](Value value) { return message(value, true); }},
            {Kind::reply, "/choices/*/message/tool_calls/*", call},
            {Kind::reply, "/choices/*/message/reasoning_details/*", detail},
        },
    .forms =
        {
            {Kind::request, "/messages/*/role"},
            {Kind::request, "/**/type"},
            {Kind::request, "/model"},
            {Kind::request, "/stream"},
            {Kind::request, "/n"},
            {Kind::request, "/modalities/*"},
            {Kind::request, "/tool_choice/**"},
            {Kind::request, "/parallel_tool_calls"},
            {Kind::request, "/service_tier"},
            {Kind::request, "/messages/*/reasoning_details/*/format"},
            {Kind::request, "/reasoning_effort"},
            {Kind::request, "/reasoning/**"},
            {Kind::request, "/thinking/**"},
            {Kind::request, "/response_format/json_schema/name"},
            {Kind::request, "/**/strict"},
            {Kind::request, "/**/cache_control/**"},
            {Kind::request, "/**/prompt_cache_breakpoint/**"},
            {Kind::request, "/messages/**/input_audio/format"},
            {Kind::request, "/messages/**/image_url/detail"},
            {Kind::request, "/messages/*/tool_call_id"},
            {Kind::request, "/messages/*/tool_calls/*/id"},
            {Kind::reply, "/object"},
            {Kind::reply, "/created"},
            {Kind::reply, "/choices/*/index"},
            {Kind::reply, "/choices/*/finish_reason"},
            {Kind::reply, "/choices/*/message/role"},
            {Kind::reply, "/**/type"},
            {Kind::reply, "/usage/**"},
            {Kind::reply, "/choices/*/logprobs/**/bytes/**"},  // the token's own bytes, said again
            {Kind::reply, "/service_tier"},
            {Kind::reply, "/choices/*/message/reasoning_details/*/format"},
        },
    .carried =
        {
            {Kind::request, "/messages"},
            {Kind::request, "/messages/*"},
            {Kind::request, "/messages/*/content"},
            {Kind::request, "/messages/*/tool_calls/*"},
            {Kind::request, "/tools"},
            {Kind::request, "/tools/*/function/name"},
            {Kind::request, "/tools/*/function/description"},
            {Kind::request, "/tools/*/function/parameters"},
            {Kind::request, "/max_tokens"},
            {Kind::request, "/max_completion_tokens"},
            {Kind::request, "/tool_choice"},
            {Kind::reply, "/choices/*/message/content"},
            {Kind::reply, "/choices/*/message/tool_calls/*"},
            {Kind::reply, "/choices/*/message/reasoning_content"},
        },
    .terminal_words = {"[DONE]", "\"finish_reason\":\"", "\"finish_reason\": \""},
});

}  // namespace
}  // namespace sluice::openai_chat
