// SPDX-License-Identifier: MIT
#include "dialects/anthropic/schema.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/json.h"

namespace sluice::anthropic {
namespace {

constexpr int most_optional = 24;
constexpr int most_unions = 16;

// What goes into the description because nobody checks it.
constexpr auto constraints = std::to_array<std::string_view>({"minimum",
                                                              "maximum",
                                                              "exclusiveMinimum",
                                                              "exclusiveMaximum",
                                                              "multipleOf",
                                                              "minLength",
                                                              "maxLength",
                                                              "pattern",
                                                              "maxItems",
                                                              "uniqueItems",
                                                              "minProperties",
                                                              "maxProperties",
                                                              "contains",
                                                              "minItems",
                                                              "propertyNames",
                                                              "patternProperties",
                                                              "not",
                                                              "if",
                                                              "then",
                                                              "else",
                                                              "dependentRequired",
                                                              "dependentSchemas",
                                                              "unevaluatedProperties"});
constexpr auto formats = std::to_array<std::string_view>(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"});

bool among(std::span<const std::string_view> list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

class Narrowing {
 public:
  Narrowing(json::Value root, Notes& notes) : root_(root), notes_(notes) {}

  // False when it cannot be said.
  bool run(std::string_view pointer, std::string& out) {
    json::Writer writer(out);
    write(root_, std::string(pointer), writer);
    return !hopeless_ && optional_ <= most_optional && unions_ <= most_unions;
  }

 private:
  bool checked(std::string_view key, json::Value value) const {
    if (key == "format") return !value.is_string() || among(formats, value.text());
    if (key == "minItems") return value.integer().value_or(2) <= 1;
    return !among(constraints, key);
  }

  void write(json::Value schema, const std::string& pointer, json::Writer& out) {
    if (!schema.is_object()) {
      // true and false as schemas: anything and nothing.
      hopeless_ = true;
      out.raw(schema.raw().empty() ? "{}" : schema.raw());
      return;
    }
    follow(schema);
    std::string moved;  // constraints as words
    for (const auto [key, value] : schema.members()) {
      if (checked(key, value)) continue;
      moved += moved.empty() ? "" : ", ";
      moved += std::string(key) + ": " + std::string(value.raw());
      notes_.restated(pointer + '/' + json::pointer_token(key),
                      "anthropic does not check it: moved to the description");
    }
    const bool object = schema["type"].equals("object") || schema["properties"];
    out.begin_object();
    for (const auto [key, value] : schema.members()) {
      if (!checked(key, value) || key == "additionalProperties" || key == "description") continue;
      const std::string here = pointer + '/' + json::pointer_token(key);
      if (key == "properties" || key == "$defs" || key == "definitions") {
        write_map(key, value, here, out);
      } else if (key == "items") {
        out.key(key);
        write(value, here, out);
      } else if (key == "anyOf" || key == "oneOf" || key == "allOf") {
        write_list(key, value, here, out);
      } else {
        out.member_raw(key, value.raw());
      }
    }
    write_description(schema["description"], moved, out);
    const json::Value open = schema["additionalProperties"];
    if (open && !open.boolean().value_or(true)) {
      out.member_bool("additionalProperties", false);
    } else if (open) {
      hopeless_ = true;
    } else if (object) {
      out.member_bool("additionalProperties", false);
    }
    out.end_object();
    if (object) count_optional(schema);
  }

  static void write_description(json::Value description, const std::string& moved, json::Writer& out) {
    if (moved.empty()) {
      if (description) out.member_raw("description", description.raw());
      return;
    }
    std::string text = description.text();
    text += text.empty() ? "" : " ";
    out.member("description", text + '(' + moved + ')');
  }

  void write_map(std::string_view key, json::Value map, const std::string& pointer, json::Writer& out) {
    out.key(key).begin_object();
    for (const auto [name, schema] : map.members()) {
      out.key(name);
      write(schema, pointer + '/' + json::pointer_token(name), out);
    }
    out.end_object();
  }

  void write_list(std::string_view key, json::Value list, const std::string& pointer, json::Writer& out) {
    if (key != "allOf") ++unions_;
    if (key == "oneOf") notes_.restated(pointer, "anthropic has anyOf only");
    out.key(key == "oneOf" ? "anyOf" : key).begin_array();
    std::size_t index = 0;
    for (const json::Value schema : list.elements()) write(schema, pointer + '/' + std::to_string(index++), out);
    out.end_array();
  }

  void count_optional(json::Value schema) {
    const json::Value required = schema["required"];
    for (const auto [name, value] : schema["properties"].members()) {
      const auto wanted = [&, n = name] {
        for (const json::Value r : required.elements()) {
          if (r.equals(n)) return true;
        }
        return false;
      };
      if (!wanted()) ++optional_;
    }
  }

  // A reference must lead to a definition of this schema and never back to itself.
  void follow(json::Value schema) {
    const json::Value reference = schema["$ref"];
    if (!reference) return;
    std::vector<std::string> path;
    if (!leads_home(reference.text(), path)) hopeless_ = true;
  }

  bool leads_home(const std::string& reference, std::vector<std::string>& path) {
    if (!reference.starts_with("#/") || std::ranges::find(path, reference) != path.end()) return false;
    if (path.size() > 32) return false;
    json::Value target = root_;
    std::string_view rest = std::string_view(reference).substr(2);
    while (target && !rest.empty()) {
      const auto end = std::min(rest.find('/'), rest.size());
      target = target[rest.substr(0, end)];
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!target) return false;
    path.push_back(reference);
    const bool good = references_end(target, path);
    path.pop_back();
    return good;
  }

  bool references_end(json::Value value, std::vector<std::string>& path) {
    if (++steps_ > 10000) return false;
    for (const auto [key, inner] : value.members()) {
      if (key == "$ref" && inner.is_string() ? !leads_home(inner.text(), path) : !references_end(inner, path)) {
        return false;
      }
    }
    for (const json::Value inner : value.elements()) {
      if (!references_end(inner, path)) return false;
    }
    return true;
  }

  json::Value root_;
  Notes& notes_;
  bool hopeless_ = false;
  int optional_ = 0;
  int unions_ = 0;
  int steps_ = 0;
};

}  // namespace

std::optional<RawJson> strict_schema(std::string_view schema, const Pointer& pointer, Notes& notes) {
  json::Document doc;
  const auto root = doc.parse(schema);
  if (!root || !root->is_object()) return std::nullopt;
  Notes found;
  RawJson out;
  if (!Narrowing(*root, found).run(pointer.text(), out)) return std::nullopt;
  for (const Note& note : found.all()) notes.restated(note.pointer, note.reason);
  return out;
}

}  // namespace sluice::anthropic
