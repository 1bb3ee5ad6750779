// The ladder of events, as strict clients take it. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <iostream>

#include "dialects/openai_responses/strict_client_test.h"

namespace sluice::openai_responses {
namespace {

using namespace trial;

TEST(ResponsesStream, EveryAnswerOfEveryDialectIsAWholeLadder) {
  const int tried = laws::for_every_answer([](const laws::Sample& sample, const std::vector<Event>& events) {
    EXPECT_EQ(Strict().take(written(events)), "") << sample.name;
  });
  std::cout << tried << " answers\n";
  EXPECT_GT(tried, 30);
}

TEST(ResponsesStream, WritesWhatAnotherVendorStreamed) {
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::anthropic, .id = "msg_1", .model = "claude"}},
      BlockStart{.part = {.body = Reasoning{}}},
      Delta{.text = "hmm"},
      BlockStop{.seal = Seal{.dialect = DialectId::anthropic, .raw = "proof"}},
      BlockStart{.block = 1, .part = {.body = Text{}}},
      Delta{.block = 1, .text = "a \"b\"\n"},
      BlockStop{.block = 1},
      BlockStart{.block = 2, .part = {.body = Text{}}},
      BlockStop{.block = 2},
      BlockStart{.block = 3, .part = {.body = ToolCall{.id = "toolu_1", .name = "f"}}},
      BlockStop{.block = 3},
      UsageSeen{.usage = {.input = 5, .cache_read = 3, .output = 4, .reasoning = 2}},
      Finish{.stop = {.kind = StopKind::tool_calls}},
      End{},
  });
  Strict client;
  EXPECT_EQ(client.take(out), "");
  EXPECT_EQ(client.final_status, "completed");
  for (const std::string_view event :
       {"response.created", "response.in_progress", "response.output_item.added", "response.output_item.done",
        "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.content_part.added",
        "response.output_text.delta", "response.output_text.done", "response.content_part.done",
        "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.completed"}) {
    EXPECT_GE(count(out, "event: " + std::string(event) + "\n"), 1U) << event;
  }
  EXPECT_EQ(count(out, "event: response.content_part.added\n"), 1U);  // the empty text is not told
  const auto reply = folded(read(out));
  ASSERT_TRUE(reply);
  const auto& parts = reply->choices.at(0).parts;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].seal, (Seal{.dialect = DialectId::anthropic, .raw = "proof"}));
  EXPECT_EQ(parts[2].as<ToolCall>()->id, "toolu_1");
  EXPECT_EQ(parts[2].as<ToolCall>()->arguments, "{}");
  EXPECT_EQ(reply->usage.total_input(), 8);
  EXPECT_EQ(reply->usage.reasoning, 2);
}

TEST(ResponsesStream, FreeTextCallsHaveTheirOwnEvents) {
  ToolCall call{.id = "call_1", .name = "apply_patch"};
  call.kind = ToolKind::custom;
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::openai_chat}},
      BlockStart{.part = {.body = call}},
      Delta{.text = "*** Begin"},
      Delta{.text = " Patch"},
      BlockStop{},
      Finish{.stop = {.kind = StopKind::tool_calls}},
      End{},
  });
  EXPECT_EQ(Strict().take(out), "");
  EXPECT_EQ(count(out, "event: response.custom_tool_call_input.delta\n"), 2U);
  EXPECT_EQ(count(out, R"("input":"*** Begin Patch")"), 3U);  // its own end, the item's, the response's
  EXPECT_EQ(folded(read(out))->choices.at(0).parts.at(0).as<ToolCall>()->kind, ToolKind::custom);
}

TEST(ResponsesStream, AFailureEndsWhatIsOpenAndIsNeverACompletion) {
  const Error error{.fault = Fault::upstream_timeout, .message = "Too slow.", .code = "stream_truncated"};
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::gemini}},
      BlockStart{.part = {.body = Text{}}},
      Delta{.text = "half a wor"},
      Failed{error},
  });
  Strict client;
  EXPECT_EQ(client.take(out), "");
  EXPECT_EQ(client.final_status, "failed");
  EXPECT_EQ(count(out, R"("status":"incomplete")"), 2U);
  const auto events = read(out);
  const auto* failed = std::get_if<Failed>(&events.back());
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->error.message, "Too slow.");
  EXPECT_EQ(failed->error.code, "stream_truncated");
  // Before there is a response, nothing can have failed but the stream itself.
  const std::string bare = written({Failed{{.fault = Fault::upstream_limited, .message = "Later."}}});
  EXPECT_EQ(Strict().take(bare), "");
  EXPECT_EQ(count(bare, "event: error\n"), 1U);
  EXPECT_EQ(std::get<Failed>(read(bare).back()).error.fault, Fault::upstream_limited);
}

TEST(ResponsesStream, ACallThatWasCutIsNotMadeWhole) {
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::openai_chat}},
      BlockStart{.part = {.body = ToolCall{.id = "call_1", .name = "f"}}},
      Delta{.text = "{\"a\":"},
      Failed{{.fault = Fault::upstream_broken, .message = "Cut."}},
  });
  EXPECT_EQ(count(out, "function_call_arguments.done"), 0U);
  EXPECT_EQ(count(out, R"("status":"incomplete")"), 2U);
}

TEST(ResponsesStream, CompletedMeansThatNothingIsMissing) {
  for (const auto& [kind, status] : {std::pair{StopKind::length, "incomplete"},
                                     {StopKind::content_filter, "incomplete"},
                                     {StopKind::malformed_tool, "incomplete"},
                                     {StopKind::refusal, "incomplete"},
                                     {StopKind::end, "completed"},
                                     {StopKind::stop_sequence, "completed"}}) {
    Strict client;
    EXPECT_EQ(client.take(written({Begin{.reply = {.origin = DialectId::anthropic}},
                                   BlockStart{.part = {.body = Text{}}}, Delta{.text = "x"}, BlockStop{},
                                   Finish{.stop = {.kind = kind, .origin = DialectId::anthropic}}, End{}})),
              "");
    EXPECT_EQ(client.final_status, status);
  }
}

TEST(ResponsesStream, KeepAliveIsAComment) {
  std::string out;
  stream_writer(question)->keep_alive(out);
  EXPECT_EQ(out.front(), ':');
  EXPECT_TRUE(read(out).size() == 1 && std::holds_alternative<Failed>(read(out).front()));
}

TEST(ResponsesStream, JsonWithLineBreaksStaysOneEvent) {
  const std::string body = "{\"model\":\"m\",\"input\":\"x\",\"tools\":[\n  {\"type\":\"web_search\"}\r\n]}";
  const auto members = json::scan_object(body);
  ASSERT_TRUE(members);
  Question asked = question;
  asked.asked = *members;
  const std::string out = written({Begin{.reply = {.origin = DialectId::gemini}}, End{}}, asked);
  EXPECT_EQ(Strict().take(out), "");
}

}  // namespace
}  // namespace sluice::openai_responses
