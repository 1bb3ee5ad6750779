// SPDX-License-Identifier: MIT
#include "dialects/kept_turn.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/tool_id.h"
#include "model/fold.h"

namespace sluice {
namespace {

Part thought(std::string text, std::string proof) {
  return {.body = Reasoning{.text = std::move(text)}, .seal = Seal{.raw = std::move(proof)}};
}
Part words(std::string text) {
  return {.body = Text{.text = std::move(text)}};
}
Part tool(std::string id, std::string arguments = "{}") {
  return {.body = ToolCall{.id = std::move(id), .name = "f", .arguments = std::move(arguments)}};
}
Turn assistant(std::vector<Part> parts) {
  return {.role = Role::assistant, .parts = std::move(parts)};
}

// What a client that keeps nothing extra sends back of these parts.
Turn dropped(const std::vector<Part>& parts) {
  Turn out = assistant({});
  std::string text;
  for (const Part& part : parts) {
    if (const auto* one = part.as<Text>()) text += one->text;
  }
  if (!text.empty()) out.parts.push_back(words(text));
  for (const Part& part : parts) {
    if (part.as<ToolCall>()) out.parts.push_back({.body = part.body});
  }
  return out;
}

KeptTurn recorded(const std::vector<Part>& parts) {
  TurnRecorder recorder("e1");
  for (const Event& event : unfold({.choices = {{.parts = parts}}})) recorder.add(event);
  return recorder.turns().empty() ? KeptTurn{} : recorder.turns().front();
}

const std::vector<std::vector<Part>> turns = {
    {thought("Let me see.", "sig1"), words("I will look."), tool("c1")},
    {thought("", "only a proof"), tool("c1"), tool("c2")},
    {thought("a", "s1"), words("first"), thought("b", "s2"), words("second, and longer"), tool("c1", R"({"x":1})")},
    {thought("plain", "s"), words("An answer that calls nothing.")},
    {thought("plain", "s"), words("One and "), words("two and "), words("three, all in blocks")},
};

TEST(KeptTurn, WhatTheClientDroppedComesBackInItsPlace) {
  for (const auto& parts : turns) {
    for (const KeptTurn& kept : {kept_turn(parts, "e1", 0), recorded(parts)}) {
      ASSERT_TRUE(kept.worth_keeping());
      Turn turn = dropped(parts);
      const std::string key = recall_key(turn);
      ASSERT_FALSE(key.empty());
      const auto keys = kept.keys();
      EXPECT_NE(std::ranges::find(keys, key), keys.end()) << key;
      ASSERT_TRUE(restore(turn, kept));
      EXPECT_EQ(turn.parts, parts);
      EXPECT_EQ(recall_key(turn), "");  // it needs nothing more
    }
  }
}

TEST(KeptTurn, ProofsOnTextsAndCallsComeBackToo) {
  std::vector<Part> parts = {words("one"), words(""), tool("c1"), tool("c2")};
  parts[1].seal = Seal{.raw = "on an empty text"};
  parts[2].seal = Seal{.raw = "on the first call"};
  Turn turn = dropped(parts);
  const KeptTurn kept = recorded(parts);
  ASSERT_TRUE(kept.worth_keeping());
  ASSERT_TRUE(restore(turn, kept));
  EXPECT_EQ(turn.parts, parts);
}

TEST(KeptTurn, AThoughtWithoutEndIsNotKept) {
  for (const int mebibytes : {1, 40}) {
    TurnRecorder recorder("x");
    recorder.add(BlockStart{.part = {.body = Reasoning{}}});
    for (int i = 0; i < mebibytes * 16; ++i) recorder.add(Delta{.text = std::string(std::size_t{1} << 16, 'm')});
    recorder.add(BlockStop{.seal = Seal{.raw = "proof"}});
    ASSERT_EQ(recorder.turns().size(), 1U);
    const KeptTurn& turn = recorder.turns().front();
    EXPECT_EQ(turn.worth_keeping(), mebibytes == 1) << "half a thought would not fit its proof";
    EXPECT_LE(turn.weight(), std::size_t{2} << 20);
  }
}

TEST(KeptTurn, AnotherTurnIsLeftAlone) {
  const KeptTurn kept = kept_turn(turns[0], "e1", 0);
  for (const Turn& other : {assistant({words("I will look."), tool("c9")}), assistant({words("I will look.")}),
                            assistant({tool("c1"), tool("c2")}), assistant({tool("c1"), tool("c1")})}) {
    Turn turn = other;
    EXPECT_FALSE(restore(turn, kept));
    EXPECT_EQ(turn, other);
  }
  const KeptTurn text = kept_turn(turns[3], "e1", 0);
  Turn edited = assistant({words("An answer that calls nothing!")});
  EXPECT_FALSE(restore(edited, text));
}

TEST(KeptTurn, AnEditedTextKeepsItsCallsAndTheThoughtBeforeThem) {
  Turn turn = assistant({words("Edited by the client."), tool("c1")});
  ASSERT_TRUE(restore(turn, kept_turn(turns[0], "e1", 0)));
  EXPECT_EQ(turn.parts,
            (std::vector<Part>{thought("Let me see.", "sig1"), words("Edited by the client."), tool("c1")}));
  Turn bare = assistant({tool("c1")});
  ASSERT_TRUE(restore(bare, kept_turn(turns[0], "e1", 0)));
  EXPECT_EQ(bare.parts, (std::vector<Part>{thought("Let me see.", "sig1"), tool("c1")}));
}

TEST(KeptTurn, NothingIsAskedForWhatNeedsNothing) {
  EXPECT_EQ(recall_key(assistant({thought("x", "y"), tool("c1")})), "");
  EXPECT_EQ(recall_key({.role = Role::user, .parts = {words("hello")}}), "");
  EXPECT_EQ(recall_key(assistant({})), "");
  EXPECT_FALSE(kept_turn({words("a"), tool("c1")}, "e1", 0).worth_keeping());
  EXPECT_TRUE(kept_turn({{.body = Reasoning{.text = "unsigned"}}, tool("c1")}, "e1", 0).worth_keeping());
}

TEST(KeptTurn, ACallIsKnownByWhateverIdTheClientWasGiven) {
  std::vector<Part> parts = {tool(""), tool("not portable: "), tool("c3")};
  parts[0].seal = Seal{.raw = "s1"};
  parts[0].as<ToolCall>()->id_made_up = true;
  for (const std::string_view prefix : {"call_", "toolu_"}) {
    const KeptTurn kept = recorded(parts);
    Turn turn = dropped(parts);
    turn.parts[0].as<ToolCall>()->id = answer_tool_id(prefix, "e1", 0, 0);
    turn.parts[1].as<ToolCall>()->id = to_portable_tool_id("not portable: ", prefix);
    const auto keys = kept.keys();
    EXPECT_NE(std::ranges::find(keys, recall_key(turn)), keys.end());
    ASSERT_TRUE(restore(turn, kept));
    EXPECT_EQ(turn.parts[0].seal, parts[0].seal);
    EXPECT_TRUE(turn.parts[0].as<ToolCall>()->id_made_up);
    EXPECT_FALSE(turn.parts[2].seal);
  }
}

TEST(KeptTurn, AnUnprovenThoughtThatCameBackIsNotToldTwice) {
  Turn turn = assistant({{.body = Reasoning{.text = "Let me see."}}, words("I will look."), tool("c1")});
  EXPECT_EQ(recall_key(turn), "call:c1");
  ASSERT_TRUE(restore(turn, kept_turn(turns[0], "e1", 0)));
  EXPECT_EQ(turn.parts, turns[0]);
}

TEST(KeptTurn, TextsAreToldApartBySizeAndEnds) {
  const std::string long_one(300, 'a');
  TextPrint whole, pieces, other;
  whole.add(long_one);
  for (int i = 0; i < 30; ++i) pieces.add(long_one.substr(static_cast<std::size_t>(i) * 10, 10));
  other.add(long_one + "b");
  EXPECT_EQ(whole, pieces);
  EXPECT_EQ(whole.key(), pieces.key());
  EXPECT_NE(whole.key(), other.key());
}

}  // namespace
}  // namespace sluice
