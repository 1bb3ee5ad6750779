// SPDX-License-Identifier: MIT
#include "dialects/tool_schema.h"

#include <string>
#include <vector>

#include "base/json.h"

namespace sluice {

RawJson object_schema(std::string_view schema, const Pointer& pointer, Notes& notes, bool properties) {
  constexpr std::string_view any_object = R"({"type":"object","properties":{}})";
  json::Document doc;
  const auto root = doc.parse(schema);
  if (schema.empty()) return RawJson(any_object);
  if (!root || !root->is_object()) {
    notes.restated(pointer, "the arguments of a tool are an object");
    return RawJson(any_object);
  }
  std::vector<json::Edit> edits;
  for (const std::string_view key : {"anyOf", "oneOf", "allOf"}) {
    if (!(*root)[key]) continue;
    edits.push_back({.op = json::Edit::Op::drop, .pointer = '/' + std::string(key)});
    notes.lost(pointer + '/' + std::string(key), "no alternatives are taken at a tool's root");
  }
  if (const json::Value type = (*root)["type"]; !type.equals("object")) {
    edits.push_back({.op = json::Edit::Op::set, .pointer = "/type", .value = "\"object\""});
    if (type) notes.restated(pointer + "/type", "the arguments of a tool are an object");
  }
  if (properties && !(*root)["properties"].is_object()) {
    edits.push_back({.op = json::Edit::Op::set, .pointer = "/properties", .value = "{}"});
  }
  if (edits.empty()) return RawJson(schema);
  return json::apply(schema, edits).value_or(RawJson(any_object));
}

}  // namespace sluice
