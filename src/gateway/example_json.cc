// SPDX-License-Identifier: MIT
#include "gateway/example_json.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace sluice {
namespace {

constexpr int deepest = 12;             // of nested values
constexpr int most_values = 1000;       // beyond both, containers stay empty, even where that is not legal
constexpr std::int64_t most_items = 8;  // of one array

class Example {
 public:
  Example(json::Value root, std::string_view word, std::uint64_t choice) : root_(root), word_(word), choice_(choice) {}

  void write(json::Writer& out, json::Value schema, int depth) {
    schema = resolved(schema);
    ++written_;
    if (const auto constant = schema["const"]) {
      out.raw(constant.raw());
    } else if (const auto values = schema["enum"]; values.size() > 0) {
      out.raw(values.at(choice_ % values.size()).raw());
    } else if (const auto given = schema["default"]) {
      out.raw(given.raw());
    } else if (const auto examples = schema["examples"]; examples.size() > 0) {
      out.raw(examples.at(0).raw());
    } else {
      write_type(out, schema, type_of(schema), depth);
    }
  }

 private:
  // What a reference points to, or the first alternative that is not null. Ends, whatever the schema refers to.
  json::Value resolved(json::Value schema) const {
    for (int step = 0; step < 16; ++step) {
      if (const auto reference = schema["$ref"]; reference.is_string()) {
        schema = pointed(reference.text());
        continue;
      }
      json::Value next;
      for (const auto* word : {"anyOf", "oneOf", "allOf"}) {
        for (const auto option : schema[word].elements()) {
          if (!next && !option["type"].equals("null")) next = option;
        }
      }
      if (!next || schema["properties"]) return schema;
      schema = next;
    }
    return {};
  }

  // "#/$defs/Name". Absent when it leads nowhere or out of the document.
  json::Value pointed(std::string_view reference) const {
    if (!reference.starts_with('#')) return {};
    json::Value at = root_;
    auto rest = reference.substr(1);
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const auto end = std::min(rest.find('/'), rest.size());
      at = at[rest.substr(0, end)];
      rest.remove_prefix(end);
    }
    return at;
  }

  static std::string type_of(json::Value schema) {
    const auto type = schema["type"];
    if (type.is_string()) return lower(type.text());  // Gemini writes STRING
    for (const auto one : type.elements()) {
      if (!one.equals("null")) return lower(one.text());
    }
    if (schema["properties"]) return "object";
    if (schema["items"] || schema["prefixItems"]) return "array";
    return "string";
  }

  void write_type(json::Writer& out, json::Value schema, const std::string& type, int depth) {
    if (type == "object") return write_object(out, schema, depth);
    if (type == "array") return write_array(out, schema, depth);
    if (type == "integer" || type == "number") return write_number(out, schema, type == "integer");
    if (type == "boolean") {
      out.boolean(true);
    } else if (type == "null") {
      out.null();
    } else {
      out.string(string_for(schema));
    }
  }

  void write_object(json::Writer& out, json::Value schema, int depth) {
    std::vector<std::string> required;
    for (const auto name : schema["required"].elements()) required.push_back(name.text());
    std::ranges::sort(required);
    out.begin_object();
    for (const auto& [key, value] : schema["properties"].members()) {
      if (full(depth)) break;
      if (!required.empty() && !std::ranges::binary_search(required, key)) continue;
      out.key(key);
      write(out, value, depth + 1);
    }
    out.end_object();
  }

  void write_array(json::Writer& out, json::Value schema, int depth) {
    const auto first = schema["prefixItems"];
    const auto least = std::max<std::int64_t>(schema["minItems"].integer().value_or(1), first.size());
    const auto count = std::min({least, schema["maxItems"].integer().value_or(most_items), most_items});
    out.begin_array();
    for (std::int64_t i = 0; i < count && !full(depth); ++i) {
      const auto place = static_cast<std::size_t>(i);
      write(out, place < first.size() ? first.at(place) : schema["items"], depth + 1);
    }
    out.end_array();
  }

  [[nodiscard]] bool full(int depth) const { return depth > deepest || written_ >= most_values; }

  static void write_number(json::Writer& out, json::Value schema, bool whole) {
    double value = 1;
    if (const auto least = schema["minimum"].number()) value = std::max(value, *least);
    if (const auto below = schema["exclusiveMinimum"].number()) value = std::max(value, std::floor(*below) + 1);
    if (const auto most = schema["maximum"].number()) value = std::min(value, *most);
    if (const auto above = schema["exclusiveMaximum"].number(); above && value >= *above)
      value = whole ? std::ceil(*above) - 1 : *above - 0.5;
    if (whole && value > schema["maximum"].number().value_or(value)) value = std::floor(value);
    if (const auto step = schema["multipleOf"].number(); step && *step > 0) value = std::ceil(value / *step) * *step;
    whole ? out.integer(static_cast<std::int64_t>(std::clamp(std::floor(value), -9e15, 9e15))) : out.number(value);
  }

  std::string string_for(json::Value schema) const {
    const auto format = schema["format"].text();
    if (format == "date-time") return "2026-01-01T12:00:00Z";
    if (format == "date") return "2026-01-01";
    if (format == "time") return "12:00:00Z";
    if (format == "duration") return "PT1M";
    if (format == "email") return "demo@example.com";
    if (format == "hostname") return "example.com";
    if (format == "uri" || format == "url") return "https://example.com/";
    if (format == "uuid") return "00000000-0000-4000-8000-000000000000";
    if (format == "ipv4") return "192.0.2.1";
    if (format == "ipv6") return "2001:db8::1";
    std::string text(word_);
    const auto least =
        static_cast<std::size_t>(std::clamp<std::int64_t>(schema["minLength"].integer().value_or(0), 0, 1024));
    const auto most = static_cast<std::size_t>(std::max<std::int64_t>(schema["maxLength"].integer().value_or(1024), 0));
    while (text.size() < least) text += '.';
    // Bytes are at least as many as characters, so this keeps the bound; never inside a character.
    std::size_t end = std::min(text.size(), most);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return text.substr(0, end);
  }

  json::Value root_;
  std::string_view word_;
  std::uint64_t choice_;
  int written_ = 0;
};

}  // namespace

std::string example_json(std::string_view schema, std::string_view word, std::uint64_t choice) {
  json::Document document;
  const auto root = document.parse(schema);
  if (!root || !root->is_object()) return "{}";
  std::string out;
  json::Writer writer(out);
  Example(*root, word, choice).write(writer, *root, 0);
  return out;
}

}  // namespace sluice
