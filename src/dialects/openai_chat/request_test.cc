// Requests: the walk over the top, what is refused, and what each vendor is written. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/openai_chat/openai_chat.h"
#include "dialects/seal_envelope.h"

namespace sluice::openai_chat {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

ChatRequest read(std::string_view body) {
  auto request = read_request(body);
  EXPECT_TRUE(request) << request.error()->message;
  return request ? *std::move(request) : ChatRequest{};
}

std::string write(const ChatRequest& request, std::string_view provider, std::string_view model = "m",
                  std::vector<Note>* noted = nullptr) {
  Notes notes;
  const auto body = write_request(request, {.model = model, .provider = provider, .stream = request.stream}, notes);
  EXPECT_TRUE(body) << body.error()->message;
  if (noted != nullptr) *noted = notes.all();
  return body.value_or("");
}

std::string member(const std::string& body, std::string_view name) {
  json::Document doc;
  const auto root = doc.parse(body);
  return root ? std::string((*root)[name].raw()) : "not JSON";
}

bool noted(const std::vector<Note>& notes, std::string_view pointer) {
  return std::ranges::find(notes, pointer, &Note::pointer) != notes.end();
}

const std::string plain = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";

TEST(OpenaiChatPeek, FindsWhatRoutingNeedsWithoutReadingTheConversation) {
  const auto found = peek(R"({"messages":[{"model":"inner"}],"model":"gpt-\u0034","stream":true,
    "stream_options":{"include_usage":true}})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->model, "gpt-4");
  EXPECT_TRUE(found->stream);
  EXPECT_TRUE(found->usage_asked);
  EXPECT_EQ(found->members.size(), 4U);
}

TEST(OpenaiChatPeek, RefusesWhatTwoReadersCouldReadInTwoWays) {
  for (const auto& [body, param] : {
           std::pair{R"({"model":"a","model":"b"})", "model"},
           {R"({"model":"a","mod\u0065l":"b"})", "model"},
           {R"({"model":"a","stream":true,"stream":false})", "stream"},
           {R"({"model":"a","stream_options":{},"stream_options":{}})", "stream_options"},
           {R"({"model":7})", "model"},
           {R"({"model":"a","stream":"true"})", "stream"},
           {R"({"messages":[]})", "model"},
       }) {
    const auto found = peek(body);
    ASSERT_FALSE(found) << body;
    EXPECT_EQ(found.error()->fault, Fault::bad_request) << body;
    EXPECT_EQ(found.error()->param, param) << body;
  }
  EXPECT_FALSE(peek(R"({"model":"a")"));
  EXPECT_FALSE(peek(R"([1])"));
}

std::string edited(std::string_view body, const Destination& to) {
  const auto found = peek(body);
  EXPECT_TRUE(found);
  return json::apply(body, verbatim_edits(*found, to)).value_or("edits failed");
}

TEST(OpenaiChatVerbatim, TouchesOnlyTheModelAndWhatCountsTokens) {
  EXPECT_EQ(edited(R"({ "model":"a", "x":1.0 })", {.model = "b", .provider = "openai"}), R"({ "model":"b", "x":1.0 })");
  EXPECT_EQ(edited(R"({"model":"a"})", {.model = "a", .provider = "openai"}), R"({"model":"a"})");
  EXPECT_EQ(edited(R"({"model":"a","stream":true})", {.model = "a", .provider = "openai", .stream = true}),
            R"({"model":"a","stream":true,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(
      edited(R"({"model":"a","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}})",
             {.model = "a", .provider = "compatible", .stream = true}),
      R"({"model":"a","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}})");
  EXPECT_EQ(edited(R"({"model":"a","stream":true,"stream_options":null})",
                   {.model = "a", .provider = "openai", .stream = true}),
            R"({"model":"a","stream":true,"stream_options":{"include_usage":true}})");
  // A vendor that refuses stream_options sends usage anyway.
  EXPECT_EQ(edited(R"({"model":"a","stream":true})", {.model = "a", .provider = "mistral", .stream = true}),
            R"({"model":"a","stream":true})");
}

TEST(OpenaiChatVerbatim, TurnsAStreamIntoAWholeReply) {
  EXPECT_EQ(edited(R"({"model":"a","stream":true,"stream_options":{"include_usage":true}})",
                   {.model = "a", .provider = "openai", .stream = false}),
            R"({"model":"a","stream":false})");
}

TEST(OpenaiChatRequest, NamesTheFieldThatIsWrong) {
  for (const auto& [body, param] : {
           std::pair{R"({"model":"m"})", "messages"},
           {R"({"model":"m","messages":[]})", "messages"},
           {R"({"model":"m","messages":"hi"})", "messages"},
           {R"({"model":"m","messages":[{"content":"x"}]})", "messages[0].role"},
           {R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"king","content":"x"}]})",
            "messages[1].role"},
           {R"({"model":"m","messages":[{"role":"user","content":7}]})", "messages[0].content"},
           {R"({"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"hot"})", "temperature"},
           {R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1.5})", "max_tokens"},
           {R"({"model":"m","messages":[{"role":"user","content":"x"}],"stop":[1]})", "stop"},
           {R"({"model":"m","messages":[{"role":"user","content":"x"}],"tools":{}})", "tools"},
       }) {
    const auto request = read_request(body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error()->param, param) << body;
  }
}

TEST(OpenaiChatRequest, ReadsPartsInTheirOrder) {
  const ChatRequest request =
      read(R"({"model":"m","messages":[{"role":"assistant","content":"c","reasoning_content":"r",
    "refusal":"no","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}]})");
  const auto& parts = request.turns[0].parts;
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].as<Reasoning>()->text, "r");
  EXPECT_EQ(parts[1].as<Text>()->text, "c");
  EXPECT_EQ(parts[2].as<Refusal>()->text, "no");
  EXPECT_EQ(parts[3].as<ToolCall>()->name, "f");
}

TEST(OpenaiChatRequest, TakesBackProofsHoweverAClientKeptThem) {
  const std::string claude = wrap_seal({.dialect = DialectId::anthropic, .raw = "sig"});
  const std::string google = wrap_seal({.dialect = DialectId::gemini, .raw = "thought"});
  const ChatRequest request =
      read(R"({"model":"m","messages":[{"role":"assistant","content":null,"reasoning_content":"T",
    "reasoning_details":[{"type":"reasoning.text","text":"T","signature":")" +
           claude + R"("}],"tool_calls":[
    {"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":")" +
           google + R"("}}},
    {"id":"2","type":"function","function":{"name":"f","arguments":"{}"},"provider_specific_fields":{"thought_signature":"raw"}}]},
    {"role":"assistant","content":"x","thinking_blocks":[{"type":"thinking","thinking":"T2","signature":"s2"},{"type":"redacted_thinking","data":"d"}]}]})");
  const auto& first = request.turns[0].parts;
  EXPECT_EQ(first[0].as<Reasoning>()->text, "T");
  EXPECT_EQ(first[0].seal, (Seal{.dialect = DialectId::anthropic, .raw = "sig"}));
  EXPECT_EQ(first[1].seal, (Seal{.dialect = DialectId::gemini, .raw = "thought"}));
  EXPECT_EQ(first[2].seal, (Seal{.dialect = DialectId::gemini, .raw = "raw"}));
  const auto& second = request.turns[1].parts;
  EXPECT_EQ(second[0].seal, (Seal{.dialect = DialectId::anthropic, .raw = "s2"}));
  EXPECT_TRUE(second[1].as<Reasoning>()->redacted);
}

TEST(OpenaiChatVendors, RealOpenaiNeverSeesAnUnknownField) {
  std::vector<Note> notes;
  const std::string body = write(read(R"({"model":"m","messages":[{"role":"user","content":"hi"}],"tide":1,"store":true,
    "top_k":5,"min_p":0.1})"),
                                 "openai", "gpt-4o", &notes);
  EXPECT_THAT(body, Not(HasSubstr("tide")));
  EXPECT_THAT(body, HasSubstr("\"store\":true"));
  EXPECT_TRUE(noted(notes, "/tide"));
  EXPECT_TRUE(noted(notes, "/top_k"));
  EXPECT_TRUE(noted(notes, "/min_p"));
  EXPECT_THAT(write(read(R"({"model":"m","messages":[{"role":"user","content":"hi"}],"tide":1})"), "compatible"),
              HasSubstr("\"tide\":1"));
}

TEST(OpenaiChatVendors, ReasoningModelsGetOnlyWhatTheyTake) {
  const ChatRequest request = read(R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9,
    "temperature":0.5,"top_p":0.5,"presence_penalty":1,"frequency_penalty":1,"logit_bias":{"1":1},"stop":"x","n":2,"seed":3})");
  std::vector<Note> notes;
  const std::string body = write(request, "openai", "o4-mini", &notes);
  EXPECT_EQ(member(body, "max_completion_tokens"), "9");
  EXPECT_EQ(member(body, "seed"), "3");
  for (const std::string_view gone :
       {"max_tokens", "temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "stop", "n"}) {
    EXPECT_EQ(member(body, gone), "") << gone;
    if (gone != "max_tokens") EXPECT_TRUE(noted(notes, '/' + std::string(gone))) << gone;
  }
  EXPECT_EQ(member(write(request, "openai", "gpt-4o"), "max_tokens"), "9");
  EXPECT_EQ(member(write(request, "openai", "gpt-4o"), "temperature"), "0.5");
  EXPECT_EQ(member(write(request, "openai", "gpt-5.1"), "temperature"), "0.5");  // its default effort is none
  EXPECT_EQ(member(write(request, "openai", "gpt-5.6"), "temperature"), "");
  EXPECT_EQ(member(write(request, "openai", "gpt-5"), "temperature"), "");
  EXPECT_EQ(member(write(request, "openai", "gpt-5-chat-latest"), "temperature"), "0.5");
}

TEST(OpenaiChatVendors, ToolsOnNewReasoningModelsTurnReasoningOffOrAreRefused) {
  const std::string tools = R"(,"tools":[{"type":"function","function":{"name":"f"}}]})";
  const ChatRequest request = read(plain.substr(0, plain.size() - 1) + tools);
  std::vector<Note> notes;
  EXPECT_EQ(member(write(request, "openai", "gpt-5.6", &notes), "reasoning_effort"), "\"none\"");
  EXPECT_TRUE(noted(notes, "/reasoning_effort"));
  EXPECT_EQ(member(write(request, "openai", "gpt-5.4"), "reasoning_effort"), "");
  Notes more;
  const auto refused = write_request(request, {.model = "gpt-6-astra", .provider = "openai"}, more);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::unsupported);
}

TEST(OpenaiChatVendors, EffortBecomesTheNearestThatTheModelKnows) {
  const auto effort = [](std::string_view word, std::string_view provider, std::string_view model,
                         std::string_view field) {
    return member(write(read(R"({"model":"m","messages":[{"role":"user","content":"hi"}],"reasoning_effort":")" +
                             std::string(word) + "\"}"),
                        provider, model),
                  field);
  };
  EXPECT_EQ(effort("minimal", "openai", "gpt-5.6", "reasoning_effort"), "\"low\"");
  EXPECT_EQ(effort("minimal", "openai", "gpt-5", "reasoning_effort"), "\"minimal\"");
  EXPECT_EQ(effort("max", "openai", "o3", "reasoning_effort"), "\"high\"");
  EXPECT_EQ(effort("none", "openai", "o3", "reasoning_effort"), "\"low\"");
  EXPECT_EQ(effort("high", "openrouter", "x", "reasoning"), R"({"effort":"high"})");
  EXPECT_EQ(effort("none", "deepseek", "deepseek-v4", "thinking"), R"({"type":"disabled"})");
  EXPECT_EQ(effort("high", "qwen", "qwen3", "enable_thinking"), "true");
}

TEST(OpenaiChatVendors, AbsentStaysAbsent) {
  for (const std::string_view provider : {"openai", "azure", "deepseek", "qwen", "moonshot", "zhipu", "mistral", "groq",
                                          "xai", "together", "openrouter", "compatible"}) {
    EXPECT_EQ(write(read(plain), provider), plain) << provider;
  }
}

TEST(OpenaiChatVendors, SystemStandsForDeveloperWhereThatIsUnknown) {
  const ChatRequest request = read(
      R"({"model":"m","messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","content":"x"}]})");
  EXPECT_THAT(write(request, "openai"), HasSubstr(R"("role":"developer")"));
  EXPECT_THAT(write(request, "deepseek"), HasSubstr(R"({"role":"system","content":"a\n\nb"})"));
}

TEST(OpenaiChatVendors, MistralGetsNineLetterIdsOnBothSides) {
  const std::string body = write(read(R"({"model":"m","messages":[{"role":"user","content":"x"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"call_toolong1","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"call_toolong1","content":"y"}],"seed":4})"),
                                 "mistral");
  json::Document doc;
  const auto root = doc.parse(body);
  ASSERT_TRUE(root);
  const std::string id = (*root)["messages"].at(1)["tool_calls"].at(0)["id"].text();
  EXPECT_EQ(id.size(), 9U);
  EXPECT_EQ((*root)["messages"].at(2)["tool_call_id"].text(), id);
  EXPECT_EQ(member(body, "random_seed"), "4");
}

TEST(OpenaiChatVendors, DeepseekHearsItsReasoningAgainBehindCalls) {
  const std::string body = write(read(R"({"model":"m","messages":[{"role":"user","content":"x"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c","content":"y"}]})"),
                                 "deepseek");
  EXPECT_THAT(body, HasSubstr(R"("reasoning_content":"")"));
}

TEST(OpenaiChatVendors, ParallelCallsMeanNothingWithoutTools) {
  const ChatRequest request = read(plain.substr(0, plain.size() - 1) + R"(,"tools":[],"parallel_tool_calls":false})");
  std::vector<Note> notes;
  EXPECT_EQ(member(write(request, "openai", "gpt-4o", &notes), "parallel_tool_calls"), "");
  EXPECT_TRUE(noted(notes, "/parallel_tool_calls"));
}

// A conversation that another dialect's client had.
ChatRequest foreign() {
  ChatRequest request{.origin = DialectId::anthropic, .model = "m"};
  const auto text = [](std::string words) { return Part{.body = Text{.text = std::move(words)}}; };
  request.turns.push_back({.role = Role::system, .parts = {text("be kind")}});
  request.turns.push_back({.role = Role::user, .parts = {text("look")}});
  Part thought{.body = Reasoning{.text = "hm"}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "sig"}};
  request.turns.push_back({.role = Role::assistant,
                           .parts = {thought,
                                     text("I look."),
                                     {.body = ToolCall{.id = "toolu_1", .name = "see"}},
                                     {.body = ToolCall{.id = "toolu_2", .name = "hear"}}}});
  ToolResult seen{.call_id = "toolu_1", .is_error = true};
  seen.parts = {text("fog"), {.body = Media{.form = MediaForm::base64, .data = "iVBO", .mime = "image/png"}}};
  request.turns.push_back({.role = Role::user, .parts = {{.body = seen}, text("well?")}});
  return request;
}

TEST(OpenaiChatTurns, ResultsStandBehindTheirCallsAndImagesBehindTheResults) {
  std::vector<Note> notes;
  const std::string body = write(foreign(), "openai", "gpt-4o", &notes);
  EXPECT_EQ(
      member(body, "messages"),
      R"([{"role":"system","content":"be kind"},{"role":"user","content":"look"},)"
      R"({"role":"assistant","content":"I look.","tool_calls":[)"
      R"({"id":"toolu_1","type":"function","function":{"name":"see","arguments":"{}"}},)"
      R"({"id":"toolu_2","type":"function","function":{"name":"hear","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"toolu_1","content":[{"type":"text","text":"Error: fog"},{"type":"text","text":"[image attached]"}]},)"
      R"({"role":"tool","tool_call_id":"toolu_2","content":"Error: Tool call was not executed"},)"
      R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]},)"
      R"({"role":"user","content":"well?"}])");
  EXPECT_TRUE(noted(notes, "/messages/1/content/0"));  // the thought: openai takes none
}

// What only an assistant says is no part of other messages, and never an object without a type.
TEST(OpenaiChatTurns, OnlyAnAssistantCallsAndThinks) {
  for (const std::string_view role : {"user", "system"}) {
    std::vector<Note> notes;
    const std::string body =
        write(read(R"({"model":"m","messages":[{"role":")" + std::string(role) +
                   R"(","content":"hi","reasoning_content":"hm","tool_calls":[{"id":"a","type":"function",)"
                   R"("function":{"name":"f","arguments":"{}"}}]}]})"),
              "compatible", "m", &notes);
    EXPECT_EQ(json::difference(member(body, "messages"),
                               R"([{"role":")" + std::string(role) + R"(","content":[{"type":"text","text":"hi"}]}])"),
              "");
    EXPECT_TRUE(noted(notes, "/messages/0/reasoning_content")) << role;
    EXPECT_TRUE(noted(notes, "/messages/0/tool_calls/0")) << role;
  }
}

// The plain text of thoughts and their entries say the same: neither is told twice, and nothing is dropped.
TEST(OpenaiChatTurns, ThoughtsAreReadOnceHoweverTheirEntriesLie) {
  const auto thoughts = [](std::string_view plain_text, std::string_view entries) {
    std::string body = R"({"model":"m","messages":[{"role":"assistant","content":"c","reasoning_content":")";
    body.append(plain_text).append(R"(","reasoning_details":[)").append(entries).append("]}]}");
    std::string out;
    for (const Part& part : read(body).turns[0].parts) {
      if (const auto* thought = part.as<Reasoning>()) out += thought->text + (part.seal ? "!" : "") + ' ';
    }
    return out;
  };
  const std::string b = R"({"type":"reasoning.text","text":"b","signature":"s"})";
  const std::string d = R"({"type":"reasoning.text","text":"d","signature":"s"})";
  EXPECT_EQ(thoughts("ab", b), "a b! ");
  EXPECT_EQ(thoughts("bc", b), "b! c ");
  EXPECT_EQ(thoughts("abc", b), "a b! c ");
  EXPECT_EQ(thoughts("abcde", b + ',' + d), "a b! c d! e ");
  EXPECT_EQ(thoughts("another", b), "b! ");
}

TEST(OpenaiChatTurns, AThoughtBehindTheTextMovesToTheFrontAndIsNoted) {
  std::vector<Note> notes;
  const std::string body =
      write(read(R"({"model":"m","messages":[{"role":"assistant","content":[{"type":"text","text":"a"},)"
                 R"({"type":"thinking","thinking":"b"},{"type":"text","text":"c"}]}]})"),
            "compatible", "m", &notes);
  EXPECT_THAT(body, HasSubstr(R"("reasoning_content":"b")"));
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].reason, "reasoning amid an answer moved to its front");
}

TEST(OpenaiChatTurns, AForeignProofIsNeverSentToAStranger) {
  const std::string body = write(foreign(), "openrouter");
  EXPECT_THAT(body, Not(HasSubstr("sig")));
  EXPECT_THAT(body, HasSubstr(R"("reasoning":"hm")"));
}

}  // namespace
}  // namespace sluice::openai_chat
