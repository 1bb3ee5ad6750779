// SPDX-License-Identifier: MIT
#include "dialects/openai_responses/held.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "dialects/openai_chat/wrong.h"
#include "dialects/openai_responses/items.h"
#include "dialects/openai_responses/ladder.h"
#include "dialects/tool_id.h"

namespace sluice::openai_responses {
namespace {

using json::Value;

constexpr std::string_view held_prefix = "resp_sluice_", passing_prefix = "resp_passing_";
constexpr std::string_view item_mark = "_sluice_";

std::string_view without_kind(std::string_view exchange_id) {
  const auto mark = exchange_id.find('_');
  return exchange_id.substr(mark == std::string_view::npos ? 0 : mark + 1);
}

std::string own_id(std::string_view prefix, std::string_view exchange_id) {
  return std::string(prefix) + std::string(without_kind(exchange_id));
}

bool is_reference(Value item) {
  return item["type"].equals("item_reference");
}

Error not_found(std::string_view what, std::string_view id) {
  return {.fault = Fault::bad_request, .message = std::string(what) + " with id '" + std::string(id) + "' not found."};
}

// How names of an item of this type begin.
std::string_view id_prefix(Value item) {
  const Value type = item["type"];
  if (type.equals("function_call")) return "fc_";
  if (type.equals("function_call_output")) return "fco_";
  if (type.equals("custom_tool_call")) return "ctc_";
  if (type.equals("custom_tool_call_output")) return "ctco_";
  if (type.equals("reasoning")) return "rs_";
  return !type || type.equals("message") ? "msg_" : "item_";
}

// An item in its full form: with a type, an id, and contents as parts.
void write_item(json::Writer& out, Value item, std::string_view response_id, std::size_t place) {
  out.begin_object();
  const bool message = !item["type"] || item["type"].equals("message");
  if (!item["type"]) out.member("type", "message");
  if (!item["id"].is_string()) out.member("id", answer_tool_id(id_prefix(item), response_id, 1, place));
  for (const auto [key, value] : item.members()) {
    if (key == "id" && !value.is_string()) continue;
    if (!message || key != "content" || !value.is_string()) {
      out.member_raw(key, value.raw());
      continue;
    }
    const bool said = item["role"].equals("assistant");
    out.key(key).begin_array().begin_object().member("type", said ? "output_text" : "input_text");
    out.member_raw("text", value.raw());
    if (said) out.key("annotations").begin_array().end_array();
    out.end_object().end_array();
  }
  out.end_object();
}

// Items whose name says nothing about what is in them.
bool nameless(Value item) {
  const Value type = item["type"];
  for (const std::string_view one : {"message", "reasoning", "function_call", "function_call_output",
                                     "custom_tool_call", "custom_tool_call_output"}) {
    if (type.equals(one)) return true;
  }
  return false;
}

void write_nameless(json::Writer& out, Value item) {
  if (!nameless(item)) {
    out.raw(item.raw());
    return;
  }
  out.begin_object();
  for (const auto [key, value] : item.members()) {
    if (key != "id") out.member_raw(key, value.raw());
  }
  out.end_object();
}

void write_nameless(json::Writer& out, std::string_view item) {
  json::Document doc;
  if (const auto root = doc.parse(item)) write_nameless(out, *root);
}

std::string list_of(std::string_view items) {
  std::string out = "[";
  out += items;
  out += ']';
  return out;
}

}  // namespace

// OpenRouter keeps nothing: there every request is told the whole conversation.
bool holds_answers(std::string_view vendor) {
  return vendor != "openrouter";
}

std::string held_id(std::string_view exchange_id) {
  return own_id(held_prefix, exchange_id);
}

std::string passing_id(std::string_view exchange_id) {
  return own_id(passing_prefix, exchange_id);
}

bool is_own_id(std::string_view id) {
  return is_held_id(id) || id.starts_with(passing_prefix);
}

bool is_held_id(std::string_view id) {
  return id.starts_with(held_prefix);
}

Error no_previous(std::string_view id) {
  Error error = not_found("Previous response", id);
  error.code = "previous_response_not_found";
  error.param = "previous_response_id";
  return error;
}

Error no_response(std::string_view id) {
  Error error = not_found("Response", id);
  error.status = 404;
  return error;
}

Result<StateAsked> read_state(std::span<const json::TopMember> members) {
  StateAsked out;
  for (const json::TopMember& member : members) {
    if (member.kind == json::Kind::null) continue;
    if (member.key == "store") {
      if (member.kind != json::Kind::boolean) return openai_chat::wrong_type("store", "a boolean", member.kind);
      out.store = member.raw == "true";
    } else if (member.key == "previous_response_id") {
      if (member.kind != json::Kind::string) {
        return openai_chat::wrong_type("previous_response_id", "a string", member.kind);
      }
      out.previous = json::unescape(member.raw.substr(1, member.raw.size() - 2));
    } else if (member.key == "conversation") {
      json::Document doc;
      TRY(const Value conversation, doc.parse(member.raw));
      out.conversation = conversation.is_object() ? conversation["id"].text() : conversation.text();
    }
  }
  if (!out.previous.empty() && !out.conversation.empty()) {
    return openai_chat::invalid("previous_response_id",
                                "Mutually exclusive parameters: 'previous_response_id' and 'conversation'.");
  }
  return out;
}

std::string held_items(std::string_view input, std::string_view response_id) {
  std::string out;
  json::Writer writer(out);
  json::Document doc;
  const auto root = doc.parse(input);
  if (!root) return out;
  if (root->is_string()) {
    writer.begin_object().member("type", "message").member("id", answer_tool_id("msg_", response_id, 1, 0));
    writer.member("role", "user").key("content").begin_array();
    writer.begin_object().member("type", "input_text").member_raw("text", root->raw()).end_object();
    writer.end_array().end_object();
    return out;
  }
  std::size_t place = 0;
  for (const Value item : root->elements()) {
    if (!item.is_object()) continue;
    if (!out.empty()) out += ',';
    std::string one;
    json::Writer item_writer(one);
    write_item(item_writer, item, response_id, place++);
    out += one;
  }
  return out;
}

std::string output_items(std::string_view response) {
  json::Document doc;
  const auto root = doc.parse(response);
  if (!root) return {};
  const std::string_view list = (*root)["output"].raw();
  if (list.size() < 2) return {};
  std::string out;
  for (const Value item : (*root)["output"].elements()) {
    if (!out.empty()) out += ',';
    out += item.raw();
  }
  return out;
}

Result<std::string> continued(std::string_view body, std::span<const json::TopMember> members,
                              std::string_view earlier) {
  std::string input = "[";
  json::Document doc;
  const std::string list = list_of(earlier);
  TRY(const Value items, doc.parse(list));
  for (const Value item : items.elements()) {
    if (input.size() > 1) input += ',';
    json::Writer out(input);
    write_nameless(out, item);
  }
  const auto own = std::ranges::find(members, "input", &json::TopMember::key);
  if (own != members.end() && own->kind == json::Kind::string) {
    if (input.size() > 1) input += ',';
    input += R"({"type":"message","role":"user","content":)";
    input += own->raw;
    input += '}';
  } else if (own != members.end() && own->kind == json::Kind::array) {
    std::string_view inside = own->raw.substr(1, own->raw.size() - 2);
    const bool any = inside.find_first_not_of(" \t\r\n") != std::string_view::npos;
    if (any && input.size() > 1) input += ',';
    input += inside;
  } else if (own != members.end() && own->kind != json::Kind::null) {
    return openai_chat::wrong_type("input", "one of a string or an array of objects", own->kind);
  }
  input += ']';
  const json::Edit edits[] = {{.op = json::Edit::Op::drop, .pointer = "/previous_response_id"},
                              {.pointer = "/input", .value = std::move(input)}};
  return json::apply(body, edits);
}

std::string held_item_id(std::string_view prefix, std::string_view exchange_id, std::int64_t place) {
  std::string out(prefix.substr(0, prefix.size() - 1));
  out += item_mark;
  out += without_kind(exchange_id);
  out += '_';
  out += std::to_string(place);
  return out;
}

std::vector<Reference> references(std::span<const json::TopMember> members) {
  std::vector<Reference> out;
  const auto input = std::ranges::find(members, "input", &json::TopMember::key);
  if (input == members.end() || !contains(input->raw, "\"item_reference")) return out;
  json::Document doc;
  const auto items = doc.parse(input->raw);
  if (!items) return out;
  for (const Value item : items->elements()) {
    std::string id = item["id"].text();
    const auto mark = id.find(item_mark);
    const auto place = id.rfind('_');
    if (!is_reference(item) || mark == std::string::npos || place < mark + item_mark.size()) continue;
    std::string response(held_prefix);
    response += id.substr(mark + item_mark.size(), place - mark - item_mark.size());
    out.push_back({std::move(id), std::move(response)});
  }
  return out;
}

std::string named_item(std::string_view response, std::string_view item) {
  json::Document doc;
  const auto root = doc.parse(response);
  if (!root) return {};
  for (const Value one : (*root)["output"].elements()) {
    if (one["id"].equals(item)) return std::string(one.raw());
  }
  return {};
}

Result<std::string> resolved(std::string_view body, std::span<const json::TopMember> members,
                             const std::map<std::string, std::string, std::less<>>& items) {
  const auto input = std::ranges::find(members, "input", &json::TopMember::key);
  if (input == members.end()) return std::string(body);
  json::Document doc;
  TRY(const Value list, doc.parse(input->raw));
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const Value item : list.elements()) {
    const auto found = is_reference(item) ? items.find(item["id"].text()) : items.end();
    if (found == items.end()) {
      out.raw(item.raw());
    } else {
      write_nameless(out, found->second);
    }
  }
  out.end_array();
  const json::Edit edit{.pointer = "/input", .value = std::move(text)};
  return json::apply(body, std::span(&edit, 1));
}

Result<std::string> write_page(std::string_view items, const Page& page) {
  json::Document doc;
  const std::string list = list_of(items);
  TRY(const Value root, doc.parse(list));
  std::vector<Value> all;
  for (const Value item : root.elements()) all.push_back(item);
  if (!page.oldest_first) std::ranges::reverse(all);
  auto first = all.begin();
  if (!page.after.empty()) {
    first = std::ranges::find_if(all, [&](Value item) { return item["id"].equals(page.after); });
    if (first == all.end()) {
      return openai_chat::invalid("after", "Invalid value: 'after' names no item of this list.");
    }
    ++first;
  }
  const auto left = static_cast<std::size_t>(all.end() - first);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(left, page.limit));
  std::string out;
  json::Writer writer(out);
  writer.begin_object().member("object", "list").key("data").begin_array();
  for (auto item = first; item != last; ++item) writer.raw(item->raw());
  writer.end_array();
  if (first == last) {
    writer.key("first_id").null().key("last_id").null();
  } else {
    writer.member("first_id", (*first)["id"].text()).member("last_id", (*(last - 1))["id"].text());
  }
  writer.member_bool("has_more", last != all.end()).end_object();
  return out;
}

std::string write_deleted(std::string_view id) {
  std::string out;
  json::Writer(out)
      .begin_object()
      .member("id", id)
      .member("object", "response")
      .member_bool("deleted", true)
      .end_object();
  return out;
}

std::string_view last_response(std::string_view event) {
  constexpr std::string_view begin = ",\"response\":";
  constexpr std::string_view end = "}\n\n";
  const auto at = event.find(begin);
  if (at == std::string_view::npos || !event.ends_with(end)) return {};
  event.remove_prefix(at + begin.size());
  event.remove_suffix(end.size());
  return event;
}

std::string vendors_last_response(std::string_view event) {
  constexpr std::string_view data = "data:";
  const auto line = event.find(data);
  if (line == std::string_view::npos) return {};
  event.remove_prefix(line + data.size());
  json::Document doc;
  const auto root = doc.parse(trim(event.substr(0, event.find('\n'))));
  return root && (*root)["response"].is_object() ? std::string((*root)["response"].raw()) : std::string();
}

std::string replay(std::string_view response, std::int64_t after) {
  json::Document doc;
  const auto root = doc.parse(response);
  if (!root || !root->is_object()) return {};
  std::string out;
  Emitter to;
  to.to(&out);
  const json::Edit unmade[] = {{.pointer = "/status", .value = R"("in_progress")"},
                               {.pointer = "/incomplete_details", .value = "null"},
                               {.pointer = "/output", .value = "[]"},
                               {.pointer = "/usage", .value = "null"}};
  const std::string begun = "\"response\":" + json::apply(response, unmade).value_or("{}");
  to.send("response.created", begun);
  to.send("response.in_progress", begun);
  Ladder ladder((*root)["id"].text());
  ladder.origin(self);
  std::size_t place = 0;
  for (const Value item : (*root)["output"].elements()) {
    std::vector<Part> parts;
    read_item(item, place++, Side::answered, parts);
    // As it stands, whatever it belongs to.
    if (const std::string proof = item["encrypted_content"].text(); !proof.empty()) {
      parts.back().seal = Seal{.dialect = self, .raw = proof};
      auto* thought = parts.back().as<Reasoning>();
      if (thought != nullptr && item["summary"].size() + item["content"].size() == 0) thought->redacted = true;
    }
    std::size_t content = 0;
    for (const Part& part : parts) {
      auto logprobs = read_logprobs(item["content"].at(content++)["logprobs"]);
      feed(ladder, part, logprobs, to);
    }
  }
  ladder.finish("completed", to);
  to.send("response." + (*root)["status"].text(), "\"response\":" + std::string(response));
  std::string_view rest = out;
  for (std::int64_t number = 0; number <= after && !rest.empty(); ++number) {
    rest.remove_prefix(std::min(rest.find("\n\n"), rest.size() - 2) + 2);
  }
  return std::string(rest);
}

}  // namespace sluice::openai_responses
