// What a gateway that holds responses needs to know of their form. SPDX-License-Identifier: MIT
#include "dialects/openai_responses/held.h"

#include <gtest/gtest.h>

#include "dialects/openai_responses/items.h"
#include "dialects/openai_responses/strict_client_test.h"
#include "dialects/seal_envelope.h"

namespace sluice::openai_responses {
namespace {

using namespace trial;

Result<StateAsked> state(std::string_view body) {
  const auto members = json::scan_object(body);
  EXPECT_TRUE(members);
  return read_state(*members);
}

TEST(HeldResponse, NamesAreTellableFromVendors) {
  EXPECT_EQ(held_id("req_0123abc"), "resp_sluice_0123abc");
  EXPECT_TRUE(is_held_id(held_id("req_0123abc")));
  EXPECT_TRUE(is_own_id(held_id("req_0123abc")));
  EXPECT_TRUE(is_own_id(passing_id("req_0123abc")));
  EXPECT_FALSE(is_held_id(passing_id("req_0123abc")));
  EXPECT_FALSE(is_own_id("resp_68a1b2c3d4e5f60123456789"));
  EXPECT_FALSE(is_held_id("resp_68a1b2c3d4e5f60123456789"));
  EXPECT_FALSE(is_held_id(""));
}

TEST(HeldResponse, StateIsKeptUnlessTheClientSaysNo) {
  EXPECT_TRUE(state(R"({"input":"x"})")->store);
  EXPECT_TRUE(state(R"({"store":null})")->store);
  EXPECT_FALSE(state(R"({"store":false})")->store);
  EXPECT_EQ(state(R"({"previous_response_id":"resp_1"})")->previous, "resp_1");
  EXPECT_EQ(state(R"({"conversation":"conv_1"})")->conversation, "conv_1");
  EXPECT_EQ(state(R"({"conversation":{"id":"conv_1"}})")->conversation, "conv_1");
  EXPECT_EQ(state(R"({"store":"yes"})").error()->param, "store");
  EXPECT_EQ(state(R"({"previous_response_id":7})").error()->param, "previous_response_id");
  EXPECT_FALSE(state(R"({"previous_response_id":"a","conversation":"b"})"));
}

TEST(HeldResponse, ItemsOfAQuestionAreWhole) {
  json::Document doc;
  const std::string one = '[' + held_items(R"("Hi \"there\"")", "req_1") + ']';
  const auto root = doc.parse(one);
  ASSERT_TRUE(root) << one;
  ASSERT_EQ(root->size(), 1U);
  EXPECT_TRUE(root->at(0)["id"].text().starts_with("msg_"));
  EXPECT_EQ(root->at(0)["content"].at(0)["text"].text(), "Hi \"there\"");
  const std::string list = '[' +
                           held_items(R"([{"role":"user","content":"a"},
      {"type":"message","id":"msg_own","role":"assistant","content":"b"},
      {"type":"function_call_output","call_id":"c","output":"d"}])",
                                      "req_1") +
                           ']';
  json::Document many;
  const auto items = many.parse(list);
  ASSERT_TRUE(items) << list;
  ASSERT_EQ(items->size(), 3U);
  EXPECT_TRUE(items->at(0)["type"].equals("message"));
  EXPECT_TRUE(items->at(0)["content"].at(0)["type"].equals("input_text"));
  EXPECT_TRUE(items->at(1)["id"].equals("msg_own"));
  EXPECT_TRUE(items->at(1)["content"].at(0)["type"].equals("output_text"));
  EXPECT_TRUE(items->at(2)["id"].text().starts_with("fco_"));
  EXPECT_EQ(held_items("7", "req_1"), "");
}

TEST(HeldResponse, AQuestionGoesOnFromWhatWasSaid) {
  const std::string earlier = R"({"type":"message","id":"msg_1","role":"user","content":"Hi"},)"
                              R"({"type":"web_search_call","id":"ws_1","status":"completed"})";
  for (const auto& [own, end] : {std::pair{R"("And?")", R"({"type":"message","role":"user","content":"And?"}])"},
                                 {R"([{"role":"user","content":"And?"}])", R"({"role":"user","content":"And?"}])"}}) {
    const std::string body =
        R"({"model":"m","previous_response_id":"resp_1","instructions":"Be brief.","input":)" + std::string(own) + "}";
    const auto members = json::scan_object(body);
    const auto whole = continued(body, *members, earlier);
    ASSERT_TRUE(whole);
    EXPECT_EQ(*whole, R"({"model":"m","instructions":"Be brief.","input":[)"
                      R"({"type":"message","role":"user","content":"Hi"},)"
                      R"({"type":"web_search_call","id":"ws_1","status":"completed"},)" +
                          std::string(end) + "}");
  }
  const std::string nothing = R"({"model":"m","previous_response_id":"resp_1"})";
  EXPECT_TRUE(continued(nothing, *json::scan_object(nothing), earlier)->contains(R"("input":[{"type":"message")"));
  const std::string wrong = R"({"model":"m","input":7})";
  EXPECT_EQ(continued(wrong, *json::scan_object(wrong), earlier).error()->param, "input");
}

std::string ids(const Result<std::string>& page) {
  if (!page) return page.error()->message;
  json::Document doc;
  const auto root = doc.parse(*page);
  if (!root) return "no JSON";
  std::string out;
  for (const json::Value item : (*root)["data"].elements()) out += item["id"].text() + ' ';
  out += (*root)["first_id"].text() + '-' + (*root)["last_id"].text();
  return out + ((*root)["has_more"].boolean() == true ? " more" : "");
}

TEST(HeldResponse, ItemsComeInPages) {
  const std::string items = R"({"id":"a"},{"id":"b"},{"id":"c"})";
  EXPECT_EQ(ids(write_page(items, {})), "c b a c-a");
  EXPECT_EQ(ids(write_page(items, {.limit = 2, .oldest_first = true})), "a b a-b more");
  EXPECT_EQ(ids(write_page(items, {.limit = 2, .oldest_first = true, .after = "b"})), "c c-c");
  EXPECT_EQ(ids(write_page(items, {.after = "a"})), "-");
  EXPECT_EQ(ids(write_page("", {})), "-");
  EXPECT_EQ(write_page(items, {.after = "z"}).error()->param, "after");
}

// Vercel's AI SDK sends the names of what it was answered, and nothing else.
TEST(HeldResponse, AnItemIsFoundByItsName) {
  const Question asked{.model = "m", .exchange_id = "req_0123abc", .unix_seconds = 1};
  const Reply reply{.origin = DialectId::anthropic,
                    .id = held_id(asked.exchange_id),
                    .choices = {{.parts = {{.body = Reasoning{.text = "Hm."}}, {.body = Text{.text = "Yes."}}}}}};
  Notes notes;
  const std::string object = write_reply(reply, asked, notes);
  const std::string name = held_item_id("msg_", asked.exchange_id, 1);
  EXPECT_TRUE(object.contains('"' + name + '"')) << object;
  const std::string body = R"({"model":"m","input":[{"role":"user","content":"So?"},{"type":"item_reference","id":")" +
                           name + R"("},{"type":"item_reference","id":"msg_68a1"}]})";
  const auto members = json::scan_object(body);
  const auto named = references(*members);
  ASSERT_EQ(named.size(), 1U) << "a vendor's item is the vendor's to know";
  EXPECT_EQ(named[0].item, name);
  EXPECT_EQ(named[0].response, reply.id);
  const std::string item = named_item(object, name);
  EXPECT_TRUE(item.contains("Yes.")) << item;
  EXPECT_EQ(named_item(object, "msg_other"), "");
  const auto whole = resolved(body, *members, {{name, item}});
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->contains(R"("Yes.")"));
  EXPECT_FALSE(whole->contains(name));
  EXPECT_TRUE(whole->contains(R"({"type":"item_reference","id":"msg_68a1"})"));
}

// The end of a stream holds what a GET tells later, and telling the stream again tells the same.
TEST(HeldResponse, AStreamMayBeToldAgain) {
  int told = 0;
  laws::for_every_answer([&](const laws::Sample& sample, const std::vector<Event>& events) {
    if (!std::holds_alternative<End>(events.back())) return;
    const auto writer = stream_writer(question);
    std::string last;
    for (const Event& event : events) {
      last.clear();
      writer->write(event, last);
    }
    const std::string object(last_response(last));
    ASSERT_TRUE(json::valid(object)) << sample.name;
    if (sample.dialect->id() == self) return;  // the vendor's own are the vendor's to hold
    Strict client;
    EXPECT_EQ(client.take(replay(object, -1)), "") << sample.name;
    const std::string stream = replay(object, -1);
    EXPECT_EQ(last_response(std::string_view(stream).substr(stream.rfind("event: "))), object);
    EXPECT_EQ(count(replay(object, 1), "event: "), count(stream, "event: ") - 2);
    EXPECT_EQ(replay(object, 100'000), "");
    ++told;
  });
  EXPECT_GT(told, 10);
}

TEST(HeldResponse, AVendorsEndHoldsItsResponseAnywhere) {
  const std::string event =
      "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"},"
      "\"sequence_number\":7}\n\n";
  EXPECT_EQ(vendors_last_response(event), R"({"id":"r"})");
  EXPECT_EQ(vendors_last_response("data: [DONE]\n\n"), "");
  EXPECT_EQ(vendors_last_response(": ping\n\n"), "");
  EXPECT_TRUE(holds_answers("openai"));
  EXPECT_FALSE(holds_answers("openrouter"));
}

TEST(HeldResponse, ToldAgainItsProofsStandAsTheyStood) {
  const Seal proof{.dialect = DialectId::gemini, .raw = "cHJvb2Y="};
  const Reply reply{
      .origin = DialectId::gemini,
      .id = "resp_sluice_1",
      .choices = {{.parts = {{.body = ToolCall{.id = "c1", .name = "f", .arguments = "{}"}, .seal = proof}}}}};
  Notes notes;
  const std::string whole = write_reply(reply, question, notes);
  EXPECT_TRUE(whole.contains(R"("store":true)"));
  const std::string stream = replay(whole, -1);
  EXPECT_EQ(Strict().take(stream), "");
  EXPECT_EQ(count(stream, wrap_seal(proof) + '>'), 2U) << "in its item and in the last response: " << stream;
}

}  // namespace
}  // namespace sluice::openai_responses
