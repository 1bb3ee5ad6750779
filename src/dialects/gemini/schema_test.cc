// Schemas in the vendor's two forms. SPDX-License-Identifier: MIT
#include "dialects/gemini/schema.h"

#include <gtest/gtest.h>

namespace sluice::gemini {
namespace {

std::string read(std::string_view own) {
  json::Document doc;
  return to_json_schema(*doc.parse(own));
}
std::string taken(std::string_view schema, Notes& notes) {
  return taken_json_schema(schema, "/s", notes);
}
std::string taken(std::string_view schema) {
  Notes notes;
  return taken(schema, notes);
}
std::string own(std::string_view schema) {
  Notes notes;
  return to_own_schema(schema, "/s", notes);
}

TEST(GeminiSchema, IsReadAsJsonSchema) {
  EXPECT_EQ(read(R"({"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true}},"max_properties":"3"})"),
            R"({"type":"object","properties":{"type":{"type":["string","null"]}},"maxProperties":3})");
  EXPECT_EQ(read(R"({"any_of":[{"type":"INTEGER"}],"nullable":true})"),
            R"({"anyOf":[{"type":"integer"},{"type":"null"}]})");
  EXPECT_EQ(read(R"({"type":"STRING","format":"enum","enum":["a"],"example":"a"})"),
            R"({"type":"string","enum":["a"],"examples":["a"]})");
}

TEST(GeminiSchema, WhatIsTakenGoesUntouched) {
  const std::string text = R"({ "type": "object", "properties": { "a": { "type": ["string", "null"] } } })";
  Notes notes;
  EXPECT_EQ(taken(text, notes), text);
  EXPECT_TRUE(notes.empty());
}

TEST(GeminiSchema, OtherKeywordsAreSaidInWords) {
  Notes notes;
  EXPECT_EQ(taken(R"({"type":"number","description":"A tide.","exclusiveMinimum":0,"multipleOf":0.1})", notes),
            R"~({"type":"number","description":"A tide. (exclusiveMinimum: 0, multipleOf: 0.1)"})~");
  ASSERT_EQ(notes.all().size(), 2U);
  EXPECT_EQ(notes.all()[0].pointer, "/s/exclusiveMinimum");
  EXPECT_EQ(taken(R"({"const":5})"), R"({"enum":[5]})");
  EXPECT_EQ(taken(R"({"$schema":"x","type":"object","required":[]})"), R"({"type":"object"})");
  EXPECT_EQ(
      taken(R"({"definitions":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/definitions/a","title":"T"}}})"),
      R"({"$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}}})");
}

TEST(GeminiSchema, BranchesOfAllOfAreMerged) {
  EXPECT_EQ(taken(R"({"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{}}}]})"),
            R"({"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a"]})");
}

TEST(GeminiSchema, TheOldFormHasTypesInUpperCaseAndNoReferences) {
  EXPECT_EQ(
      own(R"({"$defs":{"p":{"type":["integer","null"]}},"type":"object","properties":{"x":{"$ref":"#/$defs/p"}}})"),
      R"({"type":"OBJECT","properties":{"x":{"type":"INTEGER","nullable":true}}})");
  EXPECT_EQ(own(R"({"type":"integer","enum":[1,2]})"), R"({"type":"STRING","enum":["1","2"]})");
  EXPECT_EQ(own(R"({"type":["string","integer"]})"), R"({"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]})");
  EXPECT_EQ(own(R"({"oneOf":[{"type":"string"},{"type":"null"}]})"),
            R"({"anyOf":[{"type":"STRING"}],"nullable":true})");
}

TEST(GeminiSchema, CirclesAndAvalanchesEnd) {
  EXPECT_EQ(own(R"({"type":"object","properties":{"again":{"$ref":"#"}}})"), "");
  std::string bomb = R"({"$defs":{"a0":{"type":"string"})";
  for (int i = 1; i < 30; ++i) {
    const std::string inner = "{\"$ref\":\"#/$defs/a" + std::to_string(i - 1) + "\"}";
    bomb += ",\"a" + std::to_string(i) + "\":{\"properties\":{\"l\":" + inner + ",\"r\":" + inner + "}}";
  }
  EXPECT_EQ(own(bomb + R"(},"$ref":"#/$defs/a29"})"), "");
}

}  // namespace
}  // namespace sluice::gemini
