// What the laws cannot see of answers: other dialects' events as a Messages stream, defects of upstreams, errors,
// doors. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/anthropic/anthropic.h"
#include "dialects/seal_envelope.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace sluice::anthropic {
namespace {

const Question question{.model = "smart", .exchange_id = "exchange-1"};

std::string written(const std::vector<Event>& events) {
  const auto writer = stream_writer(question);
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

std::vector<Event> read(std::string_view stream) {
  std::vector<Event> out;
  const auto framer = anthropic_dialect().framer("text/event-stream");
  const auto reader = stream_reader();
  framer->feed(stream);
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) reader->read(**frame, out);
  reader->end(out);
  return out;
}

std::string frame(std::string_view name, std::string_view data) {
  return "event: " + std::string(name) + "\ndata: " + std::string(data) + "\n\n";
}

const std::string start = frame(
    "message_start",
    R"({"type":"message_start","message":{"id":"msg_1","model":"claude","usage":{"input_tokens":7,"output_tokens":1}}})");
std::string block(int index, std::string_view content) {
  return frame("content_block_start", R"({"type":"content_block_start","index":)" + std::to_string(index) +
                                          R"(,"content_block":)" + std::string(content) + '}');
}
std::string delta(int index, std::string_view content) {
  return frame("content_block_delta", R"({"type":"content_block_delta","index":)" + std::to_string(index) +
                                          R"(,"delta":)" + std::string(content) + '}');
}
const std::string text_block = block(0, R"({"type":"text","text":""})");
const std::string hello = delta(0, R"({"type":"text_delta","text":"Hello"})");
const std::string finish =
    frame(
        "message_delta",
        R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":9,"output_tokens":5}})") +
    frame("message_stop", R"({"type":"message_stop"})");

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

bool fails(std::string_view stream) {
  const auto events = read(stream);
  Grammar grammar;
  for (const Event& event : events) EXPECT_EQ(grammar.check(event), "");
  EXPECT_EQ(grammar.check_end(), "");
  return std::holds_alternative<Failed>(events.back());
}

TEST(AnthropicStream, WritesWhatAnotherVendorStreamed) {
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::openai_chat, .id = "chatcmpl-1", .model = "gpt"}},
      BlockStart{.part = {.body = Reasoning{}}},
      Delta{.text = "hmm"},
      BlockStop{},
      BlockStart{.block = 1, .part = {.body = Text{}}},
      Delta{.block = 1, .text = "a \"b\"\n"},
      BlockStop{.block = 1},
      BlockStart{.block = 2, .part = {.body = ToolCall{.id = "call_1", .name = "f"}}},
      Delta{.block = 2, .text = "{\"x\":"},
      Delta{.block = 2, .text = "1}"},
      BlockStop{.block = 2},
      Finish{.stop = {.kind = StopKind::tool_calls, .raw = "tool_calls"}},
      UsageSeen{{.input = 3, .cache_read = 4, .output = 5, .reasoning = 6}},
      End{},
  });
  EXPECT_EQ(out,
            R"(event: message_start
data: {"type":"message_start","message":{"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":{"input_tokens":0,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hmm"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"a \"b\"\n"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_1","name":"f","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":11,"output_tokens_details":{"thinking_tokens":6}}}

event: message_stop
data: {"type":"message_stop"}

)");
}

TEST(AnthropicStream, OpensNoBlockThatStaysEmpty) {
  const std::string out = written({Begin{}, BlockStart{.part = {.body = Text{}}}, BlockStop{},
                                   BlockStart{.block = 1, .part = {.body = Text{}}}, Delta{.block = 1, .text = "x"},
                                   BlockStop{.block = 1}, Finish{.stop = {.kind = StopKind::end}}, End{}});
  EXPECT_EQ(count(out, "event: content_block_start"), 1U);
  EXPECT_TRUE(out.contains(R"("index":0)"));
  EXPECT_FALSE(out.contains(R"("index":1)"));
}

TEST(AnthropicStream, CarriesProofsOfOtherVendors) {
  const Seal seal{.dialect = DialectId::gemini, .raw = "CiQ="};
  const std::string out = written(
      {Begin{.reply = {.origin = DialectId::gemini}}, BlockStart{.part = {.body = Reasoning{}}}, Delta{.text = "t"},
       BlockStop{.seal = seal}, BlockStart{.block = 1, .part = {.body = ToolCall{.name = "f"}}},
       Delta{.block = 1, .text = "{}"}, BlockStop{.block = 1, .seal = seal}, Finish{}, End{}});
  EXPECT_TRUE(out.contains(R"({"type":"signature_delta","signature":")" + wrap_seal(seal) + '"'));
  // In front of the call, which gets an id of its own.
  const auto proof = out.find(R"({"type":"redacted_thinking","data":")" + wrap_seal(seal) + ">\"");
  ASSERT_NE(proof, std::string::npos);
  EXPECT_GT(out.find(R"("type":"tool_use","id":"toolu_)"), proof);
}

TEST(AnthropicStream, SpeaksAFailureAndNeverAnEndAfterIt) {
  const std::string out = written({Begin{}, BlockStart{.part = {.body = Text{}}}, Delta{.text = "Half"},
                                   Failed{{.fault = Fault::upstream_overloaded, .message = "Later."}}});
  EXPECT_TRUE(
      out.ends_with("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                    "\"message\":\"Later.\"},\"request_id\":\"exchange-1\"}\n\n"));
  EXPECT_FALSE(out.contains("message_stop"));
}

TEST(AnthropicStream, KeepsUnknownMembersOfItsOwnDeltas) {
  const std::string stream =
      start + text_block + delta(0, R"({"type":"text_delta","text":"x","tone":{"warm":true}})") + finish;
  EXPECT_TRUE(written(read(stream)).contains(R"({"type":"text_delta","text":"x","tone":{"warm":true}})"));
}

TEST(AnthropicStream, KeepsAliveWithAPing) {
  const auto writer = stream_writer(question);
  std::string out;
  writer->write(Begin{.reply = {.id = "msg_1"}}, out);
  writer->keep_alive(out);
  EXPECT_TRUE(out.starts_with("event: message_start\n"));
  EXPECT_TRUE(out.ends_with("event: ping\ndata: {\"type\":\"ping\"}\n\n"));
}

TEST(AnthropicStream, CountsUsageOnceAndBelievesTheLastWord) {
  Fold fold;
  for (const Event& event : read(start + text_block + hello + finish)) fold.add(event);
  const auto reply = fold.take();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->usage.input, 9);
  EXPECT_EQ(reply->usage.output, 5);
  EXPECT_EQ(reply->usage.raw, R"({"input_tokens":9,"output_tokens":5})");
}

TEST(AnthropicStream, EndsOnlyWithMessageStop) {
  EXPECT_FALSE(fails(start + text_block + hello + finish));
  EXPECT_TRUE(fails(start + text_block + hello));
  EXPECT_TRUE(fails(start));
  EXPECT_TRUE(fails(""));
  EXPECT_TRUE(fails("data: [DONE]\n\n"));
  EXPECT_TRUE(fails(finish));
}

TEST(AnthropicStream, RefusesDefectsThatWouldMixAnswers) {
  std::string other = start;
  other.replace(other.find("msg_1"), 5, "msg_2");
  EXPECT_TRUE(fails(start + other + finish));
  EXPECT_TRUE(fails(start + hello + finish));
  EXPECT_TRUE(fails(start + text_block + delta(3, R"({"type":"text_delta","text":"x"})") + finish));
  EXPECT_TRUE(fails(start + "data: {\"type\":\n\n" + finish));
  EXPECT_TRUE(fails(text_block + hello + finish));
}

TEST(AnthropicStream, LivesWithHabitsOfLookAlikes) {
  // No block stop, no event names, an input that came with its opening, a second stop.
  std::string stream =
      start + text_block + hello + block(1, R"({"type":"tool_use","id":"a","name":"f","input":{"x":1}})");
  stream += frame("content_block_stop", R"({"type":"content_block_stop","index":1})");
  stream += frame("content_block_stop", R"({"type":"content_block_stop","index":1})") + finish + "data: [DONE]\n\n";
  for (auto at = stream.find("event: "); at != std::string::npos; at = stream.find("event: ")) {
    stream.erase(at, stream.find('\n', at) + 1 - at);
  }
  Fold fold;
  for (const Event& event : read(stream)) fold.add(event);
  const auto reply = fold.take();
  ASSERT_TRUE(reply) << reply.error()->detail;
  ASSERT_EQ(reply->choices.at(0).parts.size(), 2U);
  EXPECT_EQ(reply->choices[0].parts[1].as<ToolCall>()->arguments, R"({"x":1})");
}

TEST(AnthropicStream, NeverShowsThinkingAsText) {
  const auto events = read(start + text_block + delta(0, R"({"type":"thinking_delta","thinking":"secret"})") + finish);
  EXPECT_TRUE(std::ranges::none_of(events, [](const Event& e) { return std::holds_alternative<Delta>(e); }));
  EXPECT_TRUE(std::ranges::any_of(events, [](const Event& e) { return std::holds_alternative<OpaqueEvent>(e); }));
}

TEST(AnthropicStream, IsObservedWithoutBeingRead) {
  const auto framer = anthropic_dialect().framer("text/event-stream");
  const auto reader = stream_reader();
  const std::string stream = start + text_block + hello + finish;
  framer->feed(stream);
  std::vector<Sight> sights;
  for (auto f = framer->next(); f && *f; f = framer->next()) sights.push_back(reader->observe(**f));
  ASSERT_EQ(sights.size(), 5U);
  EXPECT_EQ(sights[0].usage->input, 7);
  EXPECT_FALSE(sights[1].content);
  EXPECT_TRUE(sights[2].content);
  EXPECT_EQ(sights[3].usage->input, 9);
  EXPECT_TRUE(sights[4].terminal);
  EXPECT_TRUE(reader->complete());
}

TEST(AnthropicReply, WritesWhatAnotherVendorAnswered) {
  Choice choice{.stop = {.kind = StopKind::end, .raw = "STOP", .origin = DialectId::gemini}};
  const Seal seal{.dialect = DialectId::gemini, .raw = "CiQ="};
  choice.parts.push_back({.body = Text{}});
  choice.parts.push_back({.body = Text{.text = "Hi"}});
  choice.parts.push_back({.body = ToolCall{.name = "f", .arguments = "broken"}, .seal = seal});
  Notes notes;
  const std::string body = write_reply({.origin = DialectId::gemini, .choices = {choice, choice}}, question, notes);
  json::Document doc;
  const auto root = doc.parse(body);
  ASSERT_TRUE(root);
  EXPECT_EQ((*root)["content"].size(), 3U);
  EXPECT_EQ((*root)["content"].at(1)["type"].text(), "redacted_thinking");
  EXPECT_EQ((*root)["content"].at(2)["input"].raw(), R"({"input":"broken"})");
  EXPECT_EQ((*root)["stop_reason"].text(), "tool_use");
  EXPECT_EQ((*root)["model"].text(), "smart");
  EXPECT_TRUE(std::ranges::any_of(notes.all(), [](const Note& n) { return n.pointer == "/candidates/1"; }));
  // And back: the proof is on the call again.
  const auto again = read_reply(body);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->choices.at(0).parts.at(1).seal, seal);
}

TEST(AnthropicReply, AnErrorInsideA200IsThatError) {
  const auto reply = read_reply(R"({"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}})");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error()->fault, Fault::upstream_limited);
  EXPECT_EQ(read_reply("<html>").error()->fault, Fault::upstream_broken);
  EXPECT_EQ(read_reply("{}").error()->fault, Fault::upstream_broken);
  EXPECT_EQ(read_reply(R"({"content":[{"type":"tool_use"}]})").error()->fault, Fault::upstream_broken);
}

TEST(AnthropicErrors, MapToFaults) {
  const auto fault = [](int status, std::string_view type) {
    return read_error(status, R"({"type":"error","error":{"type":")" + std::string(type) + R"(","message":"m"}})")
        .fault;
  };
  EXPECT_EQ(fault(400, "invalid_request_error"), Fault::upstream_rejected);
  EXPECT_EQ(fault(401, "authentication_error"), Fault::upstream_denied);
  EXPECT_EQ(fault(402, "billing_error"), Fault::upstream_denied);
  EXPECT_EQ(fault(403, "permission_error"), Fault::upstream_denied);
  EXPECT_EQ(fault(404, "not_found_error"), Fault::upstream_rejected);
  EXPECT_EQ(fault(413, "request_too_large"), Fault::upstream_rejected);
  EXPECT_EQ(fault(429, "rate_limit_error"), Fault::upstream_limited);
  EXPECT_EQ(fault(500, "api_error"), Fault::upstream_failed);
  EXPECT_EQ(fault(502, "api_error"), Fault::upstream_failed);
  EXPECT_EQ(fault(503, "api_error"), Fault::upstream_overloaded);
  EXPECT_EQ(fault(504, "timeout_error"), Fault::upstream_timeout);
  EXPECT_EQ(fault(529, "overloaded_error"), Fault::upstream_overloaded);
  EXPECT_EQ(read_error(503, "").fault, Fault::upstream_overloaded);
  EXPECT_EQ(read_error(502, "<html>").fault, Fault::upstream_failed);
  EXPECT_EQ(read_error(400, R"({"error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}})").code,
            "context_length_exceeded");
}

TEST(AnthropicErrors, SayTooLongInTheWordsThatAgentsLookFor) {
  const std::string body = write_error(
      {.fault = Fault::upstream_rejected, .message = "Context of 9 tokens.", .code = "context_length_exceeded"}, "");
  EXPECT_TRUE(body.contains(R"("message":"prompt is too long: Context of 9 tokens.")"));
}

TEST(AnthropicErrors, OurKeyIsNeverTheClientsAffair) {
  const Error error =
      read_error(401, R"({"type":"error","error":{"type":"authentication_error","message":"bad key"}})");
  EXPECT_EQ(error.http_status(), 502);
  EXPECT_FALSE(error.message.contains("bad key"));
  EXPECT_TRUE(error.detail.contains("bad key"));
}

TEST(AnthropicErrors, AreWrittenWithATypeForEveryFault) {
  for (int i = 0; i < fault_count; ++i) {
    const std::string body = write_error({.fault = static_cast<Fault>(i), .message = "m"}, "req_1");
    json::Document doc;
    const auto root = doc.parse(body);
    ASSERT_TRUE(root);
    EXPECT_TRUE((*root)["error"]["type"].text().ends_with("_error") ||
                (*root)["error"]["type"].equals("request_too_large"));
    EXPECT_EQ((*root)["request_id"].text(), "req_1");
  }
}

TEST(AnthropicDialect, SeesWhatRoutingNeeds) {
  const auto peek = [](std::string_view body) { return anthropic_dialect().peek({.body = body}); };
  const auto seen = peek(R"({"stream":true,"model":"cla\u0075de","messages":[]})");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->model, "claude");
  EXPECT_TRUE(seen->stream);
  EXPECT_TRUE(seen->usage_asked);
  for (const std::string_view bad :
       {R"({"messages":[]})", R"({"model":"a","model":"b"})", R"({"model":1})", R"({"model":"a","stream":"yes"})",
        R"({"model":"a","stream":true,"stream":false})", R"({"model":"a")", "[]", ""}) {
    const auto refused = peek(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error()->fault, Fault::bad_request);
  }
}

TEST(AnthropicDialect, PassesItsHeadersAndOnlyTheModelOn) {
  const Dialect& dialect = anthropic_dialect();
  const std::vector<HeaderView> headers = {
      {"anthropic-version", "2026-10-21"}, {"anthropic-beta", "a"}, {"x-api-key", "secret"}, {"anthropic-beta", "b,c"}};
  const std::vector<Header> expected = {{"anthropic-version", "2026-10-21"}, {"anthropic-beta", "a,b,c"}};
  EXPECT_EQ(dialect.verbatim_headers({.headers = headers}), expected);
  EXPECT_EQ(dialect.verbatim_headers({}), (std::vector<Header>{{"anthropic-version", "2023-06-01"}}));
  EXPECT_TRUE(dialect.verbatim_edits({.model = "m"}, {.model = "m"}).empty());
  const auto edits = dialect.verbatim_edits({.model = "m"}, {.model = "n"});
  ASSERT_EQ(edits.size(), 1U);
  EXPECT_EQ(json::apply(R"({"model": "m"})", edits).value(), R"({"model": "n"})");
}

TEST(AnthropicDialect, ListsModels) {
  const std::vector<ModelRow> rows = {{.id = "a", .created = 1700000000}, {.id = "b"}};
  EXPECT_EQ(anthropic_dialect().write_models({rows}, false),
            R"({"data":[{"type":"model","id":"a","display_name":"a","created_at":"2023-11-14T22:13:20.000Z"},)"
            R"({"type":"model","id":"b","display_name":"b","created_at":"1970-01-01T00:00:00.000Z"}],)"
            R"("has_more":false,"first_id":"a","last_id":"b"})");
  EXPECT_EQ(anthropic_dialect().write_models(ModelPage{}, false),
            R"({"data":[],"has_more":false,"first_id":null,"last_id":null})");
  EXPECT_TRUE(
      anthropic_dialect().write_models({std::span(rows).first(1)}, true).starts_with(R"({"type":"model","id":"a")"));
}

}  // namespace
}  // namespace sluice::anthropic
