// Requests on which gateways have failed (docs/pitfalls.md): the same for every vendor.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dialects/pitfalls_test.h"

namespace sluice::pitfalls {
namespace {

using enum DialectId;

Result<ChatRequest> from(DialectId client, std::string_view body) {
  Notes notes;
  const HeaderView version{"anthropic-version", "2023-06-01"};
  return dialect(client)->read_request({.path_model = "m", .headers = std::span(&version, 1), .body = body}, notes);
}

// Some models refuse what others have as a default.
TEST(PitfallRequest, NothingThatTheClientLeftUnsaidIsInvented) {
  const std::pair<DialectId, std::string_view> plain[] = {
      {openai_chat, R"({"model":"m","messages":[{"role":"user","content":"go"}]})"},
      {openai_responses, R"({"model":"m","input":"go"})"},
      {anthropic, R"({"model":"m","max_tokens":50,"messages":[{"role":"user","content":"go"}]})"},
      {gemini, R"({"contents":[{"role":"user","parts":[{"text":"go"}]}]})"},
      {bedrock_converse, R"({"messages":[{"role":"user","content":[{"text":"go"}]}]})"},
      {cohere, R"({"model":"m","messages":[{"role":"user","content":"go"}]})"},
  };
  for (const auto& [client, body] : plain) {
    if (dialect(client) == nullptr) continue;
    const auto request = from(client, body);
    ASSERT_TRUE(request) << body;
    for (const Vendor& vendor : vendors()) {
      const Sent sent(*request, vendor);
      ASSERT_TRUE(sent.outcome) << sent.body();
      std::string lower(sent.body());
      std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
      for (const std::string_view setting :
           {"temperature", "top_p", "\"p\"", "topp", "top_k", "topk", "penalty", "seed", "stop", "logprobs", "effort",
            "thinking", "tool", "parallel", "null"}) {
        EXPECT_FALSE(lower.contains(setting)) << name(client) << setting << sent.body();
      }
    }
  }
}

// An agent's request in Messages: system text in marked blocks, and reminders with the role system in between.
TEST(PitfallRequest, SystemTextKeepsItsBlocksItsMarksAndItsPlace) {
  const auto request = from(anthropic, R"({"model":"m","max_tokens":50,"system":[
      {"type":"text","text":"You are the keeper."},
      {"type":"text","text":"The lamp burns at night.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
    "messages":[{"role":"user","content":"go"},{"role":"system","content":"Remember the fog."},
      {"role":"assistant","content":"I go."},{"role":"user","content":[{"type":"text","text":"well?"}]}]})");
  ASSERT_TRUE(request);
  for (const Vendor& vendor : vendors()) {
    const Sent sent(*request, vendor);
    ASSERT_TRUE(sent.outcome) << sent.body();
    const auto in_order = [](std::string_view where, std::initializer_list<std::string_view> texts) {
      std::size_t last = 0;
      for (const std::string_view words : texts) {
        const std::size_t at = where.find(words, last);
        if (at == std::string_view::npos) return false;
        last = at;
      }
      return true;
    };
    EXPECT_TRUE(in_order(sent.body(), {"You are the keeper.", "The lamp burns at night."})) << sent.body();
    EXPECT_TRUE(in_order(sent.messages().raw(), {"Remember the fog.", "I go.", "well?"})) << sent.body();
    for (const json::Value message : sent.messages().elements()) {
      const bool refused =
          vendor.dialect == gemini || vendor.dialect == bedrock_converse || vendor.dialect == anthropic;
      EXPECT_FALSE(refused && message["role"].equals("system")) << sent.body();  // of this older model
    }
  }
  const Sent claude(*request, {anthropic, "anthropic", "claude-sonnet-4-5"});
  EXPECT_EQ(claude.root["system"].at(1)["cache_control"]["ttl"].text(), "1h") << claude.body();
  // The same marks from a client that can only put them on parts of messages.
  const auto chat =
      from(openai_chat, R"({"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"A."},
      {"type":"text","text":"B.","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"go"}]})");
  ASSERT_TRUE(chat);
  const Sent promoted(*chat, {anthropic, "anthropic", "claude-sonnet-4-5"});
  EXPECT_EQ(promoted.root["system"].size(), 2U) << promoted.body();
  EXPECT_EQ(promoted.root["system"].at(1)["cache_control"]["type"].text(), "ephemeral") << promoted.body();
}

TEST(PitfallRequest, MarksForTheCacheReachVendorsThatHaveThem) {
  const auto request = from(anthropic, R"({"model":"m","max_tokens":50,
    "system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],
    "tools":[{"name":"look","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],
    "messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"look","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"seen","cache_control":{"type":"ephemeral"}}]}]})");
  ASSERT_TRUE(request);
  for (const Vendor& vendor : vendors()) {
    const Sent sent(*request, vendor);
    ASSERT_TRUE(sent.outcome) << sent.body();
    std::size_t marks = 0;
    for (std::size_t at = 0; (at = sent.body().find("ephemeral", at)) != std::string_view::npos; ++at) ++marks;
    for (std::size_t at = 0; (at = sent.body().find("cachePoint", at)) != std::string_view::npos; ++at) ++marks;
    if (vendor.dialect == anthropic || vendor.dialect == bedrock_converse) {
      EXPECT_EQ(marks, 3U) << sent.body();
    } else {
      EXPECT_EQ(marks, 0U) << sent.body();
      EXPECT_TRUE(sent.noted("/system/0")) << vendor.provider;
      EXPECT_TRUE(sent.noted("/tools/0")) << vendor.provider;
    }
    // A mark stands behind the tool, never inside it.
    for (const json::Value tool : sent.root["toolConfig"]["tools"].elements())
      EXPECT_EQ(tool.size(), 1U) << sent.body();
  }
}

TEST(PitfallRequest, AStopIsTakenAsAWordAndAsAList) {
  for (const auto& [said, words] :
       {std::pair<std::string_view, std::size_t>{"\"END\"", 1}, {R"(["END"])", 1}, {R"(["END","STOP"])", 2}}) {
    const auto request = from(
        openai_chat, R"({"model":"m","messages":[{"role":"user","content":"go"}],"stop":)" + std::string(said) + "}");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->stop.size(), words);
    for (const Vendor& vendor : vendors()) {
      const Sent sent(*request, vendor);
      if (vendor.dialect == openai_chat) {
        EXPECT_EQ(sent.root["stop"].raw(), said);
        continue;
      }
      const json::Value lists[] = {sent.root["stop_sequences"], sent.root["generationConfig"]["stopSequences"],
                                   sent.root["inferenceConfig"]["stopSequences"]};
      const bool listed =
          std::ranges::any_of(lists, [&, n = words](json::Value v) { return v.is_array() && v.size() == n; });
      EXPECT_TRUE(listed || sent.noted("/stop")) << sent.body();
    }
  }
}

TEST(PitfallRequest, AFormatIsSaidInTheWordsOfEachVendor) {
  const auto request = from(openai_chat, R"({"model":"m","messages":[{"role":"user","content":"go"}],"response_format":
    {"type":"json_schema","json_schema":{"name":"ship","schema":{"type":"object","properties":{"mast":{"type":"number"}},
    "required":["mast"],"additionalProperties":false}}}})");
  ASSERT_TRUE(request);
  for (const Vendor& vendor : vendors()) {
    const Sent sent(*request, vendor);
    const auto again = heard(sent, vendor);
    ASSERT_TRUE(again) << sent.body();
    ASSERT_TRUE(again->format) << sent.body();
    EXPECT_EQ(again->format->kind, FormatKind::json_schema) << sent.body();
    EXPECT_TRUE(again->format->schema.contains("mast")) << sent.body();
    EXPECT_EQ(sent.root["response_format"].is_object(), vendor.dialect == openai_chat || vendor.dialect == cohere);
  }
}

// A cache of prompts hits only where the bytes are the same: no order of a map, no id of the moment.
TEST(PitfallRequest, TheSameConversationIsTheSameBytesEveryTime) {
  for (const laws::Sample& sample : laws::samples(laws::Kind::request)) {
    if (sample.recorded) continue;
    const auto request = from(sample.dialect->id(), sample.body);
    const auto twice = from(sample.dialect->id(), sample.body);
    ASSERT_TRUE(request && twice) << sample.name;
    for (const Vendor& vendor : vendors())
      EXPECT_EQ(Sent(*request, vendor).body(), Sent(*twice, vendor).body()) << sample.name;
  }
  ChatRequest request = asks({says(Role::user, {text("go")})});
  request.tools = {tool("look", R"({"type":"object","properties":{"zebra":{"type":"string"},"ape":{"type":"object",
      "properties":{"y":{"type":"string"},"b":{"type":"string"}}},"middle":{"type":"string"}},"required":["zebra"]})")};
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    std::size_t last = 0;
    for (const std::string_view key : {"\"zebra\"", "\"ape\"", "\"y\"", "\"b\"", "\"middle\""}) {
      const std::size_t at = sent.body().find(key);
      ASSERT_NE(at, std::string_view::npos) << sent.body();
      EXPECT_GT(at, last) << sent.body();
      last = at;
    }
  }
}

TEST(PitfallRequest, TheKeyOfTheCacheReachesWhoeverTakesIt) {
  const auto request =
      from(openai_chat, R"({"model":"m","messages":[{"role":"user","content":"go"}],"prompt_cache_key":"quay"})");
  ASSERT_TRUE(request);
  for (const Vendor& vendor : {Vendor{openai_chat, "openai", "gpt-4o"},
                               {openai_chat, "azure", "gpt-4o"},
                               {openai_responses, "openai", "gpt-5"},
                               {openai_responses, "azure", "gpt-5"}}) {
    EXPECT_EQ(Sent(*request, vendor).root["prompt_cache_key"].text(), "quay") << vendor.provider;
  }
}

}  // namespace
}  // namespace sluice::pitfalls
