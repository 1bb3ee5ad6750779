// Thinking in requests: what each model takes, and whose thoughts go back. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "dialects/anthropic/written_test.h"
#include "dialects/seal_envelope.h"

namespace sluice::anthropic {
namespace {

using namespace trial;

TEST(AnthropicRequest, SpeaksEffortInTheWordsOfEachModel) {
  auto request = chat("claude-sonnet-4-5");
  request.reasoning.effort = "medium";
  const Written budget(request);
  EXPECT_EQ(budget.raw("thinking"), R"({"type":"enabled","budget_tokens":8192})");
  EXPECT_EQ(budget["max_tokens"].integer(), 9192);
  EXPECT_TRUE(budget.noted(NoteKind::restated, "/max_tokens"));
  const Written adaptive(request, "claude-opus-4-6");
  EXPECT_EQ(adaptive.raw("thinking"), R"({"type":"adaptive"})");
  EXPECT_EQ(adaptive.raw("output_config"), R"({"effort":"medium"})");
  const Written hidden(request, "claude-opus-4-8");
  EXPECT_EQ(hidden.raw("thinking"), R"({"type":"adaptive","display":"summarized"})");
  const Written none(request, "claude-3-5-haiku-20241022");
  EXPECT_FALSE(none["thinking"]);
  EXPECT_TRUE(none.noted(NoteKind::lost, "/reasoning_effort"));
  request.reasoning.effort = "xhigh";
  EXPECT_EQ(Written(request, "claude-sonnet-4-6").raw("output_config"), R"({"effort":"high"})");
  request.reasoning.effort = "minimal";
  EXPECT_EQ(Written(request, "claude-opus-5").raw("output_config"), R"({"effort":"low"})");
}

TEST(AnthropicRequest, TurnsABudgetIntoAnEffortWhereBudgetsAreRefused) {
  auto request = chat("claude-sonnet-5");
  request.reasoning = {.mode = ReasoningMode::on, .budget = 20000};
  const Written out(request);
  EXPECT_EQ(out.raw("output_config"), R"({"effort":"high"})");
  EXPECT_TRUE(out.noted(NoteKind::restated, "/reasoning/max_tokens"));
}

TEST(AnthropicRequest, SwitchesThinkingOffAsFarAsTheModelLets) {
  auto request = chat("claude-opus-4-6");
  request.reasoning.effort = "none";
  EXPECT_EQ(Written(request).raw("thinking"), R"({"type":"disabled"})");
  EXPECT_EQ(Written(request, "claude-haiku-5-5")["thinking"]["type"].text(), "disabled");
  EXPECT_EQ(Written(request, "claude-sonnet-5-5").raw("thinking"), R"({"type":"between_tools"})");
  const Written fable(request, "claude-fable-5");
  EXPECT_FALSE(fable["thinking"]);
  EXPECT_EQ(fable.raw("output_config"), R"({"effort":"low"})");
  EXPECT_TRUE(fable.noted(NoteKind::restated, "/reasoning_effort"));
}

TEST(AnthropicRequest, AsksPreservedThinkingToBeDroppedRatherThanRefused) {
  const Written out(chat("claude-opus-5-5"));
  EXPECT_EQ(out.raw("thinking"),
            R"({"type":"adaptive","display":"summarized","block_binding":{"prefix_mismatch_behavior":"drop_block"}})");
  EXPECT_EQ(out.header("anthropic-beta"), "thinking-binding-controls-2026-08-01");
  EXPECT_FALSE(Written(chat("claude-opus-4-6"))["thinking"]);
}

TEST(AnthropicRequest, LeavesRoomForTheAnswerBesideAHugeBudget) {
  auto request = chat("claude-sonnet-4-5");
  request.reasoning.effort = "max";
  const Written out(request);
  EXPECT_EQ(out["max_tokens"].integer(), 64000);
  EXPECT_EQ(out["thinking"]["budget_tokens"].integer(), 63000);
}

TEST(AnthropicRequest, DropsSamplingThatThinkingForbids) {
  auto request = chat("claude-sonnet-4-5");
  request.reasoning.effort = "low";
  request.sampling.temperature = "0";
  const Written out(request);
  EXPECT_FALSE(out["temperature"]);
  EXPECT_TRUE(out.noted(NoteKind::lost, "/temperature"));
}

TEST(AnthropicRequest, NeverSendsEmptyTextOrForeignThinking) {
  auto request = chat("claude-sonnet-4-5");
  Turn thought{.role = Role::assistant};
  thought.parts.push_back({.body = Reasoning{.text = "unsigned"}});
  thought.parts.push_back(
      {.body = Reasoning{.text = "foreign"}, .seal = Seal{.dialect = DialectId::gemini, .raw = "g"}});
  thought.parts.push_back({.body = Text{}});
  thought.parts.push_back({.body = Text{.text = " \n"}});
  request.turns.push_back(std::move(thought));
  request.turns.push_back(turn(Role::user, "Still there?"));
  const Written out(request);
  ASSERT_EQ(out["messages"].size(), 2U);
  EXPECT_EQ(out["messages"].at(1)["role"].text(), "user");
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/1/reasoning_content"));
}

TEST(AnthropicRequest, ReturnsItsOwnThinkingUntouched) {
  auto request = chat("claude-sonnet-4-5");
  Turn thought{.role = Role::assistant};
  thought.parts.push_back({.body = Reasoning{.text = ""}, .seal = Seal{.raw = "EqQB"}});
  thought.parts.push_back({.body = Reasoning{.redacted = true}, .seal = Seal{.raw = "EmwK"}});
  thought.parts.push_back(call("call_a", "look", "{}"));
  request.turns.push_back(std::move(thought));
  request.turns.push_back(result("call_a", "dark"));
  const Written out(request);
  EXPECT_EQ(out["messages"].at(1)["content"].raw(),
            R"([{"type":"thinking","thinking":"","signature":"EqQB"},{"type":"redacted_thinking","data":"EmwK"},)"
            R"({"type":"tool_use","id":"call_a","name":"look","input":{}}])");
}

TEST(AnthropicRequest, LeavesNoTurnEmptyWhereThinkingHadToGo) {
  Notes reading;
  const auto request = read_request({.body = R"({"model":"claude-opus-5-5","messages":[{"role":"user","content":"a"},)"
                                             R"({"role":"assistant","content":[{"type":"thinking","thinking":"t"}]},)"
                                             R"({"role":"user","content":"b"}]})"},
                                    reading);
  ASSERT_TRUE(request);
  const Written out(*request);
  EXPECT_EQ(out["messages"].size(), 2U);
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/1/content/0"));
}

TEST(AnthropicRequest, UnderstandsProofsOfOtherVendorsThatItsClientKept) {
  const Seal seal{.dialect = DialectId::gemini, .issuer = "gemini", .raw = "CiQ="};
  const std::string body = R"({"model":"m","messages":[{"role":"assistant","content":[)"
                           R"({"type":"thinking","thinking":"t","signature":")" +
                           wrap_seal(seal) + R"("},{"type":"redacted_thinking","data":")" + wrap_seal(seal) +
                           R"(>"},{"type":"tool_use","id":"a","name":"f","input":{}}]}]})";
  Notes notes;
  const auto request = read_request({.body = body}, notes);
  ASSERT_TRUE(request);
  const auto& parts = request->turns.at(0).parts;
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].seal, seal);
  EXPECT_EQ(parts[1].seal, seal);
  EXPECT_NE(parts[1].as<ToolCall>(), nullptr);
}

}  // namespace
}  // namespace sluice::anthropic
