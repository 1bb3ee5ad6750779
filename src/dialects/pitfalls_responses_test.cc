// Responses out of upstreams that do not keep to the book, and Responses that do not (docs/pitfalls.md).
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "dialects/pitfalls_test.h"

namespace sluice::pitfalls {
namespace {

const Dialect& responses = *dialect(DialectId::openai_responses);
const Dialect& chat = *dialect(DialectId::openai_chat);

std::string lines(std::initializer_list<std::string_view> datas) {
  std::string out;
  for (const std::string_view data : datas) out += "data: " + std::string(data) + "\n\n";
  return out;
}
std::vector<Event> read(const Dialect& dialect, std::initializer_list<std::string_view> datas) {
  return laws::read_stream(dialect, "text/event-stream", {lines(datas)});
}

constexpr std::string_view created =
    R"({"type":"response.created","response":{"id":"r","model":"m","status":"in_progress","output":[]}})";
constexpr std::string_view completed = R"({"type":"response.completed","response":{"id":"r","status":"completed"}})";

// One reseller gives an item another name in every event: its place is what counts.
TEST(PitfallResponses, NamesOfItemsMayChangeWithEveryEvent) {
  const auto reply = folded(read(
      responses,
      {created,
       R"({"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"a1","call_id":"c1","name":"f","arguments":""}})",
       R"({"type":"response.function_call_arguments.delta","output_index":0,"item_id":"a2","delta":"{\"x\":"})",
       R"({"type":"response.function_call_arguments.delta","output_index":0,"item_id":"a3","delta":"1}"})",
       R"({"type":"response.function_call_arguments.done","output_index":0,"item_id":"a4","arguments":"{\"x\":1}"})",
       R"({"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"a5","call_id":"c1","name":"f","arguments":"{\"x\":1}"}})",
       R"({"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"b1","call_id":"c2","name":"g","arguments":""}})",
       R"({"type":"response.function_call_arguments.delta","output_index":1,"item_id":"b2","delta":"{}"})",
       R"({"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"b3","call_id":"c2","name":"g","arguments":"{}"}})",
       completed}));
  ASSERT_TRUE(reply) << reply.error()->detail;
  EXPECT_EQ(said(reply).calls, R"(f {"x":1};g {};)");
  EXPECT_EQ(reply->choices[0].parts[1].as<ToolCall>()->id, "c2");
}

TEST(PitfallResponses, ArgumentsThatOnlyTheirEndSaysAreWholeForEveryClient) {
  const auto events = read(
      responses,
      {created,
       R"({"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"a","call_id":"c1","name":"f","arguments":""}})",
       R"({"type":"response.function_call_arguments.done","output_index":0,"item_id":"a","arguments":"{\"x\":1}"})",
       R"({"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"a","call_id":"c1","name":"f"}})",
       completed});
  for (const Dialect* client : conversations()) {
    EXPECT_EQ(said(folded(reread(*client, events))).calls, R"(f {"x":1};)") << client->name();
  }
}

// What is new tomorrow ends no stream of today.
TEST(PitfallResponses, EventsThatNobodyKnowsEndNothing) {
  const auto reply = folded(read(
      responses,
      {created, R"({"type":"response.tide_table.delta","output_index":0,"delta":"x"})", R"({"type":"response"})",
       R"({"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"m","delta":"Say response.completed."})",
       R"({"type":"responses.of.another.kind"})", completed}));
  ASSERT_TRUE(reply) << reply.error()->detail;
  EXPECT_EQ(said(reply).text, "Say response.completed.");
}

constexpr std::string_view half = R"({"id":"1","choices":[{"index":0,"delta":{"content":"Half"}}]})";
constexpr std::string_view a_call =
    R"({"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}}]})";

TEST(PitfallResponses, AnUpstreamThatNamesNoReasonIsFinalisedByItsDone) {
  const std::string out = laws::write_stream(responses, read(chat, {half, a_call, "[DONE]"}));
  for (const std::string_view event :
       {"response.output_text.done", "response.content_part.done", "response.output_item.done",
        "response.function_call_arguments.done", "response.completed"}) {
    EXPECT_TRUE(out.contains("event: " + std::string(event) + "\n")) << event;
  }
  EXPECT_FALSE(out.contains("response.failed"));
}

TEST(PitfallResponses, AnUpstreamThatDiedIsAFailedResponse) {
  for (const auto& events : {read(chat, {half}), read(chat, {half, a_call}), read(chat, {half, "{\"id\":"})}) {
    const std::string out = laws::write_stream(responses, events);
    EXPECT_TRUE(out.contains("event: response.failed\n")) << out;
    EXPECT_FALSE(out.contains("response.completed")) << out;
  }
}

TEST(PitfallResponses, TheLastResponseHoldsEveryItemAndWhyItIsNotWhole) {
  const auto events =
      read(chat, {half, a_call, R"({"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"length"}]})", "[DONE]"});
  const std::string out = laws::write_stream(responses, events);
  const std::size_t at = out.find("event: response.incomplete\ndata: ");
  ASSERT_NE(at, std::string::npos) << out;
  const std::size_t begin = out.find('{', at);
  json::Document doc;
  const auto root = doc.parse(std::string_view(out).substr(begin, out.find('\n', begin) - begin));
  ASSERT_TRUE(root);
  const json::Value last = (*root)["response"];
  EXPECT_EQ(last["output"].size(), 2U);
  EXPECT_TRUE(last["output"].at(1)["type"].equals("function_call"));
  EXPECT_TRUE(last["incomplete_details"]["reason"].equals("max_output_tokens"));
  Notes notes;
  const std::string whole = responses.write_reply(*folded(events), question(), notes);
  EXPECT_TRUE(whole.contains(R"("status":"incomplete")")) << whole;
  EXPECT_TRUE(whole.contains("max_output_tokens")) << whole;
}

}  // namespace
}  // namespace sluice::pitfalls
