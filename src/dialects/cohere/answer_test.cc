// What the laws cannot see of answers: other dialects' events as a Chat stream, defects of upstreams, errors, usage,
// proofs that pass through. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/cohere/cohere.h"
#include "dialects/registry.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace sluice::cohere {
namespace {

using testing::HasSubstr;
using testing::Not;

const Question question{.model = "smart", .exchange_id = "exchange-1"};

std::string written(const std::vector<Event>& events) {
  const auto writer = stream_writer(question);
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

std::vector<Event> read(std::string_view stream) {
  std::vector<Event> out;
  const auto framer = cohere_dialect().framer("text/event-stream");
  const auto reader = stream_reader();
  framer->feed(stream);
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) reader->read(**frame, out);
  reader->end(out);
  Grammar grammar;
  for (const Event& event : out) EXPECT_EQ(grammar.check(event), "");
  EXPECT_EQ(grammar.check_end(), "");
  return out;
}

std::string line(std::string_view json) {
  return "data: " + std::string(json) + "\n\n";
}
const std::string start = line(R"({"id":"a","type":"message-start","delta":{"message":{"role":"assistant"}}})");
const std::string text_start =
    line(R"({"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}})");
const std::string hello =
    line(R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hello"}}}})");
std::string end(std::string_view delta) {
  return line(R"({"type":"message-end","delta":)" + std::string(delta) + '}');
}

Result<Reply> folded(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  return fold.take();
}

const Failed* failure(const std::vector<Event>& events) {
  return std::get_if<Failed>(&events.back());
}

TEST(CohereStream, WritesWhatAnotherVendorStreamed) {
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::openai_chat, .id = "chatcmpl-1", .model = "gpt"}},
      BlockStart{.part = {.body = Reasoning{}}},
      Delta{.text = "hmm"},
      BlockStop{},
      BlockStart{.block = 1, .part = {.body = Text{}}},
      BlockStop{.block = 1},
      BlockStart{.block = 2, .part = {.body = Text{}}},
      Delta{.block = 2, .text = "a \"b\"\n"},
      CitationSeen{.block = 2, .citation = {.url = "https://x.example", .title = "X"}},
      BlockStop{.block = 2},
      BlockStart{.block = 3, .part = {.body = ToolCall{.id = "call_1", .name = "f"}}},
      Delta{.block = 3, .text = "{}"},
      BlockStop{.block = 3},
      Finish{.stop = {.kind = StopKind::tool_calls, .raw = "tool_calls"}},
      UsageSeen{{.input = 3, .cache_read = 4, .output = 5, .reasoning = 6}},
      End{},
  });
  EXPECT_EQ(out,
            R"(event: message-start
data: {"id":"chatcmpl-1","type":"message-start","model":"gpt","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

event: content-start
data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}

event: content-delta
data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"hmm"}}}}

event: content-end
data: {"type":"content-end","index":0}

event: content-start
data: {"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}

event: content-delta
data: {"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"a \"b\"\n"}}}}

event: citation-start
data: {"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":6,"text":"a \"b\"\n","sources":[{"type":"document","id":"https://x.example","document":{"title":"X","url":"https://x.example"}}],"content_index":1,"type":"TEXT_CONTENT"}}}}

event: citation-end
data: {"type":"citation-end","index":0}

event: content-end
data: {"type":"content-end","index":1}

event: tool-call-start
data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"call_1","type":"function","function":{"name":"f","arguments":""}}}}}

event: tool-call-delta
data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}

event: tool-call-end
data: {"type":"tool-call-end","index":0}

event: message-end
data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":7,"output_tokens":11},"tokens":{"input_tokens":7,"output_tokens":11,"reasoning_tokens":6},"cached_tokens":4}}}

data: [DONE]

)");
}

TEST(CohereStream, SpeaksAFailureAsOneAndReadsItBack) {
  const std::string out =
      written({Begin{.reply = {.id = "x"}}, Failed{{.fault = Fault::upstream_broken, .message = "cut"}}});
  EXPECT_THAT(out, HasSubstr(R"("delta":{"finish_reason":"ERROR","error":"cut"})"));
  EXPECT_THAT(out, Not(HasSubstr("[DONE]")));
  const auto events = read(out);
  ASSERT_NE(failure(events), nullptr);
  EXPECT_EQ(failure(events)->error.message, "cut");
}

TEST(CohereStream, FailsWithAnAnswerThatFailed) {
  const auto error = read(start + text_start + hello + end(R"({"finish_reason":"ERROR","error":"out of memory"})"));
  ASSERT_NE(failure(error), nullptr);
  EXPECT_EQ(failure(error)->error.fault, Fault::upstream_failed);
  EXPECT_EQ(failure(error)->error.message, "out of memory");
  const auto late = read(start + end(R"({"finish_reason":"TIMEOUT"})"));
  ASSERT_NE(failure(late), nullptr);
  EXPECT_EQ(failure(late)->error.fault, Fault::upstream_timeout);
  // The object that a failed request is answered with, in the middle of a stream.
  const auto plain = read(start + line(R"({"id":"1","message":"internal server error"})"));
  ASSERT_NE(failure(plain), nullptr);
  EXPECT_THAT(failure(plain)->error.message, HasSubstr("internal server error"));
}

TEST(CohereStream, FailsWhereTheUpstreamContradictsItself) {
  EXPECT_NE(failure(read(hello)), nullptr);
  EXPECT_NE(failure(read(start + start)), nullptr);
  EXPECT_NE(failure(read(start + text_start +
                         line(R"({"type":"content-delta","index":3,"delta":{"message":{"content":{"text":"x"}}}})"))),
            nullptr);
  EXPECT_NE(
      failure(read(
          start +
          line(
              R"({"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"x"}}}}})"))),
      nullptr);
  EXPECT_NE(failure(read(start + line("[1]"))), nullptr);
  EXPECT_NE(failure(read(start + line(R"({"type":"content-start","index":0,"delta":{"message":{}}})"))), nullptr);
}

TEST(CohereStream, PutsCitationsToTheirTextAlsoBehindItsEnd) {
  const std::string cite = line(
      R"({"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":5,"text":"Hello","sources":[{"type":"document","id":"d","document":{"url":"https://d.example","title":"D","text":"whole"}}],"type":"TEXT_CONTENT"}}}})");
  const auto reply = folded(read(start + text_start + hello + line(R"({"type":"content-end","index":0})") + cite +
                                 end(R"({"finish_reason":"COMPLETE"})")));
  ASSERT_TRUE(reply);
  const auto* text = reply->choices[0].parts[0].as<Text>();
  ASSERT_NE(text, nullptr);
  ASSERT_EQ(text->citations.size(), 1u);
  EXPECT_EQ(text->citations[0].url, "https://d.example");
  EXPECT_EQ(text->citations[0].cited_text, "whole");
}

TEST(CohereStream, IsWatchedWithoutReading) {
  const auto framer = cohere_dialect().framer("text/event-stream");
  const auto reader = stream_reader();
  const std::string bytes =
      start + hello + end(R"({"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":5,"output_tokens":2}}})");
  framer->feed(bytes);
  std::vector<Sight> seen;
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) seen.push_back(reader->observe(**frame));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_FALSE(seen[0].content);
  EXPECT_TRUE(seen[1].content);
  EXPECT_TRUE(seen[2].terminal);
  ASSERT_TRUE(seen[2].usage);
  EXPECT_EQ(seen[2].usage->input, 5);
  EXPECT_TRUE(reader->complete());
}

// The vendor signs nothing, so this is our own extension: proofs of others pass through a client of this dialect.
TEST(CohereAnswer, CarriesForeignProofsThroughItsClients) {
  Reply reply{.origin = DialectId::anthropic, .id = "m"};
  reply.choices.push_back(
      {.parts = {{.body = Reasoning{.text = "hm"}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "EqoB"}},
                 {.body = Reasoning{.redacted = true}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "data"}},
                 {.body = ToolCall{.id = "t", .name = "f", .arguments = "{}"},
                  .seal = Seal{.dialect = DialectId::gemini, .raw = "thought"}}},
       .stop = {.kind = StopKind::tool_calls, .origin = DialectId::anthropic}});
  Notes notes;
  const auto whole = read_reply(write_reply(reply, question, notes));
  const auto streamed = folded(read(written(unfold(reply))));
  for (const auto& again : {&whole, &streamed}) {
    ASSERT_TRUE(*again);
    const auto& parts = (**again).choices[0].parts;
    ASSERT_EQ(parts.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(parts[i].seal, reply.choices[0].parts[i].seal) << i;
    EXPECT_TRUE(parts[1].as<Reasoning>()->redacted);
  }
}

TEST(CohereAnswer, CountsWhatPassedAndWhatIsCharged) {
  const auto usage = cohere_dialect().reply_usage(
      R"({"message":{},"usage":{"billed_units":{"input_tokens":12,"output_tokens":10},"tokens":{"input_tokens":614.0,"output_tokens":13,"reasoning_tokens":3},"cached_tokens":480}})");
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->input, 134);
  EXPECT_EQ(usage->cache_read, 480);
  EXPECT_EQ(usage->output, 10);
  EXPECT_EQ(usage->reasoning, 3);
  EXPECT_EQ(usage->billed_input, 12);
  EXPECT_EQ(usage->billed_output, 10);
  const auto billed =
      cohere_dialect().reply_usage(R"({"usage":{"billed_units":{"input_tokens":12,"output_tokens":1}}})");
  ASSERT_TRUE(billed);
  EXPECT_EQ(billed->input, 12);
  EXPECT_FALSE(cohere_dialect().reply_usage(R"({"usage":{}})"));
}

TEST(CohereAnswer, FailsWhenNothingWasSaidNorCharged) {
  const auto failed = read_reply(R"({"id":"1","message":{"role":"assistant"},"finish_reason":"TIMEOUT"})");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error()->fault, Fault::upstream_timeout);
  const auto partly = read_reply(
      R"({"id":"1","message":{"role":"assistant","content":[{"type":"text","text":"so"}]},"finish_reason":"ERROR"})");
  ASSERT_TRUE(partly);
  EXPECT_EQ(partly->choices[0].stop.kind, StopKind::error);
}

TEST(CohereAnswer, SaysWhyItEnded) {
  const auto word = [](StopKind kind) {
    Reply reply{.origin = DialectId::gemini};
    reply.choices.push_back(
        {.parts = {{.body = Text{.text = "x"}}}, .stop = {.kind = kind, .origin = DialectId::gemini}});
    Notes notes;
    return write_reply(reply, question, notes);
  };
  EXPECT_THAT(word(StopKind::end), HasSubstr(R"("finish_reason":"COMPLETE")"));
  EXPECT_THAT(word(StopKind::length), HasSubstr(R"("finish_reason":"MAX_TOKENS")"));
  EXPECT_THAT(word(StopKind::context_full), HasSubstr(R"("finish_reason":"MAX_TOKENS")"));
  EXPECT_THAT(word(StopKind::stop_sequence), HasSubstr(R"("finish_reason":"STOP_SEQUENCE")"));
  EXPECT_THAT(word(StopKind::error), HasSubstr(R"("finish_reason":"ERROR")"));
  EXPECT_THAT(word(StopKind::content_filter), HasSubstr(R"("finish_reason":"COMPLETE")"));
}

TEST(CohereErrors, AreReadByStatusAndWords) {
  const Error key = read_error(401, R"({"id":"1","message":"invalid api token: abc"})");
  EXPECT_EQ(key.fault, Fault::upstream_denied);
  EXPECT_THAT(key.message, Not(HasSubstr("abc")));
  EXPECT_EQ(read_error(404, R"({"message":"model 'x' not found"})").code, "model_not_found");
  EXPECT_EQ(read_error(404, R"({"message":"model 'x' not found"})").http_status(), 404);
  EXPECT_EQ(read_error(400, R"({"message":"too many tokens: 300 > 200"})").code, "context_length_exceeded");
  EXPECT_EQ(read_error(429, "{}").fault, Fault::upstream_limited);
  EXPECT_EQ(read_error(503, "<html>").fault, Fault::upstream_overloaded);
  EXPECT_EQ(read_error(500, "").fault, Fault::upstream_failed);
}

TEST(CohereErrors, AreSpokenAsTheVendorDoes) {
  EXPECT_EQ(write_error({.fault = Fault::bad_request, .message = "no"}, "req-1"), R"({"id":"req-1","message":"no"})");
}

}  // namespace
}  // namespace sluice::cohere
