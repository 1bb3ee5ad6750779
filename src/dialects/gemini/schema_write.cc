// JSON Schema in the two forms that the vendor takes. SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "dialects/gemini/schema.h"

namespace sluice::gemini {
namespace {

constexpr int deepest = 48;          // of references put in place
constexpr int most_written = 50000;  // schemas inside one schema

// Keywords that JsonSchema takes as they are: the documented ones, and those that recorded requests show to be taken.
constexpr std::string_view json_words[] = {"$id",       "$defs",     "$ref",        "$anchor",     "type",
                                           "format",    "title",     "description", "enum",        "minItems",
                                           "maxItems",  "minimum",   "maximum",     "default",     "required",
                                           "minLength", "maxLength", "pattern",     "uniqueItems", "propertyOrdering"};
// Those that hold schemas.
constexpr std::string_view json_nests[] = {
    "items", "prefixItems", "anyOf", "oneOf", "properties", "additionalProperties", "$defs", "definitions", "allOf"};
// Keywords of `Schema` that mean the same.
constexpr std::string_view own_words[] = {"title",         "description",   "minItems",         "maxItems", "minLength",
                                          "maxLength",     "minimum",       "maximum",          "pattern",  "required",
                                          "minProperties", "maxProperties", "propertyOrdering", "default"};
constexpr std::string_view own_formats[] = {"float", "double", "int32", "int64", "date-time", "date", "time", "enum"};

template <std::size_t N>
bool among(const std::string_view (&list)[N], std::string_view word) {
  return std::ranges::find(list, word) != std::end(list);
}

// Says nothing that the model would miss.
bool silent(std::string_view key, json::Value value) {
  return key == "$schema" || key == "strict" || key == "$comment" || (key == "required" && value.size() == 0);
}

class Rewriting {
 public:
  Rewriting(json::Value root, Notes& notes, bool own) : root_(root), notes_(notes), own_(own) {}

  void write(json::Writer& w, json::Value schema, const std::string& at, int depth = 0) {
    if (++written_ > most_written) circular_ = true;  // references that multiply
    if (schema.is_object()) {
      own_ ? own(w, schema, at, depth) : plain(w, schema, at);
    } else if (own_) {
      w.begin_object().end_object();  // true: anything
    } else {
      w.raw(schema.raw());
    }
  }
  [[nodiscard]] bool circular() const { return circular_; }

 private:
  // Leaves out what is silent.
  bool skips(const std::string& at, std::string_view key, json::Value value) {
    if (!silent(key, value)) return false;
    if (key != "required")
      notes_.restated(below(at, key), "gemini's schemas do not take it, and nothing depends on it");
    return true;
  }
  static std::string below(const std::string& at, std::string_view key) { return at + '/' + json::pointer_token(key); }

  // What has no word goes into the description, so that the model still reads it.
  void say(std::string& said, std::string_view key, json::Value value, const std::string& at) {
    notes_.restated(below(at, key), "gemini has no such schema keyword; the description says it");
    if (!said.empty()) said += ", ";
    said += key;
    said += ": ";
    said += value.raw().substr(0, 400);
  }
  static void write_description(json::Writer& w, json::Value schema, const std::string& said) {
    std::string text = schema["description"].text();
    if (!said.empty()) {
      if (!text.empty()) text += ' ';
      text += '(' + said + ')';
    }
    if (!text.empty()) w.member("description", text);
  }

  void write_map(json::Writer& w, std::string_view key, json::Value map, const std::string& at, int depth) {
    w.key(key).begin_object();
    for (const auto [name, inner] : map.members()) {
      w.key(name);
      write(w, inner, below(at, name), depth);
    }
    w.end_object();
  }
  void write_list(json::Writer& w, std::string_view key, json::Value list, const std::string& at, int depth) {
    w.key(key).begin_array();
    std::size_t i = 0;
    for (const json::Value inner : list.elements()) write(w, inner, at + '/' + std::to_string(i++), depth);
    w.end_array();
  }

  // Members of `schema`, those of its allOf branches behind them; the first of a name counts, properties and required
  // are joined.
  void plain(json::Writer& w, json::Value schema, const std::string& at) {
    w.begin_object();
    if (schema["$ref"]) {  // no other siblings than those with a dollar
      for (const auto [key, value] : schema.members()) {
        if (key == "$ref") {
          w.member("$ref", reference(value.text()));
        } else if (key == "$defs" || key == "definitions") {
          write_map(w, "$defs", value, below(at, key), 0);
        } else if (!skips(at, key, value)) {
          notes_.lost(below(at, key), "gemini takes nothing beside a $ref");
        }
      }
      w.end_object();
      return;
    }
    std::string said;
    const json::Value all = schema["allOf"];
    const bool merge = all.is_array() && mergeable(schema, all);
    for (const auto [key, value] : schema.members()) {
      const std::string_view word = key;
      if (skips(at, word, value) || word == "description") continue;
      if (word == "properties" || word == "$defs" || word == "definitions") {
        if (merge && word == "properties") continue;
        write_map(w, word == "definitions" ? "$defs" : word, value, below(at, word), 0);
      } else if (word == "items" && value.is_array()) {
        write_list(w, "prefixItems", value, below(at, word), 0);
      } else if (word == "items" || word == "additionalProperties") {
        w.key(word);
        write(w, value, below(at, word));
      } else if (word == "anyOf" || word == "oneOf" || word == "prefixItems") {
        write_list(w, word, value, below(at, word), 0);
      } else if (word == "const") {
        w.key("enum").begin_array().raw(value.raw()).end_array();
        notes_.restated(below(at, word), "gemini takes const as an enum of one");
      } else if (word == "allOf" && merge) {
        notes_.restated(below(at, word), "gemini has no allOf; its branches were merged");
      } else if (word == "required" && merge) {
        continue;
      } else if (among(json_words, word)) {
        w.member_raw(word, value.raw());
      } else {
        say(said, word, value, at);
      }
    }
    if (merge) write_merged(w, schema, all, at, 0);
    write_description(w, schema, said);
    w.end_object();
  }

  static std::string reference(std::string text) {
    constexpr std::string_view old = "#/definitions/";
    if (text.starts_with(old)) text.replace(0, old.size(), "#/$defs/");
    return text;
  }

  // Branches that only add properties can be merged without changing what is valid.
  static bool mergeable(json::Value schema, json::Value all) {
    for (const json::Value branch : all.elements()) {
      for (const auto [key, value] : branch.members()) {
        if (key != "type" && key != "properties" && key != "required" && key != "title" && key != "description" &&
            key != "additionalProperties") {
          return false;
        }
        if (key == "type" && schema["type"] && !json::same(value.raw(), schema["type"].raw())) return false;
      }
    }
    return all.size() > 0;
  }

  void write_merged(json::Writer& w, json::Value schema, json::Value all, const std::string& at, int depth) {
    std::vector<std::pair<json::Value, std::string>> sources = {{schema, at}};
    std::size_t i = 0;
    for (const json::Value branch : all.elements()) {
      sources.emplace_back(branch, below(at, "allOf") + '/' + std::to_string(i++));
    }
    if (!schema["type"]) w.member("type", own_ ? "OBJECT" : "object");
    std::vector<std::string> names;
    w.key("properties").begin_object();
    for (const auto& [source, place] : sources) {
      for (const auto [name, inner] : source["properties"].members()) {
        if (std::ranges::find(names, name) != names.end()) continue;
        names.emplace_back(name);
        w.key(name);
        write(w, inner, below(below(place, "properties"), name), depth);
      }
    }
    w.end_object();
    std::vector<std::string> required;
    for (const auto& [source, place] : sources) {
      for (const json::Value name : source["required"].elements()) {
        if (std::ranges::find(required, name.text()) == required.end()) required.push_back(name.text());
      }
    }
    if (required.empty()) return;
    w.key("required").begin_array();
    for (const std::string& name : required) w.string(name);
    w.end_array();
  }

  // The value that a local reference names, or absent.
  [[nodiscard]] json::Value resolve(std::string_view text) const {
    if (!text.starts_with('#')) return {};
    text.remove_prefix(1);
    json::Value at = root_;
    while (!text.empty() && at) {
      text.remove_prefix(1);
      const auto end = std::min(text.find('/'), text.size());
      const std::string_view token = text.substr(0, end);
      json::Value next;
      for (const auto [key, value] : at.members()) {
        if (key == token || json::pointer_token(key) == token) next = value;
      }
      at = next;
      text.remove_prefix(end);
    }
    return at;
  }

  void own(json::Writer& w, json::Value schema, const std::string& at, int depth) {
    if (depth > deepest || circular_) {
      circular_ = true;
      w.begin_object().end_object();
      return;
    }
    if (const json::Value ref = schema["$ref"]; ref.is_string()) {
      const json::Value target = resolve(ref.text());
      if (!target) {
        notes_.lost(below(at, "$ref"), "the reference leads nowhere");
        w.begin_object().end_object();
        return;
      }
      if (!circular_) write(w, target, at, depth + 1);
      if (circular_) w.begin_object().end_object();
      return;
    }
    w.begin_object();
    std::string said;
    const json::Value all = schema["allOf"];
    const bool merge = all.is_array() && mergeable(schema, all);
    write_type(w, schema, at);
    for (const auto [key, value] : schema.members()) {
      const std::string_view word = key;
      if (skips(at, word, value) || word == "description" || word == "type" || word == "$defs" ||
          word == "definitions" || word == "$id" || word == "$anchor") {
        continue;
      }
      if (word == "properties") {
        // An object without properties is refused.
        if (!merge && value.size() > 0) write_map(w, word, value, below(at, word), depth);
      } else if (word == "items" && value.is_object()) {
        w.key(word);
        write(w, value, below(at, word), depth);
      } else if (word == "anyOf" || word == "oneOf") {
        write_alternatives(w, value, below(at, word), depth);
        if (word == "oneOf") notes_.restated(below(at, word), "gemini takes oneOf as anyOf");
      } else if (word == "const" || word == "enum") {
        write_enum(w, schema, word, value, at);
      } else if (word == "allOf" && merge) {
        notes_.restated(below(at, word), "gemini has no allOf; its branches were merged");
      } else if (word == "required" && merge) {
        continue;
      } else if (word == "format" && among(own_formats, value.text())) {
        w.member_raw(word, value.raw());
      } else if (word == "additionalProperties" && value.boolean()) {
        notes_.lost(below(at, word), "gemini's Schema has no additionalProperties");
      } else if (among(own_words, word)) {
        w.member_raw(word, value.raw());
      } else {
        say(said, word, value, at);
      }
    }
    if (merge) write_merged(w, schema, all, at, depth);
    write_description(w, schema, said);
    w.end_object();
  }

  static std::string upper(std::string text) {
    for (char& c : text) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    return text;
  }

  static bool has_number(json::Value list) {
    const auto elements = list.elements();
    for (const json::Value one : elements) {
      if (!one.is_string() && !one.is_null()) return true;
    }
    return false;
  }

  void write_type(json::Writer& w, json::Value schema, const std::string& at) {
    const json::Value type = schema["type"];
    if (type.is_string() && has_number(schema["enum"])) {
      w.member("type", "STRING");
    } else if (type.is_string()) {
      w.member("type", upper(type.text()));
    } else if (type.is_array()) {
      std::vector<std::string> names;
      bool nullable = false;
      for (const json::Value one : type.elements()) {
        one.equals("null") ? nullable = true : (names.push_back(one.text()), false);
      }
      if (names.size() == 1) {
        w.member("type", upper(names[0]));
      } else if (!names.empty()) {
        notes_.restated(below(at, "type"), "gemini's Schema takes several types as anyOf");
        w.key("anyOf").begin_array();
        for (const std::string& one : names) w.begin_object().member("type", upper(one)).end_object();
        w.end_array();
      }
      if (nullable) w.member_bool("nullable", true);
    } else if (schema["properties"]) {
      w.member("type", "OBJECT");
    } else if (schema["const"] || schema["enum"]) {
      w.member("type", "STRING");
    }
  }

  void write_alternatives(json::Writer& w, json::Value list, const std::string& at, int depth) {
    const auto null_type = [](json::Value one) { return one["type"].equals("null"); };
    bool nullable = false;
    w.key("anyOf").begin_array();
    std::size_t i = 0;
    for (const json::Value one : list.elements()) {
      const std::size_t index = i++;
      if (null_type(one)) {
        nullable = true;
      } else {
        write(w, one, at + '/' + std::to_string(index), depth);
      }
    }
    w.end_array();
    if (nullable) w.member_bool("nullable", true);
  }

  // Only strings may stand in an enum.
  void write_enum(json::Writer& w, json::Value schema, std::string_view word, json::Value value,
                  const std::string& at) {
    bool nullable = false, numeric = false;
    w.key("enum").begin_array();
    const auto one = [&](json::Value v) {
      if (v.is_null()) {
        nullable = true;
      } else if (v.is_string()) {
        w.raw(v.raw());
      } else {
        numeric = true;
        w.string(v.raw());
      }
    };
    if (word == "const") {
      one(value);
    } else {
      for (const json::Value v : value.elements()) one(v);
    }
    w.end_array();
    if (!schema["format"] && schema["type"].equals("string")) w.member("format", "enum");
    if (nullable) w.member_bool("nullable", true);
    if (numeric || word == "const") notes_.restated(below(at, word), "gemini's Schema has only enums of strings");
  }

  json::Value root_;
  Notes& notes_;
  bool own_;
  bool circular_ = false;
  int written_ = 0;
};

// True when JsonSchema takes every keyword as it stands: then the text goes untouched.
bool taken(json::Value schema) {
  if (!schema.is_object()) return true;
  const bool ref = static_cast<bool>(schema["$ref"]);
  for (const auto [key, value] : schema.members()) {
    if (ref && !key.starts_with('$')) return false;
    if (key == "definitions" || key == "allOf" || silent(key, value)) return false;
    if (key == "$ref" && value.text().starts_with("#/definitions/")) return false;
    if (key == "properties" || key == "$defs") {
      for (const auto [name, inner] : value.members()) {
        if (!taken(inner)) return false;
      }
    } else if (among(json_nests, key)) {
      if (value.is_array() && key == "items") return false;
      if (value.is_object() && !taken(value)) return false;
      for (const json::Value inner : value.elements()) {
        if (!taken(inner)) return false;
      }
    } else if (!among(json_words, key)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string taken_json_schema(std::string_view schema, const Pointer& pointer, Notes& notes) {
  json::Document doc;
  const auto root = doc.parse(schema);
  if (!root || taken(*root)) return std::string(schema);
  std::string out;
  json::Writer w(out);
  Rewriting(*root, notes, false).write(w, *root, pointer.text());
  return out;
}

std::string to_own_schema(std::string_view schema, const Pointer& pointer, Notes& notes) {
  json::Document doc;
  const auto root = doc.parse(schema);
  if (!root) return std::string(schema);
  std::string out;
  json::Writer w(out);
  Rewriting rewriting(*root, notes, true);
  rewriting.write(w, *root, pointer.text());
  return rewriting.circular() ? std::string() : out;
}

}  // namespace sluice::gemini
