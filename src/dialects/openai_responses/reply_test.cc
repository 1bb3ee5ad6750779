// What the laws cannot see of whole answers. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "dialects/openai_responses/strict_client_test.h"

namespace sluice::openai_responses {
namespace {

using namespace trial;

TEST(ResponsesReply, RepeatsItsQuestionWhereTheUpstreamDidNot) {
  const std::string body =
      R"({"model":"m","input":"Hi","instructions":"Be brief.","temperature":0.70,"user":null,"stream":true,"store":true})";
  const auto members = json::scan_object(body);
  ASSERT_TRUE(members);
  Question asked = question;
  asked.asked = *members;
  Notes notes;
  const Reply plain{.origin = DialectId::anthropic, .choices = {{.parts = {{.body = Text{.text = "Hello"}}}}}};
  json::Document doc;
  const std::string text = write_reply(plain, asked, notes);
  const auto root = doc.parse(text);
  ASSERT_TRUE(root);
  EXPECT_TRUE((*root)["instructions"].equals("Be brief."));
  EXPECT_EQ((*root)["temperature"].raw(), "0.70");
  EXPECT_FALSE((*root)["input"]);
  EXPECT_FALSE((*root)["stream"]);
  // What the vendor's own types demand is always there.
  for (const std::string_view member :
       {"id", "object", "created_at", "status", "error", "incomplete_details", "instructions", "metadata", "model",
        "output", "parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p", "usage"}) {
    EXPECT_TRUE((*root)[member]) << member;
  }
  // An answer of this API repeats the question itself: nothing is added to it.
  const Reply own = *read_reply(R"({"id":"r","object":"response","status":"completed","output":[],"temperature":1})");
  const std::string again = write_reply(own, asked, notes);
  EXPECT_EQ(again.find("Be brief."), std::string::npos);
}

TEST(ResponsesReply, ItemsKeepTheirNamesAndProofs) {
  for (const laws::Sample& sample : laws::samples(laws::Kind::reply)) {
    if (sample.name != "openai_responses/reply_everything") continue;
    const auto reply = read_reply(sample.body);
    ASSERT_TRUE(reply);
    const auto& parts = reply->choices.at(0).parts;
    ASSERT_EQ(parts.size(), 10U);
    EXPECT_TRUE(parts[0].as<Reasoning>()->summary);
    EXPECT_FALSE(parts[0].seal);  // the proof is the item's: it stands on its last part
    EXPECT_EQ(parts[1].seal, (Seal{.dialect = DialectId::openai_responses, .raw = "gAAAAtrialproof=="}));
    EXPECT_EQ(parts[2].as<ServerTool>()->name, "web_search");
    EXPECT_EQ(parts[3].as<Text>()->citations.at(0).end, 22);
    EXPECT_EQ(parts[4].as<Refusal>()->text, "I will not say when the guards change.");
    EXPECT_TRUE(parts[5].as<Reasoning>()->redacted);
    EXPECT_EQ(parts[6].as<ToolCall>()->id, "call_1");
    EXPECT_EQ(parts[6].as<ToolCall>()->native_id, "fc_1");
    EXPECT_EQ(parts[7].as<ToolCall>()->kind, ToolKind::custom);
    EXPECT_EQ(parts[8].as<Media>()->data, "iVBORw0KGgo=");
    EXPECT_EQ(parts[9].as<Opaque>()->type, "compaction");
    EXPECT_EQ(reply->choices[0].stop.kind, StopKind::tool_calls);
    EXPECT_EQ(reply->usage.input, 40);
    EXPECT_EQ(reply->usage.cache_read, 64);
    EXPECT_EQ(reply->usage.cache_write_5m, 16);
    EXPECT_EQ(reply->usage.output, 60);
    EXPECT_EQ(reply->usage.reasoning, 30);
    return;
  }
  FAIL() << "no such sample";
}

TEST(ResponsesReply, AnErrorInsideAGoodStatusIsAnError) {
  const auto failed = read_reply(R"({"id":"r","status":"failed","error":{"code":"rate_limit_exceeded",
      "message":"Later."},"output":[]})");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error()->fault, Fault::upstream_limited);
  EXPECT_EQ(read_reply("[]").error()->fault, Fault::upstream_broken);
  EXPECT_EQ(read_reply(R"({"id":"r"})").error()->fault, Fault::upstream_broken);
}

}  // namespace
}  // namespace sluice::openai_responses
