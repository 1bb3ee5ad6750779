// Laws of the model itself, which need no dialect.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "model/fold.h"
#include "model/grammar.h"
#include "model/notes.h"

namespace sluice {
namespace {

Reply rich_reply() {
  Part thinking{.body = Reasoning{.text = "hmm"}, .seal = Seal{.raw = "sig"}};
  Part text{.body = Text{.text = "Hello", .citations = {Citation{.url = "https://a.example"}}}};
  Part call{.body = ToolCall{.id = "call_1", .name = "f", .arguments = "{\"a\":1}"}};
  Part redacted{.body = Reasoning{.redacted = true}, .seal = Seal{.raw = "data"}};
  Choice choice{.parts = {thinking, redacted, text, call}, .stop = {.kind = StopKind::tool_calls, .raw = "tool_use"}};
  choice.extras.add(DialectId::openai_chat, "x", "1");
  choice.message_extras.add(DialectId::openai_chat, "y", "2");
  Choice second{.index = 1, .parts = {text}, .stop = {.kind = StopKind::end}, .logprobs = "{\"content\":[]}"};
  return {.id = "r1", .model = "m", .created = 5, .choices = {choice, second}, .usage = {.input = 3, .output = 4}};
}

TEST(Fold, OfUnfoldIsTheSameReply) {
  const Reply reply = rich_reply();
  Fold fold;
  Grammar grammar;
  for (const Event& event : unfold(reply)) {
    EXPECT_EQ(grammar.check(event), "");
    fold.add(event);
  }
  EXPECT_EQ(grammar.check_end(), "");
  EXPECT_EQ(fold.take(), reply);
}

TEST(Fold, WithoutAnEndIsBroken) {
  auto events = unfold(rich_reply());
  events.pop_back();
  Fold fold;
  for (const Event& event : events) fold.add(event);
  const auto reply = fold.take();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error()->fault, Fault::upstream_broken);
}

TEST(Fold, TakesWhatIsKnownOnlyAtTheEnd) {
  Begin begin{.reply = {.service_tier = "auto"}};
  begin.reply.extras.add(DialectId::openai_responses, "completed_at", "null");
  begin.reply.extras.add(DialectId::openai_responses, "store", "true");
  BlockStop stop;
  stop.extras.add(DialectId::openai_responses, "status", R"("completed")");
  End end{.service_tier = "default"};
  end.extras.add(DialectId::openai_responses, "completed_at", "17");
  Fold fold;
  for (const Event& event : std::vector<Event>{begin, BlockStart{.part = {.body = Text{}}}, stop, Finish{}, end}) {
    fold.add(event);
  }
  const auto reply = fold.take();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->service_tier, "default");
  EXPECT_EQ(reply->choices[0].parts[0].extras, stop.extras);
  ASSERT_EQ(reply->extras.members.size(), 2U);  // the later word replaced the earlier one
  EXPECT_EQ(reply->extras.members[0].key, "store");
  EXPECT_EQ(reply->extras.members[1].raw, "17");
}

TEST(Grammar, RefusesWhatIsNoStream) {
  EXPECT_NE(Grammar().check(Delta{}), "");
  EXPECT_NE(Grammar().check(End{}), "");
  Grammar open;
  EXPECT_EQ(open.check(Begin{}), "");
  EXPECT_NE(open.check(Begin{}), "");
  EXPECT_NE(open.check(Delta{}), "");
  EXPECT_EQ(open.check(BlockStart{}), "");
  EXPECT_NE(open.check(BlockStart{.block = 1}), "");
  EXPECT_NE(open.check(Finish{}), "");
  EXPECT_NE(open.check(End{}), "");
  EXPECT_EQ(open.check(BlockStop{}), "");
  EXPECT_NE(open.check(End{}), "");
  EXPECT_NE(open.check_end(), "");
  EXPECT_EQ(open.check(Finish{}), "");
  EXPECT_EQ(open.check(End{}), "");
  EXPECT_EQ(open.check_end(), "");
  EXPECT_NE(open.check(Ping{}), "");
}

TEST(Usage, MergesMemberByMember) {
  Usage usage{.input = 10, .output = 1};
  merge(usage, {.output = 7, .reasoning = 2});
  EXPECT_EQ(usage.input, 10);
  EXPECT_EQ(usage.output, 7);
  EXPECT_EQ(usage.total_output(), 9);
}

TEST(NotesHeader, StaysVisibleAndBounded) {
  Notes notes;
  notes.lost("/a\nb", "x");
  notes.restated("/c", "y");
  EXPECT_EQ(header_value(notes.all()), "lost /a?b; restated /c");
  for (int i = 0; i < 1000; ++i) notes.lost("/messages/" + std::to_string(i), "z");
  EXPECT_LE(header_value(notes.all()).size(), 2048u);
  EXPECT_TRUE(header_value(notes.all()).ends_with(" more"));
}

}  // namespace
}  // namespace sluice
