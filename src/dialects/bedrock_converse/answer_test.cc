// What no law can know of answers: proofs, usage, ends, errors, and the form of the stream.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "dialects/laws.h"
#include "dialects/registry.h"
#include "dialects/seal_envelope.h"
#include "model/fold.h"
#include "wire/aws_eventstream.h"

namespace sluice {
namespace {

const Dialect& bedrock() {
  return *dialect(DialectId::bedrock_converse);
}

struct Said {
  std::string event, payload;
  bool failure = false;
};
// The frames of a stream.
std::vector<Said> frames(std::string_view bytes) {
  std::vector<Said> out;
  const auto framer = bedrock().framer("application/vnd.amazon.eventstream");
  framer->feed(bytes);
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
    out.push_back({std::string((*frame)->event), std::string((*frame)->data), (*frame)->failure});
  }
  return out;
}

std::string stream(std::initializer_list<std::pair<std::string_view, std::string_view>> events) {
  std::string out;
  for (const auto& [type, payload] : events) EXPECT_TRUE(aws_eventstream::append_event(out, type, payload));
  return out;
}
std::vector<Event> read(std::string_view bytes) {
  return laws::read_stream(bedrock(), "", {bytes});
}
Error failure(std::string_view bytes) {
  const auto events = read(bytes);
  const auto* failed = events.empty() ? nullptr : std::get_if<Failed>(&events.back());
  EXPECT_NE(failed, nullptr);
  return failed ? failed->error : Error{};
}

Result<Reply> fold(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  return fold.take();
}

std::string write(const Reply& reply) {
  Notes notes;
  return bedrock().write_reply(reply, {.model = "m", .exchange_id = "x-1"}, notes);
}

constexpr std::string_view start = R"({"role":"assistant"})";
constexpr std::string_view stop = R"({"stopReason":"end_turn"})";

TEST(BedrockAnswer, UsageIsInDisjointBuckets) {
  const auto reply = bedrock().read_reply(
      R"({"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn","metrics":{"latencyMs":1},
      "usage":{"inputTokens":50,"outputTokens":40,"totalTokens":1114,"cacheReadInputTokens":1000,"cacheWriteInputTokens":24,
      "cacheDetails":[{"ttl":"1h","inputTokens":20},{"ttl":"5m","inputTokens":4}]}})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->usage.input, 50);
  EXPECT_EQ(reply->usage.cache_read, 1000);
  EXPECT_EQ(reply->usage.cache_write_5m, 4);
  EXPECT_EQ(reply->usage.cache_write_1h, 20);
  EXPECT_EQ(reply->usage.total_input(), 1074);
  // And told anew, of another vendor.
  Reply other{.origin = DialectId::anthropic, .id = "msg_1", .model = "claude"};
  other.choices.push_back({.parts = {{.body = Text{.text = "Hi"}}}, .stop = {.kind = StopKind::length}});
  other.usage = {.input = 5, .cache_read = 2, .cache_write_1h = 3, .output = 7, .reasoning = 4};
  const std::string body = write(other);
  json::Document doc;
  const auto root = doc.parse(body);
  ASSERT_TRUE(root);
  EXPECT_EQ(
      (*root)["usage"].raw(),
      R"({"inputTokens":5,"outputTokens":11,"totalTokens":21,"cacheReadInputTokens":2,"cacheWriteInputTokens":3,"cacheDetails":[{"ttl":"1h","inputTokens":3}]})");
  EXPECT_TRUE((*root)["stopReason"].equals("max_tokens"));
  EXPECT_EQ((*root)["additionalModelResponseFields"].raw(), R"({"id":"msg_1","model":"claude"})");
}

TEST(BedrockAnswer, ProofsOfOthersTravelInEnvelopesAndComeBack) {
  const Seal gemini{.dialect = DialectId::gemini, .issuer = "g", .raw = "c2lnbmVk"};
  Reply reply{.origin = DialectId::gemini};
  Choice& choice = reply.choices.emplace_back();
  choice.parts.push_back({.body = Reasoning{.text = "Hm."}, .seal = gemini});
  choice.parts.push_back({.body = Reasoning{}, .seal = gemini});
  choice.parts.push_back({.body = Reasoning{.redacted = true}, .seal = gemini});
  choice.parts.push_back({.body = ToolCall{.id = "a", .name = "f", .arguments = "{}"}, .seal = gemini});
  choice.stop.kind = StopKind::tool_calls;
  const auto whole = bedrock().read_reply(write(reply));
  ASSERT_TRUE(whole);
  const auto streamed = fold(read(laws::write_stream(bedrock(), unfold(reply))));
  ASSERT_TRUE(streamed);
  for (const Reply& again : {*whole, *streamed}) {
    const auto& parts = again.choices.at(0).parts;
    ASSERT_EQ(parts.size(), 4U);
    for (const Part& part : parts) EXPECT_EQ(part.seal, gemini);
    EXPECT_EQ(parts[0].as<Reasoning>()->text, "Hm.");
    // A thought without words is none that is hidden.
    EXPECT_FALSE(parts[1].as<Reasoning>()->redacted);
    EXPECT_TRUE(parts[2].as<Reasoning>()->redacted);
    EXPECT_EQ(parts[3].as<ToolCall>()->id, "a");
  }
  // What an SDK has decoded and encoded again is still the same text.
  json::Document doc;
  const std::string body = write(reply);
  const json::Value content = (*doc.parse(body))["output"]["message"]["content"];
  const auto bytes = base64_decode(content.at(2)["reasoningContent"]["redactedContent"].text());
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(bytes->starts_with("gw1."));
}

TEST(BedrockAnswer, BlocksWithoutAStartOpenWithTheirFirstDelta) {
  const auto reply = fold(read(stream(
      {{"messageStart", start},
       {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}})"},
       {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"EpsB"}}})"},
       {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"A"}})"},
       {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"text":"B"}})"},
       {"contentBlockStop", R"({"contentBlockIndex":2})"},
       {"contentBlockStop", R"({"contentBlockIndex":2})"},
       {"messageStop", stop},
       {"metadata", R"({"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":9}})"}})));
  ASSERT_TRUE(reply) << reply.error()->detail;
  const auto& parts = reply->choices.at(0).parts;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].seal->raw, "EpsB");
  EXPECT_EQ(parts[1].as<Text>()->text, "A");
  EXPECT_EQ(parts[2].as<Text>()->text, "B");
  EXPECT_EQ(reply->usage.output, 2);
}

TEST(BedrockAnswer, TheUsageComesBehindTheStopAndMayBeMissing) {
  const auto events = read(stream({{"messageStart", start},
                                   {"messageStop", stop},
                                   {"metadata", R"({"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}})"}}));
  ASSERT_GE(events.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Finish>(events[events.size() - 3]));
  EXPECT_TRUE(std::holds_alternative<UsageSeen>(events[events.size() - 2]));
  const auto bare = read(stream({{"messageStart", start}, {"messageStop", stop}}));
  EXPECT_TRUE(std::holds_alternative<End>(bare.back()));
  EXPECT_EQ(failure(stream({{"messageStart", start}})).code, "stream_truncated");
}

TEST(BedrockAnswer, ABlockBehindTheStopIsNoneWhenToldAgain) {
  const auto events = read(stream({{"messageStart", start},
                                   {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"A"}})"},
                                   {"messageStop", stop},
                                   {"contentBlockStart", R"({"contentBlockIndex":1,"start":{"toolUse":{"name":"f"}}})"},
                                   {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"text":"B"}})"},
                                   {"contentBlockStop", R"({"contentBlockIndex":2})"},
                                   {"messageStop", R"({"stopReason":"tool_use"})"},
                                   {"later", R"({"x":1})"},
                                   {"metadata", R"({"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}})"}}));
  const std::string again = laws::write_stream(bedrock(), events);
  const auto reply = fold(read(again));
  ASSERT_TRUE(reply) << reply.error()->detail;
  ASSERT_EQ(reply->choices.at(0).parts.size(), 1U);
  EXPECT_EQ(reply->choices[0].parts[0].as<Text>()->text, "A");
  EXPECT_EQ(reply->choices[0].stop.raw, "end_turn");
  EXPECT_EQ(std::ranges::count(frames(again), "later", &Said::event), 1);
}

TEST(BedrockAnswer, WritesTheStreamAsTheVendorDoes) {
  Reply reply{.origin = DialectId::openai_chat};
  Choice& choice = reply.choices.emplace_back();
  choice.parts.push_back({.body = Reasoning{.text = "Hm."}});
  choice.parts.push_back({.body = Text{.text = ""}});
  choice.parts.push_back({.body = Text{.text = "Hi"}});
  choice.parts.push_back({.body = ToolCall{.id = "a", .name = "f", .arguments = "{\"x\":1}"}});
  choice.stop.kind = StopKind::tool_calls;
  reply.usage = {.input = 1, .output = 2};
  std::string names;
  std::vector<Said> said = frames(laws::write_stream(bedrock(), unfold(reply)));
  for (const Said& one : said) names += one.event + ' ';
  EXPECT_EQ(names,
            "messageStart contentBlockDelta contentBlockStop contentBlockDelta contentBlockStop "
            "contentBlockStart contentBlockDelta contentBlockStop messageStop metadata ");
  EXPECT_EQ(said[3].payload, R"({"contentBlockIndex":1,"delta":{"text":"Hi"}})");
  EXPECT_EQ(said[5].payload, R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"a","name":"f"}}})");
  EXPECT_EQ(said[6].payload, R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"x\":1}"}}})");
  EXPECT_EQ(said[8].payload, R"({"stopReason":"tool_use"})");
  const auto writer = bedrock().stream_writer({});
  std::string nothing;
  writer->keep_alive(nothing);
  EXPECT_EQ(nothing, "");
}

TEST(BedrockAnswer, FailuresInsideStreamsAreReadAndSpoken) {
  std::string bytes;
  ASSERT_TRUE(aws_eventstream::append_exception(bytes, "throttlingException", R"({"message":"slower"})"));
  EXPECT_EQ(failure(bytes).fault, Fault::upstream_limited);
  EXPECT_EQ(failure(bytes).message, "slower");
  std::string late = stream({{"messageStart", start}});
  ASSERT_TRUE(aws_eventstream::append_exception(late, "modelStreamErrorException",
                                                R"({"message":"broke","originalMessage":"inside"})"));
  EXPECT_EQ(failure(late).fault, Fault::upstream_failed);
  EXPECT_NE(failure(late).detail.find("inside"), std::string::npos);
  const aws_eventstream::Header headers[] = {{.name = ":message-type", .value = "error"},
                                             {.name = ":error-code", .value = "Broken"},
                                             {.name = ":error-message", .value = "bare words"}};
  std::string error;
  ASSERT_TRUE(aws_eventstream::append_message(error, headers, ""));
  EXPECT_EQ(failure(error).message, "bare words");
  // A checksum that is wrong is no end.
  std::string broken = stream({{"messageStart", start}, {"messageStop", stop}});
  broken[broken.size() - 1] ^= 1;
  EXPECT_EQ(failure(broken).fault, Fault::upstream_broken);

  const auto writer = bedrock().stream_writer({});
  std::string out;
  writer->write(Failed{Error{.fault = Fault::upstream_limited, .message = "too much"}}, out);
  ASSERT_EQ(frames(out).size(), 1U);
  EXPECT_TRUE(frames(out)[0].failure);
  EXPECT_EQ(frames(out)[0].event, "throttlingException");
  EXPECT_EQ(frames(out)[0].payload, R"({"message":"too much"})");
}

TEST(BedrockAnswer, ErrorsAreToldApartByTheirName) {
  const std::string_view body = R"({"message":"no"})";
  const auto fault = [&](int status, std::string_view kind) { return bedrock().read_error(status, body, kind).fault; };
  EXPECT_EQ(fault(400, "ServiceQuotaExceededException:http://internal.example/"), Fault::upstream_limited);
  EXPECT_EQ(fault(400, "ValidationException"), Fault::upstream_rejected);
  EXPECT_EQ(fault(429, "ModelNotReadyException"), Fault::upstream_overloaded);
  EXPECT_EQ(fault(408, "ModelTimeoutException"), Fault::upstream_timeout);
  EXPECT_EQ(fault(424, "ModelErrorException"), Fault::upstream_failed);
  EXPECT_EQ(fault(404, ""), Fault::upstream_rejected);
  const Error denied = bedrock().read_error(403, R"({"message":"The Canonical String for this request was …"})",
                                            "InvalidSignatureException");
  EXPECT_EQ(denied.fault, Fault::upstream_denied);
  EXPECT_EQ(denied.message.find("Canonical"), std::string::npos);
  EXPECT_EQ(denied.http_status(), fault_row(Fault::upstream_denied).status);
  EXPECT_EQ(bedrock().read_error(403, R"({"__type":"com.amazon.coral.service#ExpiredTokenException"})").fault,
            Fault::upstream_denied);
  EXPECT_EQ(bedrock().read_error(400, R"({"message":"Input is too long for requested model."})").code,
            "context_length_exceeded");
}

TEST(BedrockAnswer, ToolsOfTheVendorComeWhole) {
  const auto reply = fold(read(stream(
      {{"messageStart", start},
       {"contentBlockStart",
        R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"nova_grounding","type":"server_tool_use"}}})"},
       {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"query\":"}}})"},
       {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"\"a\"}"}}})"},
       {"contentBlockStop", R"({"contentBlockIndex":0})"},
       {"contentBlockStart",
        R"({"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"t","type":"x","status":"success"}}})"},
       {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolResult":[{"text":"one"}]}})"},
       {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolResult":[{"text":"two"}]}})"},
       {"contentBlockStop", R"({"contentBlockIndex":1})"},
       {"messageStop", stop}})));
  ASSERT_TRUE(reply);
  const auto& parts = reply->choices.at(0).parts;
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_TRUE(json::same(
      parts[0].as<ServerTool>()->raw,
      R"({"toolUse":{"toolUseId":"t","name":"nova_grounding","type":"server_tool_use","input":{"query":"a"}}})"));
  EXPECT_TRUE(json::same(
      parts[1].as<ServerTool>()->raw,
      R"({"toolResult":{"toolUseId":"t","type":"x","status":"success","content":[{"text":"one"},{"text":"two"}]}})"));
}

// Converse has no place for it: they are among its outputTokens. Pointers are those of whoever counted.
TEST(BedrockAnswer, SaysThatTheCountOfThoughtsIsLost) {
  struct Row {
    DialectId from;
    std::string_view body, at;
  };
  for (const Row& row : {
           Row{DialectId::openai_chat,
               R"({"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":9,)"
               R"("completion_tokens_details":{"reasoning_tokens":4}}})",
               "/usage/completion_tokens_details/reasoning_tokens"},
           Row{DialectId::openai_chat,
               R"({"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":9,)"
               R"("reasoning_tokens":4}})",
               "/usage/reasoning_tokens"},
           Row{DialectId::openai_chat,
               R"({"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":9,)"
               R"("completion_tokens_details":{"reasoning_tokens":0}}})",
               ""},
           Row{DialectId::anthropic,
               R"({"content":[],"usage":{"input_tokens":1,"output_tokens":9,)"
               R"("output_tokens_details":{"thinking_tokens":4}}})",
               "/usage/output_tokens_details/thinking_tokens"},
           Row{DialectId::gemini,
               R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],)"
               R"("usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":5,"thoughtsTokenCount":4}})",
               "/usageMetadata/thoughtsTokenCount"},
       }) {
    const auto reply = dialect(row.from)->read_reply(row.body);
    ASSERT_TRUE(reply) << row.body;
    Notes notes;
    const std::string written = bedrock().write_reply(*reply, {.model = "m", .exchange_id = "x"}, notes);
    EXPECT_TRUE(written.contains(R"("outputTokens":9,)")) << written;
    const auto lost = std::ranges::find(notes.all(), "bedrock counts thoughts among the output", &Note::reason);
    ASSERT_EQ(lost != notes.all().end(), !row.at.empty()) << row.body;
    if (!row.at.empty()) EXPECT_EQ(lost->pointer, row.at);
  }
}

TEST(BedrockAnswer, ListsModels) {
  const ModelRow rows[] = {{.id = "anthropic.claude-x", .owner = "bedrock"}};
  EXPECT_EQ(
      bedrock().write_models({rows}, false),
      R"({"modelSummaries":[{"modelId":"anthropic.claude-x","modelName":"anthropic.claude-x","providerName":"bedrock","modelArn":"arn:aws:bedrock:::foundation-model/anthropic.claude-x"}]})");
}

// Claude behind InvokeModel: the binary chunks hold events of Anthropic's dialect.
TEST(ClaudeOnBedrock, ChunksAreTheVendorsOwnEvents) {
  const Dialect& anthropic = *dialect(DialectId::anthropic);
  const auto chunk = [](std::string_view event) { return R"({"bytes":")" + base64(event) + R"(","p":"abc"})"; };
  std::string bytes;
  for (
      const std::string_view event :
      {R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"usage":{"input_tokens":3,"output_tokens":1}}})",
       R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}})",
       R"({"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":2}})"}) {
    ASSERT_TRUE(aws_eventstream::append_event(bytes, "chunk", chunk(event)));
  }
  for (const std::size_t size : {bytes.size(), std::size_t{7}}) {
    std::vector<std::string_view> pieces;
    for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(pieces.back().size())) {
      pieces.push_back(rest.substr(0, size));
    }
    const auto reply = fold(laws::read_stream(anthropic, "application/vnd.amazon.eventstream", pieces));
    ASSERT_TRUE(reply) << reply.error()->detail;
    EXPECT_EQ(reply->choices.at(0).parts.at(0).as<Text>()->text, "Hi");
    EXPECT_EQ(reply->usage.output, 2);
  }
  const auto framer = anthropic.framer("application/vnd.amazon.eventstream");
  framer->feed(bytes);
  auto frame = framer->next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_TRUE((*frame)->raw.starts_with("event: message_start\ndata: {\"type\":\"message_start\""));
  EXPECT_TRUE((*frame)->raw.ends_with("}\n\n"));

  std::string failed;
  ASSERT_TRUE(aws_eventstream::append_exception(failed, "throttlingException", R"({"message":"slower"})"));
  const auto events = laws::read_stream(anthropic, "application/vnd.amazon.eventstream", {failed});
  const auto* failure = std::get_if<Failed>(&events.back());
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->error.fault, Fault::upstream_limited);
  EXPECT_EQ(anthropic.read_error(400, R"({"message":"no"})", "ServiceQuotaExceededException").fault,
            Fault::upstream_limited);
}

}  // namespace
}  // namespace sluice
