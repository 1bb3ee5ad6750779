// What no law can see of the old text API. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "dialects/held_state.h"
#include "dialects/openai_completions/logprobs.h"
#include "dialects/openai_completions/openai_completions.h"
#include "dialects/registry.h"

namespace sluice::openai_completions {
namespace {

Question question(std::span<const json::TopMember> asked = {}) {
  return {.model = "asked", .exchange_id = "x1", .unix_seconds = 1700000000, .asked = asked};
}

Reply said(std::vector<Part> parts) {
  Reply out{.origin = DialectId::openai_chat};
  out.choices.push_back({.parts = std::move(parts), .stop = {.kind = StopKind::tool_calls, .raw = "tool_calls"}});
  return out;
}

TEST(Completions, RefuseWhatIsNoPrompt) {
  for (const auto& [body, param] : {std::pair{R"({"model":"m"})", "prompt"},
                                    {R"({"prompt":null})", "prompt"},
                                    {R"({"prompt":[]})", "prompt"},
                                    {R"({"prompt":"a","prompt":"b"})", "prompt"},
                                    {R"({"prompt":"a","n":"2"})", "n"},
                                    {R"({"prompt":"a","stop":[1]})", "stop"},
                                    {R"({"prompt":"a","temperature":"1"})", "temperature"}}) {
    const auto request = read_request(body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error()->param, param) << body;
    EXPECT_EQ(request.error()->fault, Fault::bad_request);
  }
}

TEST(Completions, SayWhatOnlyTheyHave) {
  for (const auto& [body, param] : {std::pair{R"({"prompt":["a","b"]})", "prompt"},
                                    {R"({"prompt":[1,2]})", "prompt"},
                                    {R"({"prompt":[[1],[2]]})", "prompt"},
                                    {R"({"prompt":"a","suffix":"c"})", "suffix"}}) {
    const auto refused = held_elsewhere(*read_request(body));
    ASSERT_TRUE(refused) << body;
    EXPECT_EQ(refused->param, param);
    EXPECT_EQ(refused->fault, Fault::unsupported);
  }
  EXPECT_FALSE(held_elsewhere(*read_request(R"({"prompt":["a"],"suffix":null,"echo":true,"best_of":1})")));
}

TEST(Completions, TakeOneTextOfAUserAndNoConversation) {
  const Destination to{.model = "davinci-002", .provider = "openai"};
  Notes notes;
  const auto chat = [](std::string_view body) {
    Notes reading;
    return *dialect(DialectId::openai_chat)->read_request({.body = body}, reading);
  };
  const auto one = write_request(
      chat(R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":9,"reasoning_effort":"low"})"), to,
      notes);
  ASSERT_TRUE(one);
  EXPECT_EQ(json::difference(*one, R"({"model":"davinci-002","prompt":"Hi","max_tokens":9})"), "");
  EXPECT_EQ(header_value(notes.all()), "lost /reasoning_effort");
  for (const auto& [body, param] :
       {std::pair{R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"Hi"}]})", "/messages"},
        {R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x/y"}}]}]})",
         "/messages/0/content/0"},
        {R"({"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f"}}]})",
         "/tools"}}) {
    const auto refused = write_request(chat(body), to, notes);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error()->param, param);
    EXPECT_EQ(refused.error()->fault, Fault::unsupported);
  }
}

TEST(Completions, AnswerWithTextAndNoteTheRest) {
  const Reply reply =
      said({{.body = Reasoning{.text = "hm"}}, {.body = Text{.text = "Bern"}}, {.body = ToolCall{.name = "f"}}});
  Notes notes;
  EXPECT_EQ(json::difference(write_reply(reply, question(), notes),
                             R"({"id":"cmpl-x1","object":"text_completion","created":1700000000,"model":"asked",
                                 "choices":[{"text":"Bern","index":0,"logprobs":null,"finish_reason":"stop"}]})"),
            "");
  EXPECT_EQ(header_value(notes.all()),
            "lost /choices/0/message/reasoning_content; lost /choices/0/message/tool_calls/0");
}

TEST(Completions, RepeatThePromptWhenAsked) {
  const std::string body = R"({"prompt":["Die 🇨🇭"],"echo":true})";
  const auto asked = json::scan_object(body);
  ASSERT_TRUE(asked);
  Notes notes;
  const std::string whole = write_reply(said({{.body = Text{.text = "!"}}}), question(*asked), notes);
  EXPECT_TRUE(whole.contains(R"("text":"Die 🇨🇭!")")) << whole;
  auto writer = stream_writer(question(*asked));
  std::string out;
  writer->write(Begin{.reply = {.origin = DialectId::anthropic}}, out);
  writer->write(BlockStart{.part = {.body = Text{}}}, out);
  writer->write(Delta{.text = "!"}, out);
  EXPECT_TRUE(out.find("Die 🇨🇭") < out.find("\"!\"")) << out;
}

TEST(Completions, TellProbabilitiesOfAChatInFourLists) {
  std::int64_t offset = 3;
  EXPECT_EQ(write_logprobs(
                "{\"content\":[{\"token\":\"ü\",\"logprob\":-1,\"top_logprobs\":[{\"token\":\"u\",\"logprob\":-2}]}]}\n"
                "{\"content\":[{\"token\":\"b\",\"logprob\":-3,\"top_logprobs\":[]}]}",
                true, offset),
            R"({"tokens":["ü","b"],"token_logprobs":[-1,-3],"top_logprobs":[{"u":-2},null],"text_offset":[3,4]})");
  EXPECT_EQ(offset, 5);
  EXPECT_EQ(write_logprobs("{\"content\":null}", true, offset), "null");
  EXPECT_EQ(
      write_logprobs(R"({"content":[{"logprob":-1,"top_logprobs":[{"token":"u"}]},{"token":"b"}]})", true, offset),
      R"({"tokens":["","b"],"token_logprobs":[-1,null],"top_logprobs":[{"u":null},null],"text_offset":[5,5]})");
}

TEST(Completions, SayEachMemberOnce) {
  const auto reply = read_reply(
      R"({"id":"c","object":"text_completion","created":1,"model":"m","usage":null,"choices":[{"text":"Bern",)"
      R"("index":0,"logprobs":null,"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":5,"completion_tokens":2}}})");
  ASSERT_TRUE(reply);
  Notes notes;
  const std::string written = write_reply(*reply, question(), notes);
  EXPECT_EQ(written.find("logprobs"), written.rfind("logprobs")) << written;
  const auto members = json::scan_object(written);
  ASSERT_TRUE(members);
  EXPECT_EQ(std::ranges::count(*members, "usage", &json::TopMember::key), 1) << written;
}

TEST(Completions, AreSeenOnTheirWay) {
  const auto reader = stream_reader();
  const auto see = [&](std::string_view data) { return reader->observe({.data = data, .raw = "\n"}); };
  EXPECT_TRUE(see(R"({"id":"c","choices":[{"text":"a","index":0,"logprobs":null,"finish_reason":null}]})").content);
  EXPECT_TRUE(see(R"({"id":"c","choices":[{"text":"b","index":0,"logprobs":null,"finish_reason":null}]})").content);
  EXPECT_FALSE(reader->complete());
  EXPECT_TRUE(see(R"({"id":"c","choices":[{"text":"","index":0,"finish_reason":"length"}]})").terminal);
  const Sight usage = see(R"({"id":"c","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}})");
  EXPECT_TRUE(usage.only_usage);
  EXPECT_EQ(usage.usage->input, 5);
  EXPECT_TRUE(see("[DONE]").terminal);
}

}  // namespace
}  // namespace sluice::openai_completions
