// Requests: the walk over the top, what is refused, and what the laws cannot know about who is asked.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/held_state.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/registry.h"
#include "dialects/seal_envelope.h"

namespace sluice::openai_responses {
namespace {

using testing::HasSubstr;
using testing::Not;

ChatRequest read(std::string_view body) {
  auto request = read_request(body);
  EXPECT_TRUE(request) << request.error()->message;
  return request ? *std::move(request) : ChatRequest{};
}

// A chat client's request for this model of OpenAI's, as it goes out here.
std::string from_chat(std::string_view body, std::string_view model = "gpt-5-mini", std::vector<Note>* noted = nullptr,
                      std::string_view provider = "openai") {
  const auto request = openai_chat::read_request(body);
  EXPECT_TRUE(request) << request.error()->message;
  Notes notes;
  const auto out = write_request(*request, {.model = model, .provider = provider, .stream = request->stream}, notes);
  EXPECT_TRUE(out) << out.error()->message;
  if (noted != nullptr) *noted = notes.all();
  return out.value_or("");
}

std::string as(DialectId id, const ChatRequest& request, std::string_view model = "m") {
  Notes notes;
  const auto out = dialect(id)->write_request(request, {.model = model, .provider = "compatible"}, notes);
  EXPECT_TRUE(out) << out.error()->message;
  return out ? out->body : "";
}

std::string member(std::string_view body, std::string_view name) {
  json::Document doc;
  const auto root = doc.parse(body);
  return root ? std::string((*root)[name].raw()) : "not JSON";
}

bool noted(const std::vector<Note>& notes, std::string_view pointer) {
  return std::ranges::find(notes, pointer, &Note::pointer) != notes.end();
}

const std::string hi = R"("messages":[{"role":"user","content":"hi"}])";

TEST(ResponsesPeek, FindsWhatRoutingNeedsAndRefusesWhatReadsTwoWays) {
  const auto found = peek(R"({"input":[{"model":"inner"}],"model":"gpt-\u0035","stream":true})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->model, "gpt-5");
  EXPECT_TRUE(found->stream);
  EXPECT_TRUE(found->usage_asked);
  for (const auto& [body, param] : {std::pair{R"({"model":"a","model":"b"})", "model"},
                                    {R"({"model":"a","stream":true,"stream":false})", "stream"},
                                    {R"({"model":7})", "model"},
                                    {R"({"model":"a","stream":"true"})", "stream"},
                                    {R"({"input":"x"})", "model"}}) {
    const auto refused = peek(body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error()->fault, Fault::bad_request);
    EXPECT_EQ(refused.error()->param, param);
  }
}

TEST(ResponsesPeek, OnlyTheModelChangesOnTheWayToTheSameDialect) {
  const auto found = peek(R"({"model":"a","input":"x","stream":true})");
  ASSERT_TRUE(found);
  EXPECT_TRUE(verbatim_edits(*found, {.model = "a", .stream = true}).empty());
  const auto edits = verbatim_edits(*found, {.model = "b", .stream = true});
  ASSERT_EQ(edits.size(), 1U);
  EXPECT_EQ(edits[0].value, "\"b\"");
}

TEST(ResponsesRequest, MalformedOnesAreRefusedInTheVendorsWords) {
  for (const auto& [body, param, words] :
       {std::tuple{R"({"model":"m"})", "input", "Missing required parameter: 'input'."},
        {R"({"model":"m","input":7})", "input", "Invalid type for 'input'"},
        {R"({"model":"m","input":["x"]})", "input[0]", "Invalid type for 'input[0]'"},
        {R"({"model":"m","input":[{"role":"judge","content":"x"}]})", "input[0].role", "Invalid value: 'judge'"},
        {R"({"model":"m","input":[{"role":"user"}]})", "input[0].content", "Missing required parameter"},
        {R"({"model":"m","input":[{"type":"function_call","name":"f","arguments":"{}"}]})", "input[0].call_id", ""},
        {R"({"model":"m","input":[{"type":"function_call_output","call_id":"c"}]})", "input[0].output", ""},
        {R"({"model":"m","input":"x","tools":[{"type":"function"}]})", "tools[0].name", "Missing required parameter"},
        {R"({"model":"m","input":"x","temperature":"hot"})", "temperature", "Invalid type"}}) {
    const auto refused = read_request(body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error()->param, param);
    EXPECT_THAT(refused.error()->message, HasSubstr(words));
  }
}

TEST(ResponsesRequest, ParallelCallsAreOneTurnAndKeepTheirCallIds) {
  const ChatRequest request = read(R"({"model":"m","input":[
      {"role":"user","content":"both"},
      {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"e"},
      {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{}"},
      {"type":"function_call","id":"fc_2","call_id":"call_2","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"call_2","output":"two"},
      {"type":"function_call_output","call_id":"call_1","output":"one"}]})");
  ASSERT_EQ(request.turns.size(), 4U);
  EXPECT_EQ(request.turns[1].parts.size(), 3U);
  const std::string chat = as(DialectId::openai_chat, request);
  json::Document doc;
  const auto root = doc.parse(chat);
  const json::Value messages = (*root)["messages"];
  ASSERT_EQ(messages.size(), 4U) << chat;
  EXPECT_EQ(messages.at(1)["tool_calls"].size(), 2U);
  EXPECT_TRUE(messages.at(2)["tool_call_id"].equals("call_2"));
  EXPECT_THAT(chat, Not(HasSubstr("fc_1")));  // names of items stay here
}

TEST(ResponsesRequest, AProofOfAnotherVendorComesOutOfItsEnvelopeAndNeverGoesToOpenai) {
  const Seal seal{.dialect = DialectId::anthropic, .raw = "claude-proof"};
  const std::string body = R"({"model":"m","input":[{"role":"user","content":"q"},
      {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"thought"}],"encrypted_content":")" +
                           wrap_seal(seal) + R"("},
      {"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"c","output":"r"}]})";
  const ChatRequest request = read(body);
  EXPECT_EQ(request.turns.at(1).parts.at(0).seal, seal);
  Notes notes;
  const auto claude = dialect(DialectId::anthropic)
                          ->write_request(request, {.model = "claude-sonnet-4-5", .provider = "anthropic"}, notes);
  ASSERT_TRUE(claude);
  EXPECT_THAT(claude->body, HasSubstr(R"("signature":"claude-proof")"));
  // OpenAI would refuse reasoning that it did not make, and an item that claims to follow from it.
  Notes lost;
  const auto openai = write_request(request, {.model = "gpt-5", .provider = "openai"}, lost);
  ASSERT_TRUE(openai);
  EXPECT_THAT(*openai, Not(HasSubstr("reasoning")));
  EXPECT_THAT(*openai, Not(HasSubstr("fc_1")));
  EXPECT_THAT(*openai, HasSubstr(R"("call_id":"c")"));
  EXPECT_TRUE(noted(lost.all(), "/input/1/encrypted_content"));
  EXPECT_TRUE(noted(lost.all(), "/input/1/summary/0"));
}

TEST(ResponsesRequest, ReasoningOfOpenaiComesBackThroughAClaudeClient) {
  const Seal seal{.dialect = DialectId::openai_responses, .raw = "gAAAA=="};
  ChatRequest request{.origin = DialectId::anthropic, .model = "m"};
  request.turns.push_back({.parts = {{.body = Text{.text = "q"}}}});
  request.turns.push_back({.role = Role::assistant,
                           .parts = {{.body = Reasoning{.text = "thought"}, .seal = seal},
                                     {.body = ToolCall{.id = "toolu_1", .name = "f", .arguments = "{}"}}}});
  request.turns.push_back({.parts = {{.body = ToolResult{.call_id = "toolu_1", .is_error = true}}}});
  request.turns.back().parts[0].as<ToolResult>()->parts.push_back({.body = Text{.text = "sank"}});
  Notes notes;
  const auto out = write_request(request, {.model = "gpt-5", .provider = "openai"}, notes);
  ASSERT_TRUE(out);
  EXPECT_EQ(
      member(*out, "input"),
      R"([{"role":"user","content":"q"},{"type":"reasoning","summary":[{"type":"summary_text","text":"thought"}],)"
      R"("encrypted_content":"gAAAA=="},{"type":"function_call","call_id":"toolu_1","name":"f","arguments":"{}"},)"
      R"({"type":"function_call_output","call_id":"toolu_1","output":"Error: sank"}])");
}

TEST(ResponsesRequest, NothingIsKeptForAClientThatSendsEverythingAnew) {
  const std::string reasoning = from_chat("{\"model\":\"m\"," + hi + "}");
  EXPECT_EQ(member(reasoning, "store"), "false");
  EXPECT_EQ(member(reasoning, "include"), R"(["reasoning.encrypted_content"])");
  // A model that does not reason refuses the word.
  const std::string plain = from_chat("{\"model\":\"m\"," + hi + "}", "gpt-4o");
  EXPECT_EQ(member(plain, "store"), "false");
  EXPECT_EQ(member(plain, "include"), "");
  EXPECT_EQ(member(from_chat("{\"model\":\"m\",\"store\":true," + hi + "}"), "store"), "true");
}

TEST(ResponsesRequest, AnEmptyListOfItemsStaysOne) {
  Notes notes;
  const auto request = read(R"({"model":"m","instructions":"Be brief.","input":[]})");
  const auto out = write_request(request, {.model = "m", .provider = "compatible"}, notes);
  ASSERT_TRUE(out);
  EXPECT_EQ(member(*out, "input"), "[]");
}

TEST(ResponsesRequest, SettingsThatAreNotHereHaveTheirNotes) {
  std::vector<Note> notes;
  const std::string body = from_chat(
      "{\"model\":\"m\",\"stop\":\"x\",\"seed\":1,\"logit_bias\":{},\"presence_penalty\":1,"
      "\"temperature\":0.5,\"max_completion_tokens\":3,\"reasoning_effort\":\"xhigh\"," +
          hi + "}",
      "gpt-5-mini", &notes);
  for (const std::string_view pointer : {"/stop", "/seed", "/logit_bias", "/presence_penalty", "/temperature",
                                         "/max_completion_tokens", "/reasoning_effort"}) {
    EXPECT_TRUE(noted(notes, pointer)) << pointer;
  }
  EXPECT_EQ(member(body, "max_output_tokens"), "16");  // less is refused
  EXPECT_EQ(member(body, "reasoning"), R"({"effort":"high"})");
  EXPECT_EQ(member(body, "temperature"), "");
}

TEST(ResponsesRequest, SilenceAboutStrictnessIsSaidAloud) {
  const std::string body = from_chat(
      R"({"model":"m",)" + hi +
      R"(,"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g","strict":true,
      "parameters":{"type":"object"}}}],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{}}}})");
  EXPECT_EQ(member(body, "tools"),
            R"([{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false},)"
            R"({"type":"function","name":"g","parameters":{"type":"object","properties":{}},"strict":true}])");
  EXPECT_EQ(member(body, "text"), R"({"format":{"type":"json_schema","name":"a","schema":{},"strict":false}})");
}

TEST(ResponsesRequest, ChoicesInAllTheirForms) {
  const auto choice = [](std::string_view said) {
    return member(from_chat(R"({"model":"m",)" + hi + R"(,"tools":[{"type":"function","function":{"name":"f"}},
        {"type":"custom","custom":{"name":"c"}}],"tool_choice":)" +
                            std::string(said) + "}"),
                  "tool_choice");
  };
  EXPECT_EQ(choice("\"auto\""), "\"auto\"");
  EXPECT_EQ(choice("\"none\""), "\"none\"");
  EXPECT_EQ(choice("\"required\""), "\"required\"");
  EXPECT_EQ(choice(R"({"type":"function","function":{"name":"f"}})"), R"({"type":"function","name":"f"})");
  EXPECT_EQ(choice(R"({"type":"custom","custom":{"name":"c"}})"), R"({"type":"custom","name":"c"})");
  EXPECT_EQ(choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[
      {"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}]}})"),
            R"({"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},)"
            R"({"type":"custom","name":"c"}]})");
  // Without tools a choice and a word about parallel calls are refused.
  const std::string bare =
      from_chat(R"({"model":"m",)" + hi + R"(,"tool_choice":"required","parallel_tool_calls":true})");
  EXPECT_EQ(member(bare, "tool_choice"), "");
  EXPECT_EQ(member(bare, "parallel_tool_calls"), "");
}

TEST(ResponsesRequest, FreeTextToolsAndTheirGrammarCross) {
  const std::string_view grammar = R"([{"type":"custom","name":"p","description":"d","format":{"type":"grammar",
      "syntax":"lark","definition":"start: x"}}])";
  const ChatRequest request = read(R"({"model":"m","input":"x","tools":)" + std::string(grammar) + "}");
  EXPECT_EQ(request.tools.at(0).kind, ToolKind::custom);
  const std::string chat = as(DialectId::openai_chat, request);
  EXPECT_THAT(chat, HasSubstr(R"("grammar":{"syntax":"lark","definition":"start: x"})"));
  const std::string back = from_chat(chat);
  EXPECT_TRUE(json::same(member(back, "tools"), grammar)) << back;
}

TEST(ResponsesRequest, CallsWithoutAnswersAndAnswersWithoutCallsArePutRight) {
  std::vector<Note> notes;
  const std::string body = from_chat(
      R"({"model":"m","messages":[{"role":"user","content":"a"},
      {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":""}}]},
      {"role":"user","content":"never mind"},{"role":"tool","tool_call_id":"c9","content":"late"}]})",
      "gpt-5", &notes);
  EXPECT_THAT(
      body,
      HasSubstr(R"({"type":"function_call_output","call_id":"c1","output":"Error: Tool call was not executed"})"));
  EXPECT_THAT(body, HasSubstr(R"({"role":"user","content":"late"})"));
  EXPECT_THAT(body, HasSubstr(R"("arguments":"{}")"));
  EXPECT_TRUE(std::ranges::any_of(notes, [](const Note& n) { return n.kind == NoteKind::added; }));
}

TEST(ResponsesRequest, ImagesInsideResultsStayThere) {
  ChatRequest request{.origin = DialectId::anthropic, .model = "m"};
  request.turns.push_back({.role = Role::assistant, .parts = {{.body = ToolCall{.id = "c", .name = "f"}}}});
  ToolResult result{.call_id = "c"};
  result.parts = {{.body = Text{.text = "see"}},
                  {.body = Media{.form = MediaForm::base64, .data = "iVBORw0KGgo=", .mime = "image/png"}}};
  request.turns.push_back({.parts = {{.body = result}}});
  Notes notes;
  const auto out = write_request(request, {.model = "gpt-5", .provider = "openai"}, notes);
  ASSERT_TRUE(out);
  EXPECT_THAT(*out, HasSubstr(R"("output":[{"type":"input_text","text":"see"},{"type":"input_image",)"
                              R"("image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"}])"));
}

TEST(ResponsesRequest, WhatWouldChangeItsMeaningIsRefused) {
  const auto refusal = [](std::string_view body) {
    Notes notes;
    const auto request = openai_chat::read_request(body);
    const auto out = write_request(*request, {.model = "gpt-4o", .provider = "openai"}, notes);
    return out ? Error{.message = *out} : Error(*out.error());
  };
  EXPECT_EQ(refusal("{\"model\":\"m\",\"n\":2," + hi + "}").param, "/n");
  const Error audio = refusal(R"({"model":"m","messages":[{"role":"user","content":[{"type":"input_audio",
      "input_audio":{"data":"AAAA","format":"wav"}}]}]})");
  EXPECT_EQ(audio.fault, Fault::unsupported);
  EXPECT_EQ(audio.param, "/messages/0/content/0");
}

TEST(ResponsesRequest, WhatAVendorKeepsMeansNothingElsewhere) {
  for (const std::string_view member :
       {R"("previous_response_id":"resp_1")", R"("conversation":"conv_1")", R"("prompt":{"id":"p"})",
        R"("background":true)", R"("x":1,"input":[{"type":"item_reference","id":"msg_1"}])"}) {
    const bool with_input = member.find("input") != std::string_view::npos;
    const ChatRequest request =
        read("{\"model\":\"m\"," + std::string(member) + (with_input ? "}" : ",\"input\":\"x\"}"));
    const auto held = held_elsewhere(request);
    ASSERT_TRUE(held) << member;
    EXPECT_EQ(held->fault, Fault::unsupported);
    EXPECT_FALSE(held->param.empty());
  }
  EXPECT_FALSE(held_elsewhere(read(R"({"model":"m","input":"x","background":false,"previous_response_id":null})")));
}

TEST(ResponsesRequest, WhatIsDoneForEverybodyIsNoLoss) {
  const ChatRequest request = read(R"({"model":"m","input":"x","store":false,"background":false,"truncation":"disabled",
      "include":["reasoning.encrypted_content"],"stream":true,"stream_options":{"include_obfuscation":false}})");
  for (const Dialect* other : dialects()) {
    if (other->id() == DialectId::openai_responses) continue;
    Notes notes;
    ASSERT_TRUE(other->write_request(request, {.model = "m", .provider = "compatible", .stream = true}, notes));
    for (const Note& note : notes.all()) EXPECT_NE(note.kind, NoteKind::lost) << other->name() << note.pointer;
  }
}

}  // namespace
}  // namespace sluice::openai_responses
