// What the laws cannot see of requests: the vendor's own rules, byte for byte. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/cohere/cohere.h"
#include "dialects/registry.h"

namespace sluice::cohere {
namespace {

using testing::HasSubstr;
using testing::Not;

ChatRequest read(std::string_view body, DialectId dialect = DialectId::cohere) {
  Notes notes;
  auto request = sluice::dialect(dialect)->read_request({.body = body}, notes);
  EXPECT_TRUE(request) << (request ? "" : request.error()->message);
  return request ? *std::move(request) : ChatRequest{};
}

struct Written {
  std::string body;
  std::vector<Note> notes;
  std::string refused;  // the field
};
Written write(const ChatRequest& request, std::string_view model = "command-a-plus-05-2026") {
  Notes notes;
  const auto wire = write_request(request, {.model = model, .provider = "cohere", .stream = request.stream}, notes);
  if (!wire) return {.notes = notes.all(), .refused = wire.error()->param};
  return {.body = wire->body, .notes = notes.all()};
}

Written from_chat(std::string_view body, std::string_view model = "command-a-plus-05-2026") {
  return write(read(body, DialectId::openai_chat), model);
}

bool noted(const Written& written, NoteKind kind, std::string_view pointer) {
  return std::ranges::any_of(written.notes, [&](const Note& n) { return n.kind == kind && n.pointer == pointer; });
}

std::string refusal(std::string_view body) {
  Notes notes;
  const auto request = cohere_dialect().read_request({.body = body}, notes);
  return request ? "" : request.error()->message;
}

TEST(CohereRequest, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(refusal(R"({"model":"m"})"), HasSubstr("messages is required"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"developer","content":"x"}]})"), HasSubstr("messages[0].role"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"tool","content":"x"}]})"), HasSubstr("messages[0].tool_call_id"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"user","content":7}]})"), HasSubstr("messages[0].content"));
  EXPECT_THAT(refusal(R"({"messages":[],"tool_choice":"auto"})"), HasSubstr("REQUIRED or NONE"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"user","content":"x"}],"documents":[{"id":"a"}]})"),
              HasSubstr("documents[0]"));
  EXPECT_THAT(refusal(R"({"messages":[],"thinking":{"type":"adaptive"}})"), HasSubstr("thinking.type"));
  EXPECT_THAT(refusal(R"({"messages":[],"response_format":{"type":"json_schema"}})"), HasSubstr("response_format"));
}

TEST(CohereRequest, PeeksWithoutReading) {
  const auto peek = [](std::string_view body) { return cohere_dialect().peek({.body = body}); };
  const auto seen = peek(R"({"messages":[],"model":"command-a","stream":true})");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->model, "command-a");
  EXPECT_TRUE(seen->stream);
  EXPECT_TRUE(seen->usage_asked);
  EXPECT_FALSE(peek(R"({"stream":true})"));
  EXPECT_FALSE(peek(R"({"model":"a","model":"b"})"));
  EXPECT_FALSE(peek(R"({"model":"a","stream":"yes"})"));
}

TEST(CohereRequest, GoesUntouchedButForTheModel) {
  const auto seen = cohere_dialect().peek({.body = R"({"model":"alias","messages":[],"stream":true})"});
  ASSERT_TRUE(seen);
  const auto edits = cohere_dialect().verbatim_edits(*seen, {.model = "command-a", .stream = true});
  ASSERT_EQ(edits.size(), 1u);
  EXPECT_EQ(edits[0].pointer, "/model");
  EXPECT_EQ(edits[0].value, "\"command-a\"");
  EXPECT_TRUE(cohere_dialect().verbatim_edits(*seen, {.model = "alias", .stream = true}).empty());
}

// The spelling table of the laws is kinder: here every byte of a document's data counts.
TEST(CohereRequest, GivesDocumentsBackAsTheyWereWritten) {
  const std::string documents =
      R"(["plain",{"id":"d1","data":{"title":"T", "text": "x", "year": 1902}},{"data":"free text"}])";
  ChatRequest request =
      read(R"({"model":"m","messages":[{"role":"user","content":"?"}],"documents":)" + documents + '}');
  ASSERT_EQ(request.turns.size(), 1u);
  ASSERT_EQ(request.turns[0].parts.size(), 4u);
  EXPECT_EQ(request.turns[0].parts[1].as<Media>()->name, "T");
  EXPECT_EQ(request.turns[0].parts[1].as<Media>()->data, R"({"text":"x","year":1902})");
  EXPECT_THAT(write(request).body, HasSubstr(R"("plain",{"data":{"title":"T", "text": "x", "year": 1902},"id":"d1"})"));
  // What was changed in the model is told anew.
  request.turns[0].parts[1].as<Media>()->data = "changed";
  EXPECT_THAT(write(request).body, HasSubstr(R"({"data":{"title":"T","text":"changed"},"id":"d1"})"));
}

TEST(CohereRequest, TellsAPlanInFrontOfCallsAndTextWithoutThem) {
  const Written written = from_chat(R"({"model":"m","messages":[
    {"role":"user","content":"wind?"},
    {"role":"assistant","content":"I look it up.","tool_calls":[
      {"id":"c1","type":"function","function":{"name":"wind","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"22"},
    {"role":"assistant","content":"22 knots"},{"role":"user","content":"thanks"}]})");
  EXPECT_THAT(written.body, HasSubstr(R"({"role":"assistant","tool_plan":"I look it up.","tool_calls":[{"id":"c1")"));
  EXPECT_THAT(written.body, HasSubstr(R"({"role":"tool","tool_call_id":"c1","content":"22"})"));
  EXPECT_THAT(written.body, HasSubstr(R"({"role":"assistant","content":"22 knots"})"));
}

TEST(CohereRequest, OffersOnlyTheToolThatIsForced) {
  const Written written = from_chat(R"({"model":"m","messages":[{"role":"user","content":"x"}],
    "tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}],
    "tool_choice":{"type":"function","function":{"name":"b"}},"parallel_tool_calls":false})");
  EXPECT_THAT(written.body, HasSubstr(R"("tool_choice":"REQUIRED")"));
  EXPECT_THAT(written.body, HasSubstr(R"("name":"b")"));
  EXPECT_THAT(written.body, Not(HasSubstr(R"("name":"a")")));
  EXPECT_TRUE(noted(written, NoteKind::restated, "/tool_choice"));
  EXPECT_TRUE(noted(written, NoteKind::restated, "/tools"));
  EXPECT_TRUE(noted(written, NoteKind::lost, "/parallel_tool_calls"));
}

TEST(CohereRequest, IsStrictForAllToolsOrNone) {
  const auto tools = [](std::string_view first, std::string_view second) {
    return from_chat(R"({"model":"m","messages":[{"role":"user","content":"x"}],"tools":[
      {"type":"function","function":{"name":"a","strict":)" +
                     std::string(first) + R"(}},
      {"type":"function","function":{"name":"b","strict":)" +
                     std::string(second) + "}}]}");
  };
  EXPECT_THAT(tools("true", "true").body, HasSubstr(R"("strict_tools":true)"));
  const Written mixed = tools("true", "false");
  EXPECT_THAT(mixed.body, Not(HasSubstr("strict")));
  EXPECT_TRUE(noted(mixed, NoteKind::lost, "/tools/0/function/strict"));
}

TEST(CohereRequest, KeepsNumbersWithinWhatTheVendorTakes) {
  const Written written = from_chat(R"({"model":"m","messages":[{"role":"user","content":"x"}],
    "top_p":1,"presence_penalty":-0.5,"frequency_penalty":2,"temperature":0.70,"seed":7,
    "stop":["1","2","3","4"],"logit_bias":{"1":2},"top_logprobs":3,"logprobs":true,"user":"u"})");
  EXPECT_THAT(written.body, HasSubstr(R"("temperature":0.70,"p":0.99,"presence_penalty":0,"frequency_penalty":1)"));
  EXPECT_TRUE(noted(written, NoteKind::restated, "/top_p"));
  EXPECT_TRUE(noted(written, NoteKind::restated, "/presence_penalty"));
  for (const std::string_view gone : {"/logit_bias", "/top_logprobs", "/user"}) {
    EXPECT_TRUE(noted(written, NoteKind::lost, gone)) << gone;
  }
}

TEST(CohereRequest, ThinksByBudgetWhereTheModelThinks) {
  const std::string asked = R"({"model":"m","reasoning_effort":"high","messages":[{"role":"user","content":"x"}]})";
  EXPECT_THAT(from_chat(asked).body, HasSubstr(R"("thinking":{"type":"enabled","token_budget":24576})"));
  const Written old = from_chat(asked, "command-r-08-2024");
  EXPECT_THAT(old.body, Not(HasSubstr("thinking")));
  EXPECT_TRUE(noted(old, NoteKind::lost, "/reasoning_effort"));
  EXPECT_THAT(from_chat(R"({"model":"m","reasoning_effort":"none","messages":[{"role":"user","content":"x"}]})").body,
              HasSubstr(R"("thinking":{"type":"disabled"})"));
}

TEST(CohereRequest, SaysAFormatInWordsBesideTools) {
  const std::string format =
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})";
  EXPECT_THAT(from_chat(R"({"model":"m","messages":[{"role":"user","content":"x"}],)" + format + '}').body,
              HasSubstr(R"("response_format":{"type":"json_object","json_schema":{"type":"object"}})"));
  const Written beside =
      from_chat(R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}],
    "tools":[{"type":"function","function":{"name":"a"}}],)" +
                format + '}');
  EXPECT_THAT(beside.body, Not(HasSubstr("response_format")));
  EXPECT_THAT(beside.body,
              HasSubstr(R"({"role":"system","content":"s"},{"role":"system","content":"Answer with one JSON)"));
  EXPECT_TRUE(noted(beside, NoteKind::restated, "/response_format"));
}

TEST(CohereRequest, AnswersCallsThatNobodyAnsweredAndLetsImagesFollow) {
  const Written written = write(read(R"({"model":"m","max_tokens":9,"messages":[
    {"role":"user","content":"x"},
    {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"a","input":{}},
                                   {"type":"tool_use","id":"t2","name":"b","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[
      {"type":"text","text":"seen"},
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}]})",
                                     DialectId::anthropic));
  EXPECT_THAT(written.body,
              HasSubstr(R"([{"type":"text","text":"Error: seen"},{"type":"text","text":"[image attached]"}])"));
  EXPECT_THAT(written.body,
              HasSubstr(R"({"role":"tool","tool_call_id":"t2","content":"Error: Tool call was not executed"})"));
  EXPECT_THAT(
      written.body,
      HasSubstr(
          R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]})"));
}

TEST(CohereRequest, RefusesWhatWouldChangeItsMeaning) {
  EXPECT_EQ(from_chat(R"({"model":"m","n":2,"messages":[{"role":"user","content":"x"}]})").refused, "/n");
  EXPECT_EQ(from_chat(R"({"model":"m","messages":[{"role":"user","content":[
    {"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]})")
                .refused,
            "/messages/0/content/0");
  EXPECT_EQ(from_chat(R"({"model":"m","messages":[{"role":"user","content":[
    {"type":"file","file":{"file_id":"file-1"}}]}]})")
                .refused,
            "/messages/0/content/0");
}

TEST(CohereRequest, SendsNoForeignProof) {
  const std::string signature = "EqoBCkgIAR";
  ChatRequest request = read(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},
    {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":")" +
                                 signature + R"("},
      {"type":"text","text":"y"}]},{"role":"user","content":"z"}]})",
                             DialectId::anthropic);
  const Written written = write(request);
  EXPECT_THAT(written.body, HasSubstr(R"({"type":"thinking","thinking":"hm"})"));
  EXPECT_THAT(written.body, Not(HasSubstr(signature)));
  EXPECT_TRUE(noted(written, NoteKind::lost, "/messages/1/content/0/signature"));
}

}  // namespace
}  // namespace sluice::cohere
