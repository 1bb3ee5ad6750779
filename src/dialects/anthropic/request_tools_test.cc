// Tools in requests: how they are declared, chosen and answered. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "dialects/anthropic/written_test.h"

namespace sluice::anthropic {
namespace {

using namespace trial;

TEST(AnthropicRequest, SaysEveryToolChoice) {
  auto request = chat("claude-sonnet-4-5");
  request.tools.push_back({.name = "look", .schema = R"({"type":"object"})"});
  request.tools.push_back({.name = "listen", .schema = R"({"type":"object"})"});
  EXPECT_FALSE(Written(request)["tool_choice"]);
  const auto choice = [&](ToolChoice c) {
    request.tool_choice = std::move(c);
    return Written(request).raw("tool_choice");
  };
  EXPECT_EQ(choice({.kind = ChoiceKind::automatic}), R"({"type":"auto"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::none}), R"({"type":"none"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::required}), R"({"type":"any"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::one, .names = {"look"}}), R"({"type":"tool","name":"look"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::subset, .names = {"look"}, .subset_required = true}), R"({"type":"any"})");
  EXPECT_EQ(Written(request)["system"].at(0)["text"].text(), "Call one of these tools now: look.");
  request.parallel_tools = false;
  EXPECT_EQ(choice({.kind = ChoiceKind::required}), R"({"type":"any","disable_parallel_tool_use":true})");
  request.tool_choice.reset();
  EXPECT_EQ(Written(request).raw("tool_choice"), R"({"type":"auto","disable_parallel_tool_use":true})");
}

TEST(AnthropicRequest, DegradesAForcedChoiceWhereItIsRefused) {
  auto request = chat("claude-opus-5-5");
  request.tools.push_back({.name = "look"});
  request.tools.push_back({.name = "listen"});
  request.tool_choice = ToolChoice{.kind = ChoiceKind::one, .names = {"look"}};
  const Written out(request);
  EXPECT_EQ(out.raw("tool_choice"), R"({"type":"auto"})");
  ASSERT_EQ(out["tools"].size(), 1U);
  EXPECT_EQ(out["tools"].at(0)["name"].text(), "look");
  EXPECT_TRUE(out["system"].at(0)["text"].text().starts_with("Call the tool look now"));
  EXPECT_TRUE(out.noted(NoteKind::restated, "/tool_choice"));
  // The same on an older model while a budget is spent on thinking.
  request.reasoning.effort = "low";
  EXPECT_EQ(Written(request, "claude-sonnet-4-5").raw("tool_choice"), R"({"type":"auto"})");
}

TEST(AnthropicRequest, MakesToolsThatTheVendorTakes) {
  auto request = chat("claude-sonnet-4-5");
  request.tools.push_back({.name = "files.read", .schema = R"({"properties":{}})"});
  request.tools.push_back({.kind = ToolKind::custom, .name = "shell", .description = "Runs it"});
  request.tools.push_back({.name = "bare"});
  request.tools.push_back({.name = "either", .schema = R"({"anyOf":[{"type":"object"}]})"});
  request.tools.push_back({.vendor_raw = R"({"googleSearch":{}})", .vendor_type = "googleSearch"});
  request.tools.push_back({.vendor_raw = R"({"type":"file_search"})", .vendor_type = "file_search"});
  const Written out(request);
  const json::Value tools = out["tools"];
  ASSERT_EQ(tools.size(), 5U);
  EXPECT_TRUE(tools.at(0)["name"].text().starts_with("files_read_"));
  EXPECT_EQ(tools.at(0)["input_schema"].raw(), R"({"properties":{},"type":"object"})");
  EXPECT_EQ(tools.at(1)["input_schema"]["required"].raw(), R"(["input"])");
  EXPECT_EQ(tools.at(2)["input_schema"].raw(), R"({"type":"object","properties":{}})");
  EXPECT_EQ(tools.at(3)["input_schema"].raw(), R"({"type":"object"})");
  EXPECT_EQ(tools.at(4)["type"].text(), "web_search_20250305");
  EXPECT_TRUE(out.noted(NoteKind::restated, "/tools/1"));
  EXPECT_TRUE(out.noted(NoteKind::lost, "/tools/3/function/parameters/anyOf"));
  EXPECT_TRUE(out.noted(NoteKind::lost, "/tools/5"));
}

TEST(AnthropicRequest, SearchesTheWebForAChatClient) {
  auto request = chat("claude-sonnet-4-5");
  request.extras.add(
      DialectId::openai_chat, "web_search_options",
      R"({"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Husum"}}})");
  request.extras.add(DialectId::openai_chat, "store", "true");
  const Written out(request);
  EXPECT_EQ(out.raw("tools"), R"([{"type":"web_search_20250305","name":"web_search",)"
                              R"("user_location":{"type":"approximate","city":"Husum"}}])");
  EXPECT_TRUE(out.noted(NoteKind::lost, "/web_search_options/search_context_size"));
  EXPECT_TRUE(out.noted(NoteKind::lost, "/store"));
  EXPECT_FALSE(out.noted(NoteKind::lost, "/web_search_options"));
}

TEST(AnthropicRequest, OrdersResultsAsTheCallsAndPutsThemFirst) {
  auto request = chat("claude-sonnet-4-5");
  Turn calls{.role = Role::assistant};
  calls.parts = {call("call_a", "look", R"({"x":1})"), call("call_b", "look", ""), call("call_c", "look", "{broken")};
  request.turns.push_back(std::move(calls));
  request.turns.push_back(result("call_b", "second"));
  request.turns.push_back(result("call_a", "first"));
  request.turns.push_back(turn(Role::user, "Well?"));
  const Written out(request);
  const json::Value messages = out["messages"];
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages.at(1)["content"].at(1)["input"].raw(), "{}");
  EXPECT_EQ(messages.at(1)["content"].at(2)["input"].raw(), R"({"input":"{broken"})");
  const json::Value answers = messages.at(2)["content"];
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers.at(0)["tool_use_id"].text(), "call_a");
  EXPECT_EQ(answers.at(1)["content"].text(), "second");
  EXPECT_EQ(answers.at(2)["is_error"].boolean(), true);
  EXPECT_EQ(answers.at(3)["text"].text(), "Well?");
  // The history calls a tool that nobody declared.
  EXPECT_EQ(out["tools"].raw(), R"([{"name":"look","input_schema":{"type":"object"}}])");
  EXPECT_EQ(out.raw("tool_choice"), R"({"type":"none"})");
}

TEST(AnthropicRequest, PointsIntoToolResults) {
  auto request = chat("claude-sonnet-4-5");
  Turn calls{.role = Role::assistant};
  calls.parts = {call("call_a", "listen", "{}"), call("call_b", "listen", "{}")};
  request.turns.push_back(std::move(calls));
  ToolResult heard{.call_id = "call_a"};
  heard.parts.push_back({.body = Text{.text = "heard"}});
  heard.parts.push_back({.body = Media{.kind = MediaKind::audio, .form = MediaForm::base64, .data = "UklG"}});
  request.turns.push_back({.role = Role::tool, .parts = {{.body = heard}}});
  request.turns.push_back({.role = Role::assistant});  // nothing of it can be pointed at
  const Written out(request);
  ASSERT_TRUE(out.outcome());
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/2/content/1"));
  EXPECT_EQ(out["messages"].at(2)["content"].at(0)["content"].size(), 1U);
  EXPECT_EQ(out["messages"].at(2)["content"].at(1)["is_error"].boolean(), true);
}

TEST(AnthropicRequest, KeepsStrictToolsToTheNumberTaken) {
  auto request = chat("claude-sonnet-4-5");
  for (int i = 0; i < 21; ++i) {
    request.tools.push_back({.name = "t" + std::to_string(i), .schema = R"({"type":"object"})", .strict = true});
  }
  const Written out(request);
  EXPECT_EQ(out["tools"].at(19)["strict"].boolean(), true);
  EXPECT_FALSE(out["tools"].at(20)["strict"]);
  EXPECT_TRUE(out.noted(NoteKind::restated, "/tools/20/function/strict"));
}

}  // namespace
}  // namespace sluice::anthropic
