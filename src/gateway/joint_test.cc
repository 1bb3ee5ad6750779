// SPDX-License-Identifier: MIT
#include "gateway/joint.h"

#include <gtest/gtest.h>

#include "model/fold.h"
#include "model/grammar.h"

namespace sluice {
namespace {

using Events = std::vector<Event>;

BlockStart text_at(std::int64_t block) {
  return {.block = block, .part = {.body = Text{}}};
}
BlockStart thought_at(std::int64_t block) {
  return {.block = block, .part = {.body = Reasoning{}}};
}
BlockStart call_at(std::int64_t block) {
  return {.block = block, .part = {.body = ToolCall{.id = "c", .name = "f"}}};
}
Begin begins(std::string id) {
  return {.reply = {.id = std::move(id)}};
}
Usage used(std::int64_t input, std::int64_t output) {
  return {.input = input, .output = output, .raw = "{}"};
}

// Breaks `first` off before its event `cut`, and goes on with `second`.
struct Joined {
  Joint joint;
  Notes notes;
  Events all;
  bool open = false;

  Joined(Events first, std::size_t cut, Events second, const Usage& estimate = {}) {
    first.resize(cut);
    joint.pass(first, notes);
    all = first;
    open = joint.open();
    if (!open) return;
    joint.go_on(estimate, notes);
    // Piece by piece, as a stream comes.
    for (Event& event : second) {
      Events one{std::move(event)};
      joint.pass(one, notes);
      all.insert(all.end(), one.begin(), one.end());
    }
  }
  Reply reply() {
    Grammar grammar;
    Fold fold;
    for (const Event& event : all) {
      EXPECT_EQ(grammar.check(event), "");
      fold.add(event);
    }
    EXPECT_EQ(grammar.check_end(), "");
    auto reply = fold.take();
    EXPECT_TRUE(reply);
    return reply ? *reply : Reply();
  }
};

std::string text_of(const Reply& reply) {
  std::string out;
  for (const Part& part : reply.choices.at(0).parts) {
    if (const auto* text = part.as<Text>()) out += text->text;
  }
  return out;
}

Events says(const std::string& id, const std::string& one, const std::string& two, const Usage& usage) {
  return {begins(id),  text_at(0), Delta{.text = one}, Delta{.text = two},
          BlockStop{}, Finish{},   UsageSeen{usage},   End{}};
}

TEST(Joint, LeavesOneStreamAlone) {
  Events events = says("a", "x", "y", used(1, 2));
  const std::size_t count = events.size();
  Joint joint;
  Notes notes;
  joint.pass(events, notes);
  EXPECT_EQ(events.size(), count);
  EXPECT_EQ(std::get<UsageSeen>(events[6]).usage.raw, "{}");
  EXPECT_FALSE(joint.open());
  EXPECT_TRUE(notes.empty());
}

TEST(Joint, IsOneAnswerWhereverTheFirstBreaks) {
  for (std::size_t cut = 0; cut <= 5; ++cut) {
    Joined joined(says("a", "one ", "two ", used(1, 2)), cut, says("b", "three", "", used(5, 6)));
    ASSERT_TRUE(joined.open) << cut;
    const Reply reply = joined.reply();
    EXPECT_EQ(reply.id, cut == 0 ? "b" : "a") << cut;
    const std::string before = std::vector<std::string>{"", "", "", "one ", "one two ", "one two "}[cut];
    EXPECT_EQ(text_of(reply), before + "three") << cut;
    EXPECT_EQ(reply.choices[0].parts.size(), cut == 5 ? 2U : 1U) << cut;
    EXPECT_EQ(joined.notes.all().size(), cut == 0 ? 0U : 1U);
  }
}

TEST(Joint, IsShutOnceTheModelIsDone) {
  EXPECT_FALSE(Joined(says("a", "one", "two", {}), 6, {}).open);
  EXPECT_FALSE(Joined(says("a", "one", "two", {}), 7, {}).open);
}

TEST(Joint, AddsUpWhatBothUsed) {
  Events first{begins("a"), UsageSeen{used(10, 1)}, text_at(0), Delta{.text = "one "}};
  Joined joined(first, 4, says("b", "two", "", {.input = 20, .reasoning = 3, .raw = "{}"}), used(99, 7));
  const Usage usage = joined.reply().usage;
  EXPECT_EQ(usage.input, 30);  // told by both
  EXPECT_EQ(usage.output, 7);  // the first had only begun to count
  EXPECT_EQ(usage.reasoning, 3);
  EXPECT_TRUE(usage.estimated);
  EXPECT_EQ(usage.raw, "") << "nobody wrote it so";
}

TEST(Joint, TellsWhatTheFirstUsedWhereTheSecondIsSilent) {
  Joined joined({begins("a"), text_at(0), Delta{.text = "x"}}, 3,
                {begins("b"), text_at(0), Delta{.text = "y"}, BlockStop{}, Finish{}, End{}}, used(4, 1));
  EXPECT_EQ(joined.reply().usage.input, 4);
}

TEST(Joint, MayBreakMoreThanOnce) {
  Joined joined({begins("a"), text_at(0), Delta{.text = "1"}}, 3, {begins("b"), text_at(0), Delta{.text = "2"}},
                used(10, 1));
  ASSERT_TRUE(joined.joint.open());
  EXPECT_EQ(joined.joint.said(), "12");
  EXPECT_EQ(joined.joint.said_here(), "2");
  joined.joint.go_on(used(11, 1), joined.notes);
  Events third = says("c", "3", "", used(12, 5));
  joined.joint.pass(third, joined.notes);
  joined.all.insert(joined.all.end(), third.begin(), third.end());
  const Reply reply = joined.reply();
  EXPECT_EQ(text_of(reply), "123");
  EXPECT_EQ(reply.usage.input, 33);
  EXPECT_EQ(reply.usage.output, 7);
}

TEST(Joint, SaysTheSameBlanksOnce) {
  const auto joined = [](const std::string& said, const std::string& one, const std::string& two) {
    Joined out({begins("a"), text_at(0), Delta{.text = said}}, 3, says("b", one, two, {}));
    return text_of(out.reply());
  };
  EXPECT_EQ(joined("so. ", " And", " on"), "so. And on");
  EXPECT_EQ(joined("so.\n\n", "\n", "\n- x"), "so.\n\n- x");
  EXPECT_EQ(joined("so.\n\n", "\n", "- x"), "so.\n\n- x");
  EXPECT_EQ(joined("so.", " And", " on"), "so. And on");
  EXPECT_EQ(joined("a ", "b", " c"), "a b c");
}

TEST(Joint, IsShutInsideThoughtsAndOpenBehindThem) {
  const Events first{begins("a"),         thought_at(0),
                     Delta{.text = "hm"}, BlockStop{.seal = Seal{.raw = "s"}},
                     text_at(1),          Delta{.block = 1, .text = "So"}};
  EXPECT_FALSE(Joined(first, 2, {}).open);
  EXPECT_FALSE(Joined(first, 3, {}).open);
  for (const std::size_t cut : {4U, 5U, 6U}) {
    Joined joined(first, cut,
                  {begins("b"), thought_at(0), Delta{.text = "again"}, BlockStop{.seal = Seal{.raw = "t"}}, text_at(1),
                   Delta{.block = 1, .text = " it is"}, BlockStop{.block = 1}, Finish{}, End{}});
    const Reply reply = joined.reply();
    ASSERT_EQ(reply.choices[0].parts.size(), 2U) << cut;
    EXPECT_EQ(reply.choices[0].parts[0].as<Reasoning>()->text, "hm");
    EXPECT_EQ(reply.choices[0].parts[0].seal->raw, "s");
    EXPECT_EQ(text_of(reply), cut == 6 ? "So it is" : " it is");
    EXPECT_EQ(joined.notes.all().back().kind, NoteKind::lost) << "the second's thoughts";
  }
}

TEST(Joint, IsShutOnceATooIsCalledOrAnythingElseBegins) {
  EXPECT_FALSE(Joined({begins("a"), call_at(0)}, 2, {}).open);
  EXPECT_FALSE(
      Joined({begins("a"), text_at(0), Delta{.text = "x"}, BlockStop{}, call_at(1), BlockStop{.block = 1}}, 6, {})
          .open);
  EXPECT_FALSE(Joined({begins("a"), BlockStart{.part = {.body = Refusal{}}}}, 2, {}).open);
  EXPECT_FALSE(Joined({begins("a"), BlockStart{.choice = 1, .part = {.body = Text{}}}}, 2, {}).open);
}

TEST(Joint, TheSecondMayCallTools) {
  for (const bool text_first : {true, false}) {
    Events second{begins("b")};
    if (text_first) {
      second.insert(second.end(), {text_at(0), Delta{.text = "y"}, BlockStop{}});
    }
    const std::int64_t block = text_first ? 1 : 0;
    second.insert(second.end(),
                  {call_at(block), Delta{.block = block, .text = "{}"}, BlockStop{.block = block}, Finish{}, End{}});
    Joined joined({begins("a"), text_at(0), Delta{.text = "x"}}, 3, second);
    const Reply reply = joined.reply();
    ASSERT_EQ(reply.choices[0].parts.size(), 2U);
    EXPECT_EQ(text_of(reply), text_first ? "xy" : "x");
    EXPECT_EQ(reply.choices[0].parts[1].as<ToolCall>()->arguments, "{}");
    EXPECT_FALSE(joined.joint.open());
  }
}

TEST(Joint, SourcesPointIntoTheWholeText) {
  Joined joined(
      {begins("a"), text_at(0), Delta{.text = "h\xc3\xa9 "}}, 3,
      {begins("b"), text_at(0), Delta{.text = "you"},
       CitationSeen{.citation = {.url = "u", .start = 0, .end = 3, .raw = "{}"}}, BlockStop{}, Finish{}, End{}});
  const Reply reply = joined.reply();
  const Citation& cited = reply.choices[0].parts[0].as<Text>()->citations.at(0);
  EXPECT_EQ(cited.start, 3);
  EXPECT_EQ(cited.end, 6);
  EXPECT_EQ(cited.raw, "");
}

TEST(Joint, LeavesOutWhatOnlyTheSecondKnows) {
  Joined joined({begins("a"), text_at(0), Delta{.text = "x"}}, 3,
                {begins("b"), OpaqueEvent{.type = "t", .raw = "{}"}, Finish{}, End{}});
  EXPECT_EQ(text_of(joined.reply()), "x");
  EXPECT_EQ(joined.all.size(), 7U);  // begin, text, its delta, its end, finish, usage, end
}

TEST(Joint, KeepsNoMoreThanItMay) {
  Joint joint;
  Notes notes;
  Events events{begins("a"), text_at(0)};
  events.insert(events.end(), 1025, Delta{.text = std::string(1024, 'x')});
  joint.pass(events, notes);
  EXPECT_FALSE(joint.open());
  EXPECT_TRUE(joint.said().empty());
}

}  // namespace
}  // namespace sluice
