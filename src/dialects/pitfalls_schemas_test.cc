// Schemas on which gateways have failed (docs/pitfalls.md), through every vendor's rules, as tools and as formats.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "dialects/pitfalls_test.h"

namespace sluice::pitfalls {
namespace {

using enum DialectId;

constexpr std::string_view torture[] = {
    R"({"type":"object"})",
    R"({"type":"object","properties":{}})",
    R"({})",
    R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"type":"string","default":"x"}}})",
    R"({"type":"object","properties":{"a":{"type":["string","null"]},"b":{"type":["array","null"],"items":{"type":"string"}}}})",
    R"({"type":"object","properties":{"a":{"enum":[1,2,3]},"b":{"type":"integer","enum":[0,1]},"c":{"enum":["x",null]},"d":{"const":"only"}}})",
    R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"number","exclusiveMinimum":0,"multipleOf":0.5}}})",
    R"({"type":"object","$defs":{"p":{"type":"object","properties":{"x":{"type":"number"}}}},"properties":{"a":{"$ref":"#/$defs/p"}}})",
    R"({"type":"object","definitions":{"n":{"type":"object","properties":{"next":{"$ref":"#/definitions/n"}}}},"properties":{"a":{"$ref":"#/definitions/n"}}})",
    R"({"type":"object","properties":{"a":{"type":"array","items":[{"type":"number"},{"type":"string"}]}}})",
    R"({"type":"object","properties":{"a":{"type":"object","anyOf":[{"required":["x"]},{"required":["y"]}]},"b":{"type":"string","anyOf":[{"minLength":1},{"pattern":"^x"}]}}})",
    R"({"type":"object","additionalProperties":{"type":"string"}})",
    R"({"type":"object","properties":{"a":{"oneOf":[{"type":"string"},{"type":"number"}]},"b":{"allOf":[{"type":"object"},{"properties":{"x":{}}}]},"c":{"not":{"type":"string"}}}})",
    R"({"type":"object","properties":{"type":{"type":"string"},"properties":{"type":"string"},"enum":{"type":"string"},"$ref":{"type":"string"}}})",
    R"({"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"b":{"type":"string"}}}]})",
    R"({"type":"object","properties":{"a":true,"b":{}}})",
};

ChatRequest with_tool(std::string_view schema) {
  ChatRequest request = asks({says(Role::user, {text("go")})});
  request.tools = {tool("look", std::string(schema))};
  return request;
}

// Calls `look` with every schema inside `schema`, names of properties left aside.
void each_schema(json::Value schema, const std::function<void(json::Value)>& look) {
  if (!schema.is_object()) return;
  look(schema);
  for (const std::string_view key : {"properties", "$defs", "definitions"}) {
    for (const auto [name, inner] : schema[key].members()) each_schema(inner, look);
  }
  for (const std::string_view key : {"anyOf", "oneOf", "allOf", "prefixItems", "items"}) {
    for (const json::Value inner : schema[key].elements()) each_schema(inner, look);
  }
  each_schema(schema["items"], look);
  each_schema(schema["additionalProperties"], look);
}

json::Value schema_of(const Sent& sent, const Vendor& to) {
  const json::Value tool = sent.root["tools"].at(0);
  switch (to.dialect) {
    case openai_chat:
    case cohere: return tool["function"]["parameters"];
    case openai_responses: return tool["parameters"];
    case anthropic: return tool["input_schema"];
    case gemini: {
      const json::Value declared = tool["functionDeclarations"].at(0);
      return declared["parametersJsonSchema"] ? declared["parametersJsonSchema"] : declared["parameters"];
    }
    case bedrock_converse: return sent.root["toolConfig"]["tools"].at(0)["toolSpec"]["inputSchema"]["json"];
    case openai_completions: break;
  }
  return {};
}

TEST(PitfallSchema, EverySchemaOfAToolIsOneThatItsVendorTakes) {
  for (const std::string_view schema : torture) {
    for (const Vendor& vendor : vendors()) {
      const Sent sent(foreign(with_tool(schema), vendor), vendor);
      ASSERT_TRUE(sent.outcome) << vendor.provider << schema << sent.body();
      const json::Value out = schema_of(sent, vendor);
      if (vendor.dialect == anthropic || vendor.dialect == openai_responses || vendor.dialect == bedrock_converse) {
        EXPECT_TRUE(out["type"].equals("object")) << vendor.provider << schema << sent.body();
      }
      if (vendor.provider == "openai") EXPECT_TRUE(!out || out["properties"].is_object()) << schema << sent.body();
      if (vendor.dialect != gemini) continue;
      each_schema(out, [&](json::Value one) {
        for (const std::string_view refused : {"$schema", "const", "allOf", "not", "exclusiveMinimum", "multipleOf",
                                               "definitions", "patternProperties"}) {
          EXPECT_FALSE(one[refused]) << refused << schema << sent.body();
        }
        if (one["$ref"]) {
          for (const auto [key, value] : one.members()) EXPECT_TRUE(key.starts_with('$')) << sent.body();
        }
        EXPECT_FALSE(one["required"].is_array() && one["required"].size() == 0) << sent.body();
      });
    }
  }
}

// Models of before the newer form: types in upper case, no references, enums of strings.
TEST(PitfallSchema, TheOldFormOfGeminiHasOnlyItsOwnWords) {
  for (const std::string_view schema : torture) {
    const Sent sent(with_tool(schema), {gemini, "gemini", "gemini-1.5-flash"});
    ASSERT_TRUE(sent.outcome) << schema << sent.body();
    each_schema(sent.root["tools"].at(0)["functionDeclarations"].at(0)["parameters"], [&](json::Value one) {
      for (const auto [key, value] : one.members()) {
        const std::set<std::string_view> known = {
            "type",       "format",   "title",         "description",   "nullable",         "enum",    "items",
            "minItems",   "maxItems", "minLength",     "maxLength",     "minimum",          "maximum", "pattern",
            "properties", "required", "minProperties", "maxProperties", "propertyOrdering", "anyOf",   "example",
            "default"};
        EXPECT_TRUE(known.contains(key)) << key << schema << sent.body();
      }
      EXPECT_TRUE(!one["type"] || one["type"].is_string()) << sent.body();
      for (const json::Value word : one["enum"].elements()) EXPECT_TRUE(word.is_string()) << sent.body();
      // A list that may be null is a list, not one of two alternatives beside its items.
      if (one["items"]) EXPECT_TRUE(one["type"].equals("ARRAY") && !one["anyOf"]) << sent.body();
    });
  }
}

// A format that a vendor would take and answer with nothing is no format.
TEST(PitfallSchema, AnOpenMapIsNeverEnforcedIntoAnEmptyObject) {
  ChatRequest request = asks({says(Role::user, {text("go")})});
  request.format = OutputFormat{
      .kind = FormatKind::json_schema,
      .name = "ships",
      .schema =
          R"({"type":"object","properties":{"ships":{"type":"object","additionalProperties":{"type":"string"}}}})"};
  const Sent claude(request, {anthropic, "anthropic", "claude-sonnet-4-5"});
  EXPECT_FALSE(claude.root["output_config"]["format"]) << claude.body();
  EXPECT_TRUE(claude.body().contains("additionalProperties")) << claude.body();  // told in words
  EXPECT_TRUE(claude.noted("/response_format")) << claude.body();
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    ASSERT_TRUE(sent.outcome) << sent.body();
    EXPECT_TRUE(sent.body().contains("additionalProperties")) << vendor.provider << sent.body();
  }
}

// Moonshot's validator: an object at the root, no tuple in `items`, no type beside an anyOf, no $schema.
TEST(PitfallSchema, MoonshotGetsSchemasThatItsValidatorTakes) {
  for (const std::string_view schema : torture) {
    ChatRequest request = with_tool(schema);
    request.origin = anthropic;
    const Sent sent(request, {openai_chat, "moonshot", "kimi-k2.6"});
    ASSERT_TRUE(sent.outcome) << schema << sent.body();
    const json::Value out = sent.root["tools"].at(0)["function"]["parameters"];
    EXPECT_TRUE(out["type"].equals("object")) << schema << sent.body();
    each_schema(out, [&](json::Value one) {
      EXPECT_FALSE(one["$schema"]) << sent.body();
      EXPECT_FALSE(one["items"].is_array()) << sent.body();
      EXPECT_FALSE(one["type"] && one["anyOf"]) << sent.body();
    });
  }
}

}  // namespace
}  // namespace sluice::pitfalls
