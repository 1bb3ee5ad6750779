// SPDX-License-Identifier: MIT
#include "dialects/continuation.h"

#include <gtest/gtest.h>

#include "dialects/registry.h"

namespace sluice {
namespace {

ChatRequest asked() {
  ChatRequest out{.model = "m"};
  out.turns.push_back({.role = Role::user, .parts = {{.body = Text{.text = "Tell me."}}}});
  return out;
}

ChatRequest go_on(DialectId id, std::string_view provider, std::string_view model, std::string_view said = "Once ",
                  const ChatRequest& request = asked()) {
  return continued(request, said, *dialect(id), {.model = model, .provider = provider, .stream = true});
}

TEST(Continuation, IsAPrefillWhereTheModelGoesOnFromOne) {
  struct Row {
    DialectId dialect;
    std::string_view provider, model;
    bool prefill;
  };
  for (const Row& row : std::initializer_list<Row>{
           {DialectId::anthropic, "anthropic", "claude-sonnet-4-5", true},
           {DialectId::anthropic, "anthropic", "claude-opus-4-6", false},
           {DialectId::anthropic, "anthropic", "claude-opus-5", false},
           {DialectId::anthropic, "deepseek", "deepseek-v4-flash", false},
           {DialectId::bedrock_converse, "bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", true},
           {DialectId::bedrock_converse, "bedrock", "amazon.nova-pro-v1:0", false},
           {DialectId::openai_chat, "mistral", "mistral-large-latest", true},
           {DialectId::openai_chat, "moonshot", "kimi-k2.5", true},
           {DialectId::openai_chat, "openai", "gpt-4o", false},
           {DialectId::openai_responses, "openai", "gpt-5", false},
           {DialectId::gemini, "gemini", "gemini-2.5-flash", false},
           {DialectId::cohere, "cohere", "command-a-03-2025", false},
       }) {
    const ChatRequest out = go_on(row.dialect, row.provider, row.model);
    ASSERT_EQ(out.turns.size(), row.prefill ? 2U : 3U) << row.model;
    EXPECT_EQ(out.turns[1].role, Role::assistant);
    EXPECT_EQ(out.turns[1].parts[0].as<Text>()->text, row.prefill ? "Once" : "Once ") << row.model;
    if (!row.prefill) EXPECT_EQ(out.turns[2].role, Role::user);
    Notes notes;
    const auto wire = dialect(row.dialect)->write_request(out, {.model = row.model, .provider = row.provider}, notes);
    ASSERT_TRUE(wire) << row.model << ' ' << wire.error()->message;
    EXPECT_TRUE(wire->body.contains("Once")) << wire->body;
    EXPECT_EQ(wire->body.contains("cut off by a fault"), !row.prefill);
    if (row.provider == "mistral") EXPECT_TRUE(wire->body.contains(R"("prefix":true)")) << wire->body;
    if (row.provider == "moonshot") EXPECT_TRUE(wire->body.contains(R"("partial":true)")) << wire->body;
  }
}

TEST(Continuation, IsNoPrefillWhereTheRequestRulesItOut) {
  ChatRequest thinks = asked();
  thinks.reasoning = {.mode = ReasoningMode::on, .budget = 2000};
  ChatRequest forced = asked();
  forced.tool_choice = ToolChoice{.kind = ChoiceKind::required};
  for (const ChatRequest& request : {thinks, forced}) {
    EXPECT_EQ(go_on(DialectId::anthropic, "anthropic", "claude-sonnet-4-5", "Once", request).turns.size(), 3U);
  }
}

TEST(Continuation, AsksForLessByWhatWasSaid) {
  ChatRequest limited = asked();
  limited.max_output = 100;
  const std::string forty = "a word or two and so on until there are some more of them here now ";
  const auto left = go_on(DialectId::openai_chat, "openai", "gpt-4o", forty, limited).max_output;
  EXPECT_LT(left, 95);
  EXPECT_GT(left, 60);
  EXPECT_EQ(go_on(DialectId::openai_chat, "openai", "gpt-4o", std::string(5000, 'x'), limited).max_output, 16);
  EXPECT_FALSE(go_on(DialectId::openai_chat, "openai", "gpt-4o", forty).max_output);
}

TEST(Continuation, OfNothingIsTheSameQuestion) {
  for (const std::string_view said : {"", " ", "\n\n"}) {
    EXPECT_EQ(go_on(DialectId::openai_chat, "openai", "gpt-4o", said).turns.size(), 1U);
  }
}

TEST(Continuation, IsForOneAnswerOfPlainText) {
  EXPECT_TRUE(may_be_continued(asked()));
  ChatRequest several = asked();
  several.sampling.n = 2;
  EXPECT_FALSE(may_be_continued(several));
  ChatRequest json = asked();
  json.format = OutputFormat{.kind = FormatKind::json_object};
  EXPECT_FALSE(may_be_continued(json));
  ChatRequest spoken = asked();
  spoken.modalities = {"text", "audio"};
  EXPECT_FALSE(may_be_continued(spoken));
}

}  // namespace
}  // namespace sluice
