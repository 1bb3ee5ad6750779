// Reading the dialect's own Schema. Writing: schema_write.cc. SPDX-License-Identifier: MIT
#include "dialects/gemini/schema.h"

#include <algorithm>

#include "base/text.h"
#include "dialects/gemini/names.h"

namespace sluice::gemini {
namespace {

constexpr std::string_view counts[] = {"minItems",  "maxItems",      "minLength",
                                       "maxLength", "minProperties", "maxProperties"};

bool counts_something(std::string_view key) {
  return std::ranges::any_of(counts, [&](std::string_view name) { return is_name(key, name); });
}

bool digits(std::string_view text) {
  return !text.empty() && text.size() < 19 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void convert(json::Writer& w, json::Value schema);

void convert_all(json::Writer& w, json::Value list) {
  if (!list.is_array()) return convert(w, list);
  w.begin_array();
  for (const json::Value one : list.elements()) convert(w, one);
  w.end_array();
}

void convert(json::Writer& w, json::Value schema) {
  if (!schema.is_object()) {
    w.raw(schema.raw());
    return;
  }
  const bool nullable = field(schema, "nullable").boolean().value_or(false);
  w.begin_object();
  for (const auto [key, value] : schema.members()) {
    if (value.is_null() && key != "default" && key != "example") continue;
    if (key == "type" && value.is_string()) {
      const std::string type = lower(value.text());
      if (type == "type_unspecified") continue;
      w.key("type");
      if (nullable) {
        w.begin_array().string(type).string("null").end_array();
      } else {
        w.string(type);
      }
    } else if (key == "nullable" && value.boolean()) {
      // Without a type or alternatives of its own the word has no other form.
      if (!schema["type"] && !field(schema, "anyOf")) w.member_raw(key, value.raw());
    } else if (key == "properties" && value.is_object()) {
      w.key("properties").begin_object();
      for (const auto [name, inner] : value.members()) {
        w.key(name);
        convert(w, inner);
      }
      w.end_object();
    } else if (key == "items") {
      w.key("items");
      convert_all(w, value);
    } else if (is_name(key, "anyOf")) {
      w.key("anyOf").begin_array();
      for (const json::Value one : value.elements()) convert(w, one);
      if (nullable && !schema["type"]) w.begin_object().member("type", "null").end_object();
      w.end_array();
    } else if (counts_something(key) && value.is_string() && digits(value.text())) {
      w.member_raw(to_camel(key), value.text());
    } else if (key == "format" && value.equals("enum")) {
      // says only that "enum" stands there
    } else if (key == "example") {
      w.key("examples").begin_array().raw(value.raw()).end_array();
    } else {
      w.member_raw(to_camel(key), value.raw());
    }
  }
  w.end_object();
}

}  // namespace

std::string to_json_schema(json::Value schema) {
  std::string out;
  out.reserve(schema.raw().size() + 64);
  json::Writer w(out);
  convert(w, schema);
  return out;
}

}  // namespace sluice::gemini
