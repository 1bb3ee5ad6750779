// SPDX-License-Identifier: MIT
#include "gateway/output_limit.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

OutputAsked asked(std::string_view body) {
  const auto members = json::scan_object(body);
  EXPECT_TRUE(members) << body;
  return output_asked(*members);
}
std::optional<std::int64_t> most(std::string_view body) {
  return asked(body).most;
}

TEST(OutputAsked, IsFoundInEachDialect) {
  EXPECT_EQ(most(R"({"model":"m","max_tokens":7})"), 7);
  EXPECT_EQ(most(R"({"max_completion_tokens":8})"), 8);
  EXPECT_EQ(most(R"({"max_output_tokens":0})"), 0);
  EXPECT_EQ(most(R"({"generationConfig":{"temperature":1,"maxOutputTokens":9}})"), 9);
  EXPECT_EQ(most(R"({"generation_config":{"max_output_tokens":9}})"), 9);
  EXPECT_EQ(most(R"({"generationConfig":{"max_output_tokens":9}})"), 9);
  EXPECT_EQ(most(R"({"inferenceConfig":{"maxTokens":10}})"), 10);
  EXPECT_EQ(most(R"({"max_tokens":5,"max_completion_tokens":8})"), 8) << "the larger one";
}

TEST(OutputAsked, IsNothingThatIsNoNumberOfTokens) {
  for (const std::string_view body :
       {R"({})", R"({"max_tokens":-1})", R"({"max_tokens":null})", R"({"max_tokens":"7"})", R"({"generationConfig":3})",
        R"({"generationConfig":{"maxOutputTokens":-1000000000}})", R"({"inferenceConfig":{"maxTokens":null}})"}) {
    EXPECT_EQ(most(body), std::nullopt) << body;
  }
  EXPECT_EQ(most(R"({"generationConfig":{"maxOutputTokens":-5},"max_tokens":6})"), 6);
}

TEST(OutputAsked, CountsTheAnswers) {
  EXPECT_EQ(asked(R"({"n":3})").answers, 3);
  EXPECT_EQ(asked(R"({"n":3,"best_of":5})").answers, 5);
  EXPECT_EQ(asked(R"({"generationConfig":{"candidateCount":2}})").answers, 2);
  for (const std::string_view body : {R"({})", R"({"n":0})", R"({"n":-4})", R"({"n":"x"})", R"({"n":null})"})
    EXPECT_EQ(asked(body).answers, 1) << body;
}

TEST(OutputLimit, RefusesMoreAndNamesTheField) {
  Key key;
  EXPECT_TRUE(keep_output_limit(key, asked(R"({"max_tokens":1000000})")));
  key.max_output_tokens = 100;
  EXPECT_TRUE(keep_output_limit(key, asked(R"({})")));
  EXPECT_TRUE(keep_output_limit(key, asked(R"({"max_tokens":100})")));
  EXPECT_TRUE(keep_output_limit(key, asked(R"({"max_tokens":50,"n":2})")));
  const auto refused = keep_output_limit(key, asked(R"({"generationConfig":{"maxOutputTokens":101}})"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::bad_request);
  EXPECT_EQ(refused.error()->param, "generationConfig.maxOutputTokens");
  EXPECT_EQ(refused.error()->message,
            "generationConfig.maxOutputTokens is 101, and this key may ask for at most 100 tokens of output.");
  EXPECT_FALSE(keep_output_limit(key, asked(R"({"max_tokens":51,"n":2})")));
}

TEST(OutputLimit, IsSetInTheFieldOfTheDialect) {
  const auto edit = [](DialectId dialect, std::string_view provider, std::string_view model, std::string_view body) {
    const auto members = json::scan_object(body);
    return output_edit(dialect, {.model = model, .provider = provider}, *members, 9).pointer;
  };
  EXPECT_EQ(edit(DialectId::openai_chat, "openai", "gpt-5", "{}"), "/max_completion_tokens");
  EXPECT_EQ(edit(DialectId::openai_chat, "compatible", "llama", "{}"), "/max_tokens");
  EXPECT_EQ(edit(DialectId::openai_responses, "openai", "gpt-5", "{}"), "/max_output_tokens");
  EXPECT_EQ(edit(DialectId::gemini, "gemini", "g", "{}"), "/generationConfig/maxOutputTokens");
  EXPECT_EQ(edit(DialectId::gemini, "gemini", "g", R"({"generation_config":{}})"),
            "/generation_config/max_output_tokens");
  EXPECT_EQ(edit(DialectId::bedrock_converse, "bedrock", "m", "{}"), "/inferenceConfig/maxTokens");
  EXPECT_EQ(edit(DialectId::cohere, "cohere", "c", "{}"), "/max_tokens");
}

}  // namespace
}  // namespace sluice
