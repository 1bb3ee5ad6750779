// SPDX-License-Identifier: MIT
#include "dialects/openai_chat/moonshot_schema.h"

#include <string>

#include "base/json.h"

namespace sluice::openai_chat {
namespace {

class Rewriting {
 public:
  Rewriting(json::Writer& out, Notes& notes) : out_(out), notes_(notes) {}

  // `type`: of the schema that this one is an alternative of, for one that names none itself.
  void write(json::Value schema, const std::string& at, json::Value type = {}) {
    if (!schema.is_object()) {
      out_.raw(schema.raw());
      return;
    }
    const bool alternatives = schema["anyOf"].is_array();
    out_.begin_object();
    if (type && !schema["type"] && !alternatives) out_.member_raw("type", type.raw());
    for (const auto [key, value] : schema.members()) {
      const std::string here = at + '/' + json::pointer_token(key);
      if (key == "$schema" || (key == "type" && alternatives)) continue;
      if (key == "properties" || key == "$defs" || key == "definitions") {
        out_.key(key).begin_object();
        for (const auto [name, inner] : value.members()) {
          out_.key(name);
          write(inner, here + '/' + json::pointer_token(name));
        }
        out_.end_object();
      } else if (key == "items" && value.is_array()) {
        notes_.restated(here, "moonshot knows tuples by their newer name");
        list("prefixItems", value, here);
      } else if (key == "anyOf") {
        list(key, value, here, schema["type"] ? schema["type"] : type);
      } else if (key == "oneOf" || key == "allOf" || key == "prefixItems") {
        list(key, value, here);
      } else if (key == "items" || key == "additionalProperties" || key == "not") {
        out_.key(key);
        write(value, here);
      } else {
        out_.member_raw(key, value.raw());
      }
    }
    out_.end_object();
  }

 private:
  void list(std::string_view key, json::Value schemas, const std::string& at, json::Value type = {}) {
    out_.key(key).begin_array();
    std::size_t i = 0;
    for (const json::Value one : schemas.elements()) write(one, at + '/' + std::to_string(i++), type);
    out_.end_array();
  }

  json::Writer& out_;
  Notes& notes_;
};

}  // namespace

RawJson moonshot_schema(std::string_view schema, const Pointer& pointer, Notes& notes) {
  json::Document doc;
  const auto root = doc.parse(schema);
  if (!root) return RawJson(schema);
  RawJson text;
  json::Writer out(text);
  Rewriting(out, notes).write(*root, pointer.text());
  return text;
}

}  // namespace sluice::openai_chat
