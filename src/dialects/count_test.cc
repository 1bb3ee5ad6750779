// Questions to be counted, in each dialect that has a call for it. SPDX-License-Identifier: MIT
#include "dialects/count.h"

#include <gtest/gtest.h>

#include "dialects/registry.h"

namespace sluice {
namespace {

const HeaderView version{"anthropic-version", "2023-06-01"};

// The body of the counting call of `to`, for a question in the words of `from`.
std::string told(DialectId from, std::string_view body, DialectId to, std::string_view provider, Notes& notes) {
  auto request =
      dialect(from)->read_request({.path_model = "m", .headers = std::span(&version, 1), .body = body}, notes);
  if (!request) return "not read: " + request.error()->message;
  leave_what_counts(*request);
  const auto written =
      dialect(to)->write_count_request(*request, {.model = "claude-sonnet-4-5", .provider = provider}, notes);
  return written ? written->body : "not written: " + written.error()->message;
}

constexpr std::string_view gemini_question = R"({"contents":[{"role":"user","parts":[{"text":"Hi"}]}],
  "systemInstruction":{"parts":[{"text":"Be brief."}]},
  "generationConfig":{"temperature":1,"maxOutputTokens":9,"stopSequences":["x"],"seed":3},"safetySettings":[]})";
constexpr std::string_view anthropic_question =
    R"({"model":"m","system":"Be brief.","messages":[{"role":"user","content":"Hi"}],"metadata":{"user_id":"u"}})";

TEST(Count, LeavesOutWhatTheCallRefuses) {
  Notes notes;
  EXPECT_EQ(json::difference(told(DialectId::gemini, gemini_question, DialectId::anthropic, "anthropic", notes),
                             R"({"model":"claude-sonnet-4-5","system":[{"type":"text","text":"Be brief."}],
                                 "messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]})"),
            "");
  const std::string body = told(DialectId::anthropic, anthropic_question, DialectId::openai_responses, "openai", notes);
  const auto members = json::scan_object(body);
  ASSERT_TRUE(members) << body;
  ASSERT_EQ(members->size(), 2u) << body;
  EXPECT_EQ((*members)[0].key, "model");
  EXPECT_EQ((*members)[1].key, "input");
  EXPECT_TRUE(body.contains("Be brief.") && body.contains("Hi")) << body;
  EXPECT_TRUE(notes.empty()) << header_value(notes.all());
}

TEST(Count, StandsInsideForAiStudioAndPlainForVertex) {
  Notes notes;
  EXPECT_EQ(json::difference(told(DialectId::anthropic, anthropic_question, DialectId::gemini, "gemini", notes),
                             R"({"generateContentRequest":{"model":"models/claude-sonnet-4-5",
                                 "systemInstruction":{"parts":[{"text":"Be brief."}]},
                                 "contents":[{"role":"user","parts":[{"text":"Hi"}]}]}})"),
            "");
  EXPECT_EQ(json::difference(told(DialectId::anthropic, anthropic_question, DialectId::gemini, "vertex", notes),
                             R"({"systemInstruction":{"parts":[{"text":"Be brief."}]},
                                 "contents":[{"role":"user","parts":[{"text":"Hi"}]}]})"),
            "");
}

TEST(Count, KeepsToolsAndThinking) {
  Notes notes;
  const std::string body =
      told(DialectId::openai_responses,
           R"({"model":"m","input":"Hi","reasoning":{"effort":"high"},"tools":[{"type":"function","name":"add",
               "parameters":{"type":"object"},"strict":false}]})",
           DialectId::anthropic, "anthropic", notes);
  json::Document doc;
  const auto root = doc.parse(body);
  ASSERT_TRUE(root) << body;
  EXPECT_TRUE((*root)["tools"].at(0)["name"].equals("add"));
  EXPECT_TRUE((*root)["thinking"]["budget_tokens"].integer().value_or(0) > 1024) << body;
  EXPECT_FALSE((*root)["max_tokens"]);
}

TEST(Count, KeepsWhatItsOwnClientSaysBesides) {
  Notes notes;
  const std::string_view said = R"({"model":"claude-sonnet-4-5","input":"Hi","previous_response_id":"resp_1",
                                    "truncation":"auto","personality":"friendly"})";
  const std::string body = told(DialectId::openai_responses, said, DialectId::openai_responses, "openai", notes);
  EXPECT_EQ(json::difference(body, said), "");
  EXPECT_TRUE(notes.empty()) << header_value(notes.all());
  told(DialectId::openai_responses, said, DialectId::gemini, "gemini", notes);
  EXPECT_TRUE(header_value(notes.all()).contains("lost /truncation")) << header_value(notes.all());
}

TEST(Count, IsReadAndWrittenInEachShape) {
  for (const DialectId id :
       {DialectId::anthropic, DialectId::gemini, DialectId::openai_responses, DialectId::bedrock_converse}) {
    const Dialect& words = *dialect(id);
    EXPECT_EQ(words.read_count(words.write_count(4711)), 4711) << words.name();
    for (const std::string_view broken : {"", "{}", "[]", R"({"input_tokens":"x","totalTokens":-1})"}) {
      const auto count = words.read_count(broken);
      ASSERT_FALSE(count) << words.name() << ' ' << broken;
      EXPECT_EQ(count.error()->fault, Fault::upstream_broken);
    }
  }
  EXPECT_EQ(dialect(DialectId::gemini)->read_count(R"({"totalTokens":8,"promptTokensDetails":[]})"), 8);
}

TEST(Count, StandsInsideForBedrock) {
  Notes notes;
  const std::string body =
      told(DialectId::anthropic, anthropic_question, DialectId::bedrock_converse, "bedrock", notes);
  EXPECT_EQ(json::difference(body, R"({"input":{"converse":{"system":[{"text":"Be brief."}],
                                       "messages":[{"role":"user","content":[{"text":"Hi"}]}]}}})"),
            "");
  const auto peek = dialect(DialectId::bedrock_converse)->peek({.path_model = "m", .body = body});
  ASSERT_TRUE(peek);
  EXPECT_EQ(peek->within, "/input/converse");
  EXPECT_TRUE(peek->question.starts_with(R"({"messages")") || peek->question.starts_with(R"({"system")"));
}

TEST(Count, SeesWhereGoogleKeepsTheQuestion) {
  const auto peek = dialect(DialectId::gemini)->peek({.path_model = "m", .body = R"({"generate_content_request":{}})"});
  ASSERT_TRUE(peek);
  EXPECT_EQ(peek->within, "/generate_content_request");
  EXPECT_EQ(peek->question, "{}");
  EXPECT_EQ(dialect(DialectId::gemini)->peek({.path_model = "m", .body = R"({"contents":[]})"})->within, "");
}

}  // namespace
}  // namespace sluice
