// SPDX-License-Identifier: MIT
#include "gateway/demo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "gateway/example_json.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t now = 1'764'000'000;

Turn said(Role role, std::string text) {
  Turn turn{.role = role};
  turn.parts.push_back({.body = Text{.text = std::move(text)}});
  return turn;
}
ChatRequest asked(std::string text) {
  ChatRequest request{.model = "demo"};
  request.turns = {said(Role::system, "Be brief."), said(Role::user, std::move(text))};
  return request;
}
std::string text_of(const Reply& reply, std::size_t choice = 0) {
  std::string all;
  for (const Part& part : reply.choices.at(choice).parts) {
    if (const auto* text = part.as<Text>()) all += text->text;
  }
  return all;
}
const ToolCall& call_of(const Reply& reply) {
  return *reply.choices.at(0).parts.at(0).as<ToolCall>();
}
Tool weather() {
  return {.name = "get_weather",
          .description = "weather of a city",
          .schema = R"({"type":"object","required":["city","unit"],"properties":{"city":{"type":"string"},)"
                    R"("unit":{"enum":["celsius"]},"days":{"type":"integer"}}})"};
}

TEST(Demo, SaysWhoItIsAndWhatWasAsked) {
  const Reply reply = demo_reply(asked("Tell me about tides on Europa, please"), now);
  EXPECT_THAT(text_of(reply), StartsWith("I am the demo model that is built into Sluice"));
  EXPECT_THAT(text_of(reply), HasSubstr("about Europa: \"Tell me about tides on Europa, please\""));
  EXPECT_EQ(reply.model, "demo");
  EXPECT_EQ(reply.created, now);
  EXPECT_EQ(reply.choices.at(0).stop.kind, StopKind::end);
  EXPECT_TRUE(reply.usage.estimated);
  EXPECT_GT(reply.usage.input.value(), 8);
  EXPECT_GT(reply.usage.output.value(), 20);
}

TEST(Demo, GivesTheSameAnswerToTheSameQuestionAndAnotherToAnother) {
  EXPECT_EQ(demo_reply(asked("a"), now), demo_reply(asked("a"), now));
  EXPECT_NE(demo_reply(asked("a"), now).id, demo_reply(asked("b"), now).id);
  ChatRequest split = asked("ab"), joined = asked("a");
  joined.turns.push_back(said(Role::user, "b"));
  EXPECT_NE(demo_reply(split, now).id, demo_reply(joined, now).id);
}

TEST(Demo, AnswersEvenWhenNothingWasAsked) {
  EXPECT_THAT(text_of(demo_reply(ChatRequest{}, now)), HasSubstr("You asked nothing in words."));
  ChatRequest picture = asked("");
  picture.turns[1].parts.push_back({.body = Media{.data = "https://example.com/a.png"}});
  EXPECT_THAT(text_of(demo_reply(picture, now)), HasSubstr("With it came 1 file."));
}

TEST(Demo, CallsAToolWithArgumentsOfItsSchema) {
  ChatRequest request = asked("What is the weather in Paris tomorrow?");
  request.tools = {{.name = "send_mail", .schema = R"({"type":"object"})"}, weather()};
  const Reply reply = demo_reply(request, now);
  EXPECT_EQ(call_of(reply).name, "get_weather") << "the question names it";
  EXPECT_EQ(call_of(reply).arguments, R"({"city":"Paris","unit":"celsius"})");
  EXPECT_THAT(call_of(reply).id, StartsWith("call_"));
  EXPECT_EQ(reply.choices[0].stop.kind, StopKind::tool_calls);
}

TEST(Demo, HonoursTheToolChoice) {
  ChatRequest request = asked("What is the weather in Paris?");
  request.tools = {weather(), {.kind = ToolKind::custom, .name = "shell"}};
  request.tool_choice = ToolChoice{.kind = ChoiceKind::one, .names = {"shell"}};
  EXPECT_EQ(call_of(demo_reply(request, now)).name, "shell");
  EXPECT_EQ(call_of(demo_reply(request, now)).arguments, "What is the weather in Paris?") << "free text";
  request.tool_choice = ToolChoice{.kind = ChoiceKind::none};
  EXPECT_THAT(text_of(demo_reply(request, now)), StartsWith("I am the demo model"));
  request.tool_choice.reset();
  request.tools = {{.name = "web_search", .vendor_raw = R"({"type":"web_search"})"}};
  EXPECT_THAT(text_of(demo_reply(request, now)), StartsWith("I am the demo model")) << "not ours to call";
}

TEST(Demo, TellsWhatTheToolAnswered) {
  ChatRequest request = asked("What is the weather in Paris?");
  request.tools = {weather()};
  Turn call{.role = Role::assistant}, result{.role = Role::tool};
  call.parts = demo_reply(request, now).choices[0].parts;
  ToolResult answer{.call_id = call.parts[0].as<ToolCall>()->id, .name = "get_weather"};
  answer.parts.push_back({.body = Text{.text = "18 degrees,\nsunny"}});
  result.parts.push_back({.body = answer});
  request.turns.push_back(call);
  request.turns.push_back(result);
  EXPECT_EQ(text_of(demo_reply(request, now)), "The tool get_weather answered: 18 degrees, sunny");
  request.turns.back().parts[0].as<ToolResult>()->is_error = true;
  EXPECT_THAT(text_of(demo_reply(request, now)), StartsWith("The tool get_weather failed"));
  request.turns.push_back(said(Role::user, "And in Oslo?"));
  EXPECT_EQ(call_of(demo_reply(request, now)).arguments, R"({"city":"Oslo","unit":"celsius"})");
}

TEST(Demo, SpeaksJsonWhenAsked) {
  ChatRequest request = asked("Describe Rome");
  request.format = OutputFormat{.kind = FormatKind::json_object};
  EXPECT_EQ(text_of(demo_reply(request, now)), R"({"model":"demo","topic":"Rome"})");
  request.format = OutputFormat{.kind = FormatKind::json_schema,
                                .schema = R"({"type":"object","required":["name","size"],"properties":{)"
                                          R"("name":{"type":"string"},"size":{"type":"number"}}})"};
  EXPECT_EQ(text_of(demo_reply(request, now)), R"({"name":"Rome","size":1})");
}

TEST(Demo, StopsWhereItIsTold) {
  ChatRequest request = asked("x");
  const std::string whole = text_of(demo_reply(request, now));
  request.stop = {"Sluice", "built"};
  const Reply stopped = demo_reply(request, now);
  EXPECT_EQ(text_of(stopped), "I am the demo model that is ");
  EXPECT_EQ(stopped.choices[0].stop.kind, StopKind::stop_sequence);
  EXPECT_EQ(stopped.choices[0].stop.sequence, "built");
  request.stop.clear();
  request.max_output = 3;
  const Reply cut = demo_reply(request, now);
  EXPECT_EQ(text_of(cut), "I am the");
  EXPECT_EQ(cut.usage.output, 3);
  EXPECT_EQ(cut.choices[0].stop.kind, StopKind::length);
  request.max_output = 10'000;
  EXPECT_EQ(text_of(demo_reply(request, now)), whole);
}

TEST(Demo, GivesSeveralChoicesButNotAnyNumber) {
  ChatRequest request = asked("x");
  request.sampling.n = 3;
  const Reply reply = demo_reply(request, now);
  ASSERT_EQ(reply.choices.size(), 3u);
  EXPECT_NE(text_of(reply, 0), text_of(reply, 1));
  request.sampling.n = 1'000'000'000;
  EXPECT_EQ(demo_reply(request, now).choices.size(), 16u);
}

TEST(Demo, StreamsWordByWordWhatItWouldSayWhole) {
  ChatRequest text = asked("Grüße aus München 🙂🙂🙂🙂🙂🙂🙂"), tool = asked("weather in Paris"), several = asked("x");
  tool.tools = {weather()};
  several.sampling.n = 2;
  for (const auto& request : {text, tool, several}) {
    const Reply whole = demo_reply(request, now);
    Grammar grammar;
    Fold fold;
    std::size_t deltas = 0;
    for (const Event& event : demo_events(whole)) {
      EXPECT_EQ(grammar.check(event), "");
      if (const auto* delta = std::get_if<Delta>(&event)) {
        ++deltas;
        EXPECT_TRUE(json::valid(json::quote(delta->text)));
        EXPECT_EQ(json::unescape(json::quote(delta->text).substr(1, json::quote(delta->text).size() - 2)), delta->text)
            << "no character is torn apart";
      }
      fold.add(event);
    }
    EXPECT_EQ(grammar.check_end(), "");
    EXPECT_GE(deltas, 3u);
    const Event second = demo_events(whole).at(1);
    const auto* early = std::get_if<UsageSeen>(&second);
    ASSERT_NE(early, nullptr) << "heads of some dialects tell it";
    EXPECT_EQ(early->usage.input, whole.usage.input);
    EXPECT_EQ(fold.take(), whole);
  }
}

TEST(ExampleJson, FollowsTypeEnumDefaultAndBounds) {
  const auto example = [](std::string_view schema) { return example_json(schema, "word", 4); };
  EXPECT_EQ(example(R"({"type":"string"})"), R"("word")");
  EXPECT_EQ(example(R"({"type":"STRING","maxLength":2})"), R"("wo")");
  EXPECT_EQ(example(R"({"type":"string","minLength":6})"), R"("word..")");
  EXPECT_EQ(example(R"({"type":"string","format":"date"})"), R"("2026-01-01")");
  EXPECT_EQ(example(R"({"enum":["a","b","c"]})"), R"("b")");
  EXPECT_EQ(example(R"({"const":{"a": 1}})"), R"({"a": 1})");
  EXPECT_EQ(example(R"({"type":"integer","default":7})"), "7");
  EXPECT_EQ(example(R"({"type":"integer","minimum":3})"), "3");
  EXPECT_EQ(example(R"({"type":"integer","maximum":-2})"), "-2");
  EXPECT_EQ(example(R"({"type":"integer","exclusiveMinimum":4,"multipleOf":5})"), "5");
  EXPECT_EQ(example(R"({"type":"number","exclusiveMaximum":1})"), "0.5");
  EXPECT_EQ(example(R"({"type":["null","boolean"]})"), "true");
  EXPECT_EQ(example(R"({"type":"null"})"), "null");
  EXPECT_EQ(example(R"({"type":"array","items":{"type":"integer"},"minItems":2})"), "[1,1]");
  EXPECT_EQ(example(R"({"type":"array","maxItems":0})"), "[]");
  EXPECT_EQ(example(R"({"anyOf":[{"type":"null"},{"type":"integer"}]})"), "1");
  EXPECT_EQ(example(R"({"properties":{"a":{"type":"boolean"},"b":{}}})"), R"({"a":true,"b":"word"})");
  EXPECT_EQ(example(R"({"properties":{"a":{},"b":{}},"required":["b"]})"), R"({"b":"word"})");
  EXPECT_EQ(example(R"({"$ref":"#/$defs/A","$defs":{"A":{"type":"integer"}}})"), "1");
  for (const auto* broken : {"", "[", "3", "\"x\"", "true"}) EXPECT_EQ(example(broken), "{}") << broken;
}

TEST(ExampleJson, EndsHoweverTheSchemaRefersToItself) {
  for (const auto* schema :
       {R"({"$ref":"#"})", R"({"$ref":"#/nowhere"})", R"({"anyOf":[{"$ref":"#"}]})",
        R"({"type":"object","properties":{"next":{"$ref":"#"}}})",
        R"({"type":"object","required":["next"],"properties":{"next":{"$ref":"#"}}})",
        R"({"type":"array","items":{"$ref":"#"}})", R"({"type":"array","minItems":8,"items":{"$ref":"#"}})",
        R"({"required":["a","b"],"properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}})"}) {
    const std::string example = example_json(schema, "word", 0);
    EXPECT_TRUE(json::valid(example)) << schema;
    EXPECT_LT(example.size(), 100'000u) << schema;
  }
}

}  // namespace
}  // namespace sluice
