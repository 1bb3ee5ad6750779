// What no law can know of a request: the vendor's own rules, and each model's. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "dialects/registry.h"
#include "dialects/seal_envelope.h"

namespace sluice {
namespace {

constexpr std::string_view claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

const Dialect& of(DialectId id) {
  return *dialect(id);
}

struct Written {
  std::string body;
  Notes notes;
  json::Document doc;
  [[nodiscard]] json::Value operator[](std::string_view key) {
    const auto root = doc.parse(body);
    return root ? (*root)[key] : json::Value();
  }
  [[nodiscard]] bool noted(std::string_view pointer) const {
    return std::ranges::any_of(notes.all(), [&](const Note& note) { return note.pointer == pointer; });
  }
};

// A chat client's body as a Converse request for that model.
void write(std::string_view body, std::string_view model, Written& out, DialectId from = DialectId::openai_chat) {
  Notes reading;
  const auto request = of(from).read_request({.path_model = model, .body = body}, reading);
  ASSERT_TRUE(request) << request.error()->message;
  const auto written =
      of(DialectId::bedrock_converse).write_request(*request, {.model = model, .provider = "bedrock"}, out.notes);
  ASSERT_TRUE(written) << written.error()->message;
  out.body = written->body;
}

std::string refusal(std::string_view body) {
  Notes notes;
  const auto request = of(DialectId::openai_chat).read_request({.body = body}, notes);
  if (!request) return "not read";
  const auto written =
      of(DialectId::bedrock_converse).write_request(*request, {.model = claude, .provider = "bedrock"}, notes);
  return written ? "" : written.error()->param;
}

TEST(BedrockRequest, TakesTheModelFromThePath) {
  Notes notes;
  const auto peek = of(DialectId::bedrock_converse)
                        .peek({.path_model = "arn:aws:bedrock:us-east-1:1:inference-profile/x",
                               .path_streams = true,
                               .body = R"({"messages":[]})"});
  ASSERT_TRUE(peek);
  EXPECT_EQ(peek->model, "arn:aws:bedrock:us-east-1:1:inference-profile/x");
  EXPECT_TRUE(peek->stream);
  EXPECT_FALSE(of(DialectId::bedrock_converse).peek({.path_model = "m", .body = "[]"}));
}

TEST(BedrockRequest, TurnsAlternateAndResultsStandInOneMessage) {
  Written out;
  write(R"({"model":"m","messages":[
      {"role":"system","content":"Be brief."},
      {"role":"user","content":"Weather?"},{"role":"user","content":"In Bath and Wells."},
      {"role":"assistant","content":null,"tool_calls":[
        {"id":"a","type":"function","function":{"name":"weather","arguments":"{\"town\":\"Bath\"}"}},
        {"id":"b","type":"function","function":{"name":"weather","arguments":"not json"}}]},
      {"role":"tool","tool_call_id":"b","content":"sun"},{"role":"tool","tool_call_id":"a","content":"rain"}]})",
        claude, out);
  const json::Value messages = out["messages"];
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages.at(0)["content"].size(), 2U);
  EXPECT_TRUE(messages.at(1)["content"].at(1)["toolUse"]["input"]["input"].equals("not json"));
  const json::Value results = messages.at(2)["content"];
  ASSERT_EQ(results.size(), 2U);
  EXPECT_TRUE(results.at(0)["toolResult"]["toolUseId"].equals("a"));
  EXPECT_TRUE(results.at(1)["toolResult"]["toolUseId"].equals("b"));
  // History with calls demands declarations.
  EXPECT_EQ(out["toolConfig"]["tools"].size(), 1U);
  EXPECT_TRUE(out["toolConfig"]["tools"].at(0)["toolSpec"]["name"].equals("weather"));
}

TEST(BedrockRequest, HistoryHasItsToolsThoughAnotherVendorsHaveGone) {
  Written out;
  write(R"({"max_tokens":10,"tools":[{"type":"web_search_20250305","name":"web_search"}],"messages":[
      {"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}]})",
        claude, out, DialectId::anthropic);
  ASSERT_EQ(out["toolConfig"]["tools"].size(), 1U);
  EXPECT_TRUE(out["toolConfig"]["tools"].at(0)["toolSpec"]["name"].equals("f"));
  EXPECT_TRUE(out.noted("/tools/0"));
}

TEST(BedrockRequest, NoneIsAnInstructionBecauseToolsMustStay) {
  Written out;
  write(R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"tool_choice":"none",
      "tools":[{"type":"function","function":{"name":"a.b c","description":"","parameters":{"type":"object"}}}]})",
        claude, out);
  EXPECT_EQ(out["toolConfig"]["tools"].size(), 1U);
  EXPECT_FALSE(out["toolConfig"]["toolChoice"]);
  EXPECT_FALSE(out["toolConfig"]["tools"].at(0)["toolSpec"]["description"]);
  EXPECT_TRUE(out["toolConfig"]["tools"].at(0)["toolSpec"]["name"].text().starts_with("a_b_c"));
  EXPECT_EQ(out["system"].size(), 1U);
  EXPECT_TRUE(out.noted("/tool_choice"));
}

TEST(BedrockRequest, ModelsThatCannotBeForcedAreAsked) {
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"Hi"}],
      "tool_choice":{"type":"function","function":{"name":"two"}},"parallel_tool_calls":false,
      "tools":[{"type":"function","function":{"name":"one","parameters":{"type":"object"}}},
               {"type":"function","function":{"name":"two","parameters":{"type":"object"}}}]})";
  Written llama;
  write(body, "meta.llama3-70b-instruct-v1:0", llama);
  ASSERT_EQ(llama["toolConfig"]["tools"].size(), 1U);
  EXPECT_TRUE(llama["toolConfig"]["tools"].at(0)["toolSpec"]["name"].equals("two"));
  EXPECT_FALSE(llama["toolConfig"]["toolChoice"]);
  EXPECT_TRUE(llama.noted("/parallel_tool_calls"));
  Written sonnet;
  write(body, claude, sonnet);
  EXPECT_TRUE(sonnet["toolConfig"]["toolChoice"]["tool"]["name"].equals("two"));
}

TEST(BedrockRequest, ParallelCallsAreSwitchedOffInClaudesOwnWords) {
  Written out;
  write(R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"parallel_tool_calls":false,
      "tools":[{"type":"function","function":{"name":"one","parameters":{"type":"object"}}}]})",
        claude, out);
  EXPECT_EQ(out["additionalModelRequestFields"]["tool_choice"].raw(),
            R"({"type":"auto","disable_parallel_tool_use":true})");
}

TEST(BedrockRequest, MistralsIdsHaveNineLetters) {
  Written out;
  write(R"({"model":"m","messages":[{"role":"user","content":"Hi"},
      {"role":"assistant","tool_calls":[{"id":"call_long_one","type":"function","function":{"name":"f","arguments":""}}]},
      {"role":"tool","tool_call_id":"call_long_one","content":"done"}]})",
        "mistral.mistral-large-2407-v1:0", out);
  const std::string call = out["messages"].at(1)["content"].at(0)["toolUse"]["toolUseId"].text();
  EXPECT_EQ(call.size(), 9U);
  EXPECT_EQ(call, out["messages"].at(2)["content"].at(0)["toolResult"]["toolUseId"].text());
}

TEST(BedrockRequest, EachModelIsToldToThinkInItsOwnWords) {
  const std::string body =
      R"({"model":"m","max_completion_tokens":4000,"temperature":0.3,"reasoning_effort":"high","messages":[{"role":"user","content":"Hi"}]})";
  Written sonnet;
  write(body, claude, sonnet);
  const json::Value thinking = sonnet["additionalModelRequestFields"]["thinking"];
  EXPECT_TRUE(thinking["type"].equals("enabled"));
  EXPECT_EQ(thinking["budget_tokens"].integer(), 24576);
  EXPECT_GT(sonnet["inferenceConfig"]["maxTokens"].integer(), 24576);
  EXPECT_FALSE(sonnet["inferenceConfig"]["temperature"]);
  EXPECT_TRUE(sonnet.noted("/temperature"));

  Written adaptive;
  write(body, "anthropic.claude-opus-4-6-v1", adaptive);
  EXPECT_TRUE(adaptive["additionalModelRequestFields"]["thinking"]["type"].equals("adaptive"));
  EXPECT_TRUE(adaptive["additionalModelRequestFields"]["output_config"]["effort"].equals("high"));

  Written nova;
  write(body, "us.amazon.nova-2-lite-v1:0", nova);
  EXPECT_EQ(nova["additionalModelRequestFields"].raw(),
            R"({"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}})");
  EXPECT_FALSE(nova["inferenceConfig"]);  // at its most it sets its own bounds

  Written open;
  write(body, "openai.gpt-oss-120b-1:0", open);
  EXPECT_EQ(open["additionalModelRequestFields"].raw(), R"({"reasoning_effort":"high"})");

  Written llama;
  write(body, "meta.llama3-70b-instruct-v1:0", llama);
  EXPECT_FALSE(llama["additionalModelRequestFields"]);
  EXPECT_TRUE(llama.noted("/reasoning_effort"));
}

TEST(BedrockRequest, ABudgetAloneGetsALimitAboveIt) {
  Written out;
  write(R"({"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2048},"top_k":5,
      "messages":[{"role":"user","content":"Hi"}]})",
        claude, out, DialectId::anthropic);
  EXPECT_EQ(out["additionalModelRequestFields"].raw(), R"({"thinking":{"type":"enabled","budget_tokens":2048}})");
  EXPECT_EQ(out["inferenceConfig"]["maxTokens"].integer(), 9000);
  EXPECT_TRUE(out.noted("/top_k"));
}

TEST(BedrockRequest, SchemasAreTextsAndOnlyForModelsThatHoldThem) {
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"response_format":
      {"type":"json_schema","json_schema":{"name":"town","schema":{"type":"object","properties":{"name":{"type":"string"}},
       "required":["name"],"additionalProperties":false}}}})";
  Written sonnet;
  write(body, claude, sonnet);
  const json::Value form = sonnet["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
  EXPECT_TRUE(form["name"].equals("town"));
  EXPECT_TRUE(json::valid(form["schema"].text()));
  EXPECT_TRUE(form["schema"].is_string());
  for (const std::string_view model : {"amazon.nova-pro-v1:0", "global.anthropic.claude-opus-4-8"}) {
    Written out;
    write(body, model, out);
    EXPECT_FALSE(out["outputConfig"]) << model;
    EXPECT_NE(out["system"].at(0)["text"].text().find("JSON Schema"), std::string::npos) << model;
    EXPECT_TRUE(out.noted("/response_format")) << model;
  }
}

TEST(BedrockRequest, CacheMarksArePointsBehindWhatTheyMark) {
  const std::string body = R"({"max_tokens":10,
      "system":[{"type":"text","text":"Long.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
      "tools":[{"name":"f","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],
      "messages":[{"role":"user","content":"Hi"},
        {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":
          [{"type":"text","text":"ok","cache_control":{"type":"ephemeral"}}]}]}]})";
  Written out;
  write(body, claude, out, DialectId::anthropic);
  EXPECT_EQ(out["system"].raw(), R"([{"text":"Long."},{"cachePoint":{"type":"default","ttl":"1h"}}])");
  EXPECT_EQ(out["toolConfig"]["tools"].at(1).raw(), R"({"cachePoint":{"type":"default"}})");
  // Never inside of a result.
  const json::Value last = out["messages"].at(2)["content"];
  EXPECT_EQ(last.at(0)["toolResult"]["content"].size(), 1U);
  EXPECT_TRUE(last.at(1)["cachePoint"]);

  Written llama;
  write(body, "meta.llama3-70b-instruct-v1:0", llama, DialectId::anthropic);
  EXPECT_EQ(llama.body.find("cachePoint"), std::string::npos);
  EXPECT_TRUE(llama.noted("/system/0/cache_control"));
  Written nova;
  write(body, "amazon.nova-pro-v1:0", nova, DialectId::anthropic);
  EXPECT_EQ(nova["system"].at(1).raw(), R"({"cachePoint":{"type":"default"}})");
}

TEST(BedrockRequest, DocumentsHaveNamesOfTheirOwnAndATextBesideThem) {
  Written out;
  write(R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"file","file":{"filename":"my_report: v2.pdf","file_data":"data:application/pdf;base64,JVBERi0="}},
      {"type":"file","file":{"filename":"my report  v2.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}]})",
        claude, out);
  const json::Value content = out["messages"].at(0)["content"];
  ASSERT_EQ(content.size(), 3U);
  EXPECT_TRUE(content.at(0)["document"]["name"].equals("my report v2"));
  EXPECT_TRUE(content.at(1)["document"]["name"].equals("my report v2 (2)"));
  EXPECT_TRUE(content.at(0)["document"]["format"].equals("pdf"));
  EXPECT_TRUE(content.at(2)["text"].is_string());
}

TEST(BedrockRequest, FetchesNothingFromTheWeb) {
  EXPECT_EQ(refusal(R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"image_url","image_url":{"url":"https://pictures.example/a.png"}}]}]})"),
            "/messages/0/content/0");
  EXPECT_EQ(refusal(R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"image_url","image_url":{"url":"data:image/tiff;base64,AAAA"}}]}]})"),
            "/messages/0/content/0");
  EXPECT_EQ(refusal(R"({"model":"m","n":2,"messages":[{"role":"user","content":"Hi"}]})"), "/n");
  EXPECT_EQ(refusal(R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"image_url","image_url":{"url":"data:image/jpg;base64,/9j/"}}]}]})"),
            "");
}

TEST(BedrockRequest, ProofsGoBackToTheirIssuerOnly) {
  const Seal own{.dialect = DialectId::bedrock_converse, .issuer = "aws", .raw = "EpsBown=="};
  const Seal strange{.dialect = DialectId::gemini, .issuer = "g", .raw = "AAAA"};
  for (const Seal& seal : {own, strange}) {
    Written out;
    write(R"({"max_tokens":10,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[
        {"type":"thinking","thinking":"Hm.","signature":")" +
              wrap_seal(seal) + R"("},{"type":"text","text":"Hello"}]},{"role":"user","content":"And?"}]})",
          claude, out, DialectId::anthropic);
    const json::Value said = out["messages"].at(1)["content"];
    const bool kept = seal.dialect == DialectId::bedrock_converse;
    ASSERT_EQ(said.size(), kept ? 2U : 1U);
    if (kept) EXPECT_TRUE(said.at(0)["reasoningContent"]["reasoningText"]["signature"].equals("EpsBown=="));
    EXPECT_EQ(out.noted("/messages/1/content/0"), !kept);
  }
}

TEST(BedrockRequest, SaysWhoAsksInTheMetadata) {
  Written out;
  write(R"({"model":"m","user":"user-7","metadata":{"desk":"12","odd":"tab\there"},"service_tier":"auto",
      "messages":[{"role":"user","content":"Hi"}]})",
        claude, out);
  EXPECT_EQ(out["requestMetadata"].raw(), R"({"desk":"12","user_id":"user-7"})");
  EXPECT_TRUE(out.noted("/metadata/odd"));
  EXPECT_TRUE(out.noted("/user"));
  EXPECT_FALSE(out["serviceTier"]);
}

TEST(BedrockRequest, NotesPointIntoItsOwnWords) {
  Notes reading, notes;
  const std::string body = R"({"system":[{"text":"Long."},{"cachePoint":{"type":"default","ttl":"1h"}}],
      "messages":[{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default"}},
        {"guardContent":{"text":{"text":"b"}}}]}],
      "inferenceConfig":{"topP":0.5,"stopSequences":["x"]},"additionalModelRequestFields":{"top_k":3,"odd":1}})";
  const auto request = of(DialectId::bedrock_converse).read_request({.path_model = "m", .body = body}, reading);
  ASSERT_TRUE(request);
  ASSERT_TRUE(of(DialectId::openai_responses).write_request(*request, {.model = "gpt-5", .provider = "openai"}, notes));
  for (const std::string_view pointer :
       {"/system/1/cachePoint", "/messages/0/content/1/cachePoint", "/messages/0/content/2/guardContent",
        "/inferenceConfig/stopSequences", "/additionalModelRequestFields/top_k", "/additionalModelRequestFields/odd"}) {
    EXPECT_TRUE(std::ranges::any_of(notes.all(), [&](const Note& n) { return n.pointer == pointer; })) << pointer;
  }
}

TEST(BedrockRequest, RefusesWhatIsNoRequest) {
  const Dialect& dialect = of(DialectId::bedrock_converse);
  for (const std::string_view body :
       {"[]", R"({"messages":{}})", R"({"messages":[{"role":"tool","content":[]}]})",
        R"({"messages":[{"role":"user","content":"text"}]})", R"({"messages":[{"role":"user","content":["x"]}]})",
        R"({"messages":[],"inferenceConfig":{"maxTokens":"1"}})", R"({"messages":[],"toolConfig":{}})"}) {
    Notes notes;
    const auto request = dialect.read_request({.path_model = "m", .body = body}, notes);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error()->fault, Fault::bad_request) << body;
  }
}

}  // namespace
}  // namespace sluice
