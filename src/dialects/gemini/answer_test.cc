// Answers, streams and errors: what no law can see. SPDX-License-Identifier: MIT
#include "dialects/gemini/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/gemini/gemini.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace sluice::gemini {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Dialect& dialect = gemini_dialect();

Reply read(std::string_view body) {
  auto reply = dialect.read_reply(body);
  EXPECT_TRUE(reply) << reply.error()->detail;
  return reply ? *std::move(reply) : Reply{};
}

std::string chunk(std::string_view parts, std::string_view more = {}) {
  return R"({"candidates":[{"content":{"parts":[)" + std::string(parts) + "]}" + std::string(more) + "}]}";
}
std::vector<Event> stream(const std::vector<std::string>& chunks) {
  const auto reader = dialect.stream_reader();
  std::vector<Event> out;
  for (const std::string& one : chunks) reader->read({.data = one, .raw = one}, out);
  reader->end(out);
  Grammar grammar;
  for (const Event& event : out) EXPECT_EQ(grammar.check(event), "");
  EXPECT_EQ(grammar.check_end(), "");
  return out;
}
Reply folded(const std::vector<std::string>& chunks) {
  Fold fold;
  for (const Event& event : stream(chunks)) fold.add(event);
  auto reply = fold.take();
  EXPECT_TRUE(reply);
  return reply ? *std::move(reply) : Reply{};
}
std::string spoken(const std::vector<Event>& events, bool array = false) {
  const auto writer = dialect.stream_writer({.model = "asked", .exchange_id = "x1", .stream_array = array});
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

TEST(GeminiUsage, IsDisjointAndAddsUp) {
  const Usage usage = read(R"({"candidates":[{}],"usageMetadata":{"promptTokenCount":120,"cachedContentTokenCount":100,
      "candidatesTokenCount":30,"thoughtsTokenCount":50,"toolUsePromptTokenCount":7,"totalTokenCount":207,
      "promptTokensDetails":[{"modality":"AUDIO","tokenCount":11},{"modality":2,"tokenCount":5}]}})")
                          .usage;
  EXPECT_EQ(usage.input, 20);
  EXPECT_EQ(usage.cache_read, 100);
  EXPECT_EQ(usage.tool_input, 7);
  EXPECT_EQ(usage.output, 30);
  EXPECT_EQ(usage.reasoning, 50);
  EXPECT_EQ(usage.audio_input, 11);
  EXPECT_EQ(usage.image_input, 5);
  EXPECT_EQ(usage.total_input() + usage.total_output(), 207);
  EXPECT_FALSE(read(R"({"candidates":[{}],"usageMetadata":{"promptTokenCount":3}})").usage.output);
}

TEST(GeminiUsage, IsWrittenFromOtherVendorsBuckets) {
  const Usage usage{.input = 20, .cache_read = 100, .cache_write_5m = 5, .output = 30, .reasoning = 50};
  EXPECT_EQ(write_usage(usage, "flex"),
            R"({"promptTokenCount":125,"cachedContentTokenCount":100,"candidatesTokenCount":30,)"
            R"("thoughtsTokenCount":50,"totalTokenCount":205,"serviceTier":"flex"})");
  EXPECT_EQ(write_usage({}, ""), "");
}

TEST(GeminiStop, HasAMeaningForEveryWord) {
  struct Row {
    std::string_view word;
    StopKind kind;
  };
  constexpr Row rows[] = {
      {"STOP", StopKind::end},
      {"MAX_TOKENS", StopKind::length},
      {"SAFETY", StopKind::content_filter},
      {"RECITATION", StopKind::content_filter},
      {"SPII", StopKind::content_filter},
      {"IMAGE_SAFETY", StopKind::content_filter},
      {"MALFORMED_FUNCTION_CALL", StopKind::malformed_tool},
      {"UNEXPECTED_TOOL_CALL", StopKind::malformed_tool},
      {"TOO_MANY_TOOL_CALLS", StopKind::malformed_tool},
      {"OTHER", StopKind::error},
      {"CONTINUATION", StopKind::length},
      {"A_WORD_OF_TOMORROW", StopKind::unknown},
  };
  for (const Row& row : rows) EXPECT_EQ(stop_kind(row.word, false), row.kind) << row.word;
  EXPECT_EQ(stop_kind("STOP", true), StopKind::tool_calls);
  EXPECT_EQ(stop_kind("MAX_TOKENS", true), StopKind::length);
  EXPECT_EQ(read(R"({"candidates":[{"finishReason":2}]})").choices[0].stop.kind, StopKind::length);
}

TEST(GeminiReply, ABlockedPromptIsAnAnswer) {
  const Reply reply = read(R"({"promptFeedback":{"blockReason":"SAFETY"}})");
  ASSERT_EQ(reply.choices.size(), 1U);
  EXPECT_EQ(reply.choices[0].stop.kind, StopKind::content_filter);
  EXPECT_EQ(reply.choices[0].stop.raw, "SAFETY");
  EXPECT_FALSE(dialect.read_reply("{}"));
  EXPECT_FALSE(dialect.read_reply("[]"));
}

TEST(GeminiReply, AMessageThatIsNoTextBlocksNothing) {
  const Reply reply =
      read(R"({"candidates":[{"content":{"role":"model"},"finishReason":"STOP","finishMessage":{"a":1}}]})");
  Notes notes;
  const std::string written = dialect.write_reply(reply, {.model = "m", .exchange_id = "e"}, notes);
  EXPECT_TRUE(dialect.read_reply(written)) << written;
  EXPECT_THAT(written, HasSubstr(R"("finishMessage":{"a":1})"));
}

TEST(GeminiReply, AnErrorInsideIsThatError) {
  const auto reply = dialect.read_reply(R"([{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}])");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error()->fault, Fault::upstream_overloaded);
}

TEST(GeminiGrounding, CountsCodePoints) {
  // "Möwe: ⚓ fährt" — the support names bytes.
  const Reply reply = read(R"({"candidates":[{"content":{"parts":[{"text":"Möwe: ⚓ fährt"}]},"groundingMetadata":{
      "groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}}],
      "groundingSupports":[{"segment":{"startIndex":7,"endIndex":17,"text":"⚓ fährt"},"groundingChunkIndices":[0,4]}]}}]})");
  const auto& citations = reply.choices[0].parts[0].as<Text>()->citations;
  ASSERT_EQ(citations.size(), 1U);
  EXPECT_EQ(citations[0].url, "https://a.example");
  EXPECT_EQ(citations[0].start, 6);
  EXPECT_EQ(citations[0].end, 13);
}

TEST(GeminiGrounding, IsWrittenInBytes) {
  Text text{.text = "Möwe: ⚓", .citations = {{.url = "https://a.example", .title = "A", .start = 6, .end = 7}}};
  Reply reply{.choices = {{.parts = {{.body = text}}, .stop = {.kind = StopKind::end}}}};
  Notes notes;
  EXPECT_THAT(dialect.write_reply(reply, {}, notes),
              HasSubstr(R"("groundingSupports":[{"segment":{"startIndex":7,"endIndex":10,"text":"⚓"},)"));
}

TEST(GeminiReply, ClientsAlwaysGetAnIdForACall) {
  Reply reply =
      read(chunk(R"({"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}})", R"(,"finishReason":"STOP")"));
  Notes notes;
  const Reply again = read(dialect.write_reply(reply, {.exchange_id = "x1"}, notes));
  const std::string first = again.choices[0].parts[0].as<ToolCall>()->id;
  EXPECT_THAT(first, StartsWith("call_"));
  EXPECT_NE(first, again.choices[0].parts[1].as<ToolCall>()->id);
}

TEST(GeminiReply, BrokenArgumentsAreMalformed) {
  Part broken{.body = ToolCall{.id = "a", .name = "f", .arguments = "{\"x\":"}};
  const Reply reply{.choices = {{.parts = {broken}, .stop = {.kind = StopKind::tool_calls}}}};
  Notes notes;
  EXPECT_THAT(dialect.write_reply(reply, {}, notes), HasSubstr("\"finishReason\":\"MALFORMED_FUNCTION_CALL\""));
  EXPECT_FALSE(notes.empty());
  EXPECT_THAT(spoken(unfold(reply)), HasSubstr("\"finishReason\":\"MALFORMED_FUNCTION_CALL\""));
}

TEST(GeminiStream, AProofStaysOnItsPart) {
  const Reply reply = folded({chunk(R"({"text":"hm","thought":true})"), chunk(R"({"text":"m","thought":true})"),
                              chunk(R"({"text":"One"})"), chunk(R"({"text":" two"})"),
                              chunk(R"({"text":"signed","thoughtSignature":"s1"})"), chunk(R"({"text":"after"})"),
                              chunk(R"({"text":"","thoughtSignature":"s2"})", R"(,"finishReason":"STOP")")});
  const auto& parts = reply.choices[0].parts;
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].as<Reasoning>()->text, "hmm");
  EXPECT_EQ(parts[1].as<Text>()->text, "One two");
  EXPECT_FALSE(parts[1].seal);
  EXPECT_EQ(parts[2].as<Text>()->text, "signed");
  EXPECT_EQ(parts[2].seal->raw, "s1");
  EXPECT_EQ(parts[3].as<Text>()->text, "after");
  EXPECT_EQ(parts[3].seal->raw, "s2");
}

TEST(GeminiStream, SourcesThatComeLastStandInTheirTexts) {
  const std::string source = R"({"groundingChunkIndices":[0],"segment":{"startIndex":0,"endIndex":4,"text":)";
  const Reply reply = folded({
      chunk(R"({"text":"One."})"),
      chunk(R"({"text":"Two.","thoughtSignature":"s"})"),
      chunk(R"({"functionCall":{"name":"f"}})"),
      R"({"candidates":[{"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example"}}],)"
      R"("groundingSupports":[)" +
          source + R"("One."}},)" + source + R"("Two."}}]}}]})",
      R"({"candidates":[{"finishReason":"STOP","citationMetadata":{"citationSources":[{"uri":"https://b.example"}]}}]})",
  });
  const auto& parts = reply.choices[0].parts;
  ASSERT_EQ(parts.size(), 3U);
  ASSERT_EQ(parts[0].as<Text>()->citations.size(), 1U);
  EXPECT_EQ(parts[0].as<Text>()->citations[0].url, "https://a.example");
  EXPECT_EQ(parts[0].as<Text>()->citations[0].end, 4);
  ASSERT_EQ(parts[1].as<Text>()->citations.size(), 2U);
  EXPECT_EQ(parts[1].as<Text>()->citations[0].cited_text, "Two.");
  EXPECT_EQ(parts[1].as<Text>()->citations[1].url, "https://b.example");
}

TEST(GeminiStream, AProofAloneIsKept) {
  const Reply reply = folded({chunk(R"({"functionCall":{"name":"f"},"thoughtSignature":"s1"})"),
                              chunk(R"({"text":"","thoughtSignature":"s2"})", R"(,"finishReason":"STOP")")});
  ASSERT_EQ(reply.choices[0].parts.size(), 2U);
  EXPECT_EQ(reply.choices[0].parts[0].seal->raw, "s1");
  EXPECT_EQ(reply.choices[0].parts[1].seal->raw, "s2");
  EXPECT_EQ(reply.choices[0].stop.kind, StopKind::tool_calls);
}

TEST(GeminiStream, ArgumentsInPiecesBecomeOneObject) {
  const Reply reply = folded({
      chunk(R"({"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"s"})"),
      chunk(
          R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a.b","stringValue":"on","willContinue":true}],"willContinue":true}})"),
      chunk(
          R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a.b","stringValue":"e"},{"jsonPath":"$.l[0]","numberValue":1.5},
             {"jsonPath":"$.l[1]","boolValue":false},{"jsonPath":"$.n","nullValue":null},{"jsonPath":"$.e[]"}],"willContinue":true}})"),
      chunk(R"({"functionCall":{}})"),
      chunk(R"({"functionCall":{"name":"g"}})", R"(,"finishReason":"STOP")"),
  });
  const auto& parts = reply.choices[0].parts;
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].as<ToolCall>()->arguments, R"({"a":{"b":"one"},"l":[1.5,false],"n":null,"e":[]})");
  EXPECT_EQ(parts[0].seal->raw, "s");
  EXPECT_EQ(parts[1].as<ToolCall>()->arguments, "{}");
}

TEST(GeminiStream, HostilePathsBreakIt) {
  for (const char* path : {"a", "$.l[7]", "$.l[99999999999]", "$", "$.x[", "$[']"}) {
    const auto events = stream({chunk(R"({"functionCall":{"name":"f","willContinue":true}})"),
                                chunk(R"({"functionCall":{"partialArgs":[{"jsonPath":")" + std::string(path) +
                                      R"(","numberValue":1}],"willContinue":true}})")});
    EXPECT_TRUE(std::holds_alternative<Failed>(events.back())) << path;
  }
}

TEST(GeminiStream, TheLastKnownUsageCounts) {
  const Reply reply = folded({
      R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1}})",
      R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":9}})",
      R"({"usageMetadata":{"trafficType":"ON_DEMAND"}})",
  });
  EXPECT_EQ(reply.usage.input, 5);
  EXPECT_EQ(reply.usage.output, 9);
}

TEST(GeminiStream, ObservesWithoutReading) {
  const auto reader = dialect.stream_reader();
  const auto see = [&](std::string_view data) { return reader->observe({.data = data, .raw = data}); };
  EXPECT_FALSE(see(R"({"candidates":[{"content":{"parts":[{"text":""}]}}]})").content);
  const Sight first =
      see(R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":5}})");
  EXPECT_TRUE(first.content);
  EXPECT_FALSE(first.terminal);
  ASSERT_TRUE(first.usage);
  EXPECT_EQ(first.usage->input, 5);
  EXPECT_FALSE(reader->complete());
  const Sight last = see(
      R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2}})");
  EXPECT_TRUE(last.terminal);
  EXPECT_EQ(last.usage->output, 2);
  EXPECT_FALSE(last.usage->raw.empty());
  EXPECT_TRUE(reader->complete());
  EXPECT_TRUE(see(R"({"usageMetadata":{"promptTokenCount":5}})").only_usage);
  const Sight error = see(R"({"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}})");
  ASSERT_TRUE(error.error);
  EXPECT_EQ(error.error->fault, Fault::upstream_limited);
}

TEST(GeminiStream, IsSpokenAsEventsOrAsOneArray) {
  const auto events = unfold(read(chunk(R"({"text":"hi"})", R"(,"finishReason":"STOP")")));
  EXPECT_THAT(spoken(events), StartsWith("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]"));
  EXPECT_TRUE(spoken(events).ends_with("}\r\n\r\n"));
  const std::string array = spoken(events, true);
  EXPECT_TRUE(json::valid(array));
  EXPECT_THAT(array, Not(HasSubstr("data:")));
  std::vector<Event> broken(events.begin(), events.begin() + 3);
  broken.emplace_back(Failed{{.fault = Fault::upstream_broken, .message = "cut"}});
  EXPECT_TRUE(json::valid(spoken(broken, true)));
  EXPECT_THAT(spoken(broken), Not(HasSubstr("finishReason")));
  EXPECT_THAT(spoken(broken), HasSubstr(R"(data: {"error":{"code":502,"message":"cut","status":"INTERNAL"}})"));
}

TEST(GeminiWriter, KeepsAliveWithWhatGooglesClientsSkip) {
  const auto kept = [](bool array) {
    std::string out;
    dialect.stream_writer({.stream_array = array})->keep_alive(out);
    return out;
  };
  EXPECT_EQ(kept(false), "\r\n\r\n");
  EXPECT_EQ(kept(true), "\n");
}

TEST(GeminiArray, RawBytesAreTheStream) {
  const std::string body = "[{\"a\":\"]}\\\"\"}\n,\r\n{\"b\":[{}]}\n]\n";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    const auto framer = dialect.framer("application/json; charset=UTF-8");
    std::string raw, data;
    std::string piece;  // the framer may not hold on to it
    for (std::size_t at = 0; at < body.size(); at += step) {
      piece = body.substr(at, step);
      framer->feed(piece);
      for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
        raw += (*frame)->raw;
        data += std::string((*frame)->data) + ((*frame)->comment ? "!" : ";");
      }
      piece.assign(piece.size(), '#');
    }
    EXPECT_TRUE(framer->end());
    EXPECT_EQ(raw, body.substr(0, body.size() - 1));
    EXPECT_EQ(data, "{\"a\":\"]}\\\"\"};{\"b\":[{}]};!");
  }
}

TEST(GeminiArray, WhatIsNoArrayIsBroken) {
  for (const char* body : {"[1]", "[{},]", "]", "[{}{}]", "{},", "hello"}) {
    const auto framer = dialect.framer("application/json");
    framer->feed(body);
    bool broken = false;
    for (int i = 0; i < 4 && !broken; ++i) broken = !framer->next();
    EXPECT_TRUE(broken) << body;
  }
  const auto cut = dialect.framer("application/json");
  cut->feed("[{\"a\":");
  EXPECT_TRUE(cut->next());
  EXPECT_FALSE(cut->end());
}

TEST(GeminiErrors, AreReadByTheTable) {
  const auto fault = [](int status, std::string_view body) { return dialect.read_error(status, body).fault; };
  EXPECT_EQ(fault(400, R"({"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}})"),
            Fault::upstream_rejected);
  EXPECT_EQ(fault(400, R"({"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT","details":
      [{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})"),
            Fault::upstream_denied);
  EXPECT_EQ(fault(403, ""), Fault::upstream_denied);
  EXPECT_EQ(fault(503, "<html>"), Fault::upstream_overloaded);
  EXPECT_EQ(fault(500, "null"), Fault::upstream_failed);
  EXPECT_EQ(fault(504, "[]"), Fault::upstream_timeout);
  const Error limited = dialect.read_error(429, R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":
      [{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.25s"}]}})");
  EXPECT_EQ(limited.fault, Fault::upstream_limited);
  EXPECT_EQ(limited.retry_after, std::chrono::milliseconds(34250));
  const Error missing = dialect.read_error(404, R"({"error":{"code":404,"message":"no such","status":"NOT_FOUND"}})");
  EXPECT_EQ(missing.http_status(), 404);
  EXPECT_EQ(missing.code, "model_not_found");
}

TEST(GeminiErrors, AreSpokenInTheVendorsForm) {
  Error error{.fault = Fault::rate_limited, .message = "Later."};
  error.retry_after = std::chrono::milliseconds(1500);
  EXPECT_EQ(dialect.write_error(error, "id"),
            R"({"error":{"code":429,"message":"Later.","status":"RESOURCE_EXHAUSTED","details":[)"
            R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]}})");
  EXPECT_EQ(dialect.read_error(429, dialect.write_error(error, "id")).retry_after, error.retry_after);
}

TEST(GeminiModels, AreListedAsTheVendorListsThem) {
  const ModelRow rows[] = {{.id = "gpt-4"}, {.id = "gemini-3-pro"}};
  EXPECT_THAT(dialect.write_models({rows}, false), StartsWith(R"({"models":[{"name":"models/gpt-4",)"));
  EXPECT_THAT(dialect.write_models({std::span(rows).subspan(1)}, true),
              StartsWith(R"({"name":"models/gemini-3-pro",)"));
}

}  // namespace
}  // namespace sluice::gemini
