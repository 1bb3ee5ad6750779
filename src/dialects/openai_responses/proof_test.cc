// Proofs of every vendor on their way through a client of this dialect. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "dialects/openai_responses/items.h"
#include "dialects/openai_responses/strict_client_test.h"
#include "dialects/registry.h"

namespace sluice::openai_responses {
namespace {

using namespace trial;

TEST(ResponsesProof, ProofsOfGeminiTravelBesideWhatTheyProve) {
  const Seal call{.dialect = DialectId::gemini, .raw = "call-proof"};
  const Seal text{.dialect = DialectId::gemini, .raw = "text-proof"};
  const Reply reply{.origin = DialectId::gemini,
                    .choices = {{.parts = {{.body = Text{.text = "Now."}, .seal = text},
                                           {.body = ToolCall{.id = "c1", .name = "f", .arguments = "{}"}, .seal = call},
                                           {.body = ToolCall{.id = "c2", .name = "f", .arguments = "{}"}}},
                                 .stop = {.kind = StopKind::tool_calls, .origin = DialectId::gemini}}}};
  Notes notes;
  const std::string whole = write_reply(reply, question, notes);
  const std::string streamed = written(unfold(reply));
  EXPECT_EQ(Strict().take(streamed), "");
  EXPECT_LT(streamed.find("\"rs_"), streamed.find("\"fc_"));  // in front of the call
  EXPECT_TRUE(notes.empty());
  // The client sends back what it got; the proofs stand where they stood.
  json::Document doc;
  const auto root = doc.parse(whole);
  ASSERT_TRUE(root);
  std::string input((*root)["output"].raw());
  input.back() = ',';
  const auto request = read_request(R"({"model":"m","input":)" + input +
                                    R"({"type":"function_call_output","call_id":"c1","output":"1"},
                                    {"type":"function_call_output","call_id":"c2","output":"2"}]})");
  ASSERT_TRUE(request);
  const auto& parts = request->turns.at(0).parts;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].seal, text);
  EXPECT_EQ(parts[1].seal, call);
  EXPECT_FALSE(parts[2].seal);
}

TEST(ResponsesProof, NoProofOfAnotherVendorIsLostWithItsWords) {
  const Reply reply{
      .origin = DialectId::anthropic,
      .choices = {
          {.parts = {
               {.body = Reasoning{.redacted = true}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "redacted"}},
               {.body = Reasoning{.text = "shown"}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "signed"}},
               {.body = Reasoning{}}}}}};
  Notes notes;
  const auto again = read_reply(write_reply(reply, question, notes));
  ASSERT_TRUE(again);
  const auto& parts = again->choices.at(0).parts;
  ASSERT_EQ(parts.size(), 2U);  // the third said nothing
  EXPECT_TRUE(parts[0].as<Reasoning>()->redacted);
  EXPECT_EQ(parts[0].seal->raw, "redacted");
  EXPECT_EQ(parts[1].as<Reasoning>()->text, "shown");
  EXPECT_EQ(parts[1].seal, (Seal{.dialect = DialectId::anthropic, .raw = "signed"}));
}

// What a vendor gave, through a client that keeps the items, to the same vendor: the parts of the assistant's turn.
std::vector<Part> returned(const std::string& items) {
  std::string input = items;
  input.back() = ',';
  auto request = read_request(R"({"model":"m","input":)" + input + R"({"role":"user","content":"go on"}]})");
  if (!request || request->turns.size() != 2) return {};
  return request->turns[0].parts;
}

TEST(ResponsesProof, AloneItComesBackAsWhatItWas) {
  for (const DialectId from : {DialectId::anthropic, DialectId::gemini, DialectId::cohere}) {
    for (const bool hidden : {false, true}) {
      const Part given{.body = Reasoning{.redacted = hidden},
                       .seal = Seal{.dialect = from, .issuer = "here", .raw = "RXZlbiBhbG9uZQ=="}};
      const Reply reply{.origin = from, .choices = {{.parts = {given}}}};
      Notes notes;
      json::Document doc;
      const std::string whole = write_reply(reply, question, notes);
      const std::string streamed = written(unfold(reply));
      EXPECT_EQ(Strict().take(streamed), "");
      EXPECT_FALSE(streamed.contains("reasoning_summary_part")) << "no words, no part of them";
      const auto last = doc.parse(whole);
      ASSERT_TRUE(last);
      const std::string items((*last)["output"].raw());
      EXPECT_TRUE(streamed.contains(items)) << "the same, streamed";
      for (const auto& parts : {returned(items), read_reply(whole)->choices.at(0).parts}) {
        ASSERT_EQ(parts.size(), 1U);
        EXPECT_EQ(parts[0].seal, given.seal);
        EXPECT_EQ(parts[0].body, given.body);
      }
      const auto again = folded(read(streamed));
      ASSERT_TRUE(again);
      EXPECT_EQ(again->choices.at(0).parts.at(0).body, given.body);
    }
  }
}

TEST(ResponsesProof, OfAThoughtWithoutWordsIsNoHiddenThoughtForClaude) {
  const Seal signature{.dialect = DialectId::anthropic, .raw = "c2lnbmF0dXJl"};
  const Seal hidden{.dialect = DialectId::anthropic, .raw = "aGlkZGVu"};
  const Reply reply{.origin = DialectId::anthropic,
                    .choices = {{.parts = {{.body = Reasoning{}, .seal = signature},
                                           {.body = Reasoning{.redacted = true}, .seal = hidden},
                                           {.body = Text{.text = "Yes."}}}}}};
  Notes notes;
  json::Document doc;
  const std::string whole = write_reply(reply, question, notes);
  const auto last = doc.parse(whole);
  ASSERT_TRUE(last);
  ChatRequest request{.origin = self, .model = "claude", .max_output = 10};
  request.turns = {{.role = Role::assistant, .parts = returned(std::string((*last)["output"].raw()))},
                   {.role = Role::user, .parts = {{.body = Text{.text = "Sure?"}}}}};
  const auto wire = sluice::dialect(DialectId::anthropic)->write_request(request, {.provider = "anthropic"}, notes);
  ASSERT_TRUE(wire);
  EXPECT_TRUE(wire->body.contains(R"({"type":"thinking","thinking":"","signature":"c2lnbmF0dXJl"})")) << wire->body;
  EXPECT_TRUE(wire->body.contains(R"({"type":"redacted_thinking","data":"aGlkZGVu"})")) << wire->body;
}

// Gemini closes a text with an empty part that holds only the proof.
TEST(ResponsesProof, BehindATextItStaysWithTheText) {
  const Seal proof{.dialect = DialectId::gemini, .raw = "cHJvb2Y="};
  const Reply reply{.origin = DialectId::gemini,
                    .choices = {{.parts = {{.body = Text{.text = "Done."}}, {.body = Text{}, .seal = proof}}}}};
  Notes notes;
  json::Document doc;
  const std::string whole = write_reply(reply, question, notes);
  EXPECT_EQ(Strict().take(written(unfold(reply))), "");
  const auto last = doc.parse(whole);
  ASSERT_TRUE(last);
  const auto parts = returned(std::string((*last)["output"].raw()));
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].as<Text>()->text, "Done.");
  EXPECT_EQ(parts[0].seal, proof);
}

}  // namespace
}  // namespace sluice::openai_responses
