// Streams: what the vendors' chunks mean, what a relay sees of them, and what a client is sent.
// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/openai_chat/openai_chat.h"
#include "dialects/seal_envelope.h"
#include "model/fold.h"

namespace sluice::openai_chat {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<Event> read(const std::vector<std::string>& chunks) {
  std::vector<Event> out;
  const auto reader = stream_reader();
  for (const std::string& chunk : chunks) reader->read({.data = chunk}, out);
  reader->end(out);
  return out;
}

std::string delta(std::string_view inside, std::string_view finish = "null") {
  return R"({"id":"1","choices":[{"index":0,"delta":{)" + std::string(inside) + R"(},"finish_reason":)" +
         std::string(finish) + "}]}";
}

std::string shape(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  const auto reply = fold.take();
  if (!reply) return "failed: " + std::string(fault_row(reply.error()->fault).name);
  std::string out;
  for (const Choice& choice : reply->choices) {
    for (const Part& part : choice.parts) {
      if (const auto* p = part.as<Text>()) out += "text " + p->text + ';';
      if (const auto* p = part.as<Reasoning>()) out += (p->redacted ? "redacted;" : "thought " + p->text + ';');
      if (const auto* p = part.as<Refusal>()) out += "refusal " + p->text + ';';
      if (const auto* p = part.as<ToolCall>()) out += "call " + p->id + ' ' + p->name + ' ' + p->arguments + ';';
      if (part.seal) out += "sealed " + part.seal->raw + ';';
    }
  }
  return out;
}

TEST(OpenaiChatStream, CallsWithoutIndexesOrWithOneThatNeverChanges) {
  EXPECT_EQ(shape(read({delta(R"("tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}])"),
                        delta(R"("tool_calls":[{"id":"b","function":{"name":"g","arguments":"{}"}}])"), "[DONE]"})),
            R"(call a f {"x":1};call b g {};)");
  EXPECT_EQ(
      shape(read({delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}])"),
                  delta(R"("tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}])"), "[DONE]"})),
      "call a f {};call b f {};");
  EXPECT_EQ(shape(read({delta(R"("tool_calls":[{"id":"","function":{"name":"f","arguments":"{}"}}])"),
                        delta(R"("tool_calls":[{"id":"","function":{"name":"g","arguments":"{}"}}])"), "[DONE]"})),
            "call  f {};call  g {};");
  // Starting at five.
  EXPECT_EQ(shape(read({delta(R"("tool_calls":[{"index":5,"id":"a","function":{"name":"f","arguments":""}}])"),
                        delta(R"("tool_calls":[{"index":5,"function":{"arguments":"{}"}}])"), "[DONE]"})),
            "call a f {};");
}

TEST(OpenaiChatStream, RepeatedOrEmptyIdsAndNamesStartNoNewCall) {
  EXPECT_EQ(
      shape(read(
          {delta(R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}])"),
           delta(
               R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"a\":1"}}])"),
           delta(R"("tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":"2}"}}])"),
           delta(R"("tool_calls":[])"), delta("", "\"tool_calls\"")})),
      R"(call a f {"a":12};)");
}

TEST(OpenaiChatStream, AnEmptyTextClosesNoCall) {
  EXPECT_EQ(shape(read({delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}])"),
                        delta(R"("content":"")"), delta(R"("tool_calls":[{"index":0,"function":{"arguments":"}"}}])"),
                        "[DONE]"})),
            "call a f {};");
}

TEST(OpenaiChatStream, InterleavedCallsAreHeldBackInTheirOrder) {
  EXPECT_EQ(
      shape(read(
          {delta(
               R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}},{"index":1,"id":"b","function":{"name":"g","arguments":""}}])"),
           delta(R"("tool_calls":[{"index":1,"function":{"arguments":"{\"y\":"}}])"),
           delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"x\":1}"}}])"),
           delta(R"("tool_calls":[{"index":1,"function":{"arguments":"2}"}}])"), "[DONE]"})),
      R"(call a f {"x":1};call b g {"y":2};)");
}

TEST(OpenaiChatStream, ArgumentsMayComeAsAnObject) {
  EXPECT_EQ(shape(read({delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}])"),
                        "[DONE]"})),
            R"(call a f {"x":1};)");
}

TEST(OpenaiChatStream, ContentBehindTheFinishReasonStillCounts) {
  EXPECT_EQ(
      shape(read(
          {delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}])", "\"tool_calls\""),
           delta(R"("tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}])"), "[DONE]"})),
      "call a f {};call b g {};");
}

TEST(OpenaiChatStream, ReasoningUnderAllItsNames) {
  for (const std::string_view name : {"reasoning_content", "reasoning", "thinking"}) {
    EXPECT_EQ(shape(read({delta('"' + std::string(name) + R"(":"a")"),
                          delta('"' + std::string(name) + R"(":"b","content":"")"), delta(R"("content":"c")"),
                          delta("", "\"stop\"")})),
              "thought ab;text c;");
  }
  EXPECT_EQ(
      shape(read({delta(R"("reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","index":0}])"),
                  delta(R"("reasoning_details":[{"type":"reasoning.text","signature":"s","index":0}])"),
                  delta(R"("content":"c")"), "[DONE]"})),
      "thought a;sealed s;text c;");
}

TEST(OpenaiChatStream, ADetailThatRepeatsTheTextOnlySealsIt) {
  EXPECT_EQ(
      shape(read({delta(R"("reasoning_content":"a")"), delta(R"("reasoning_content":"b")"),
                  delta(R"("reasoning_details":[{"type":"reasoning.text","text":"ab","signature":"s"}])"), "[DONE]"})),
      "thought ab;sealed s;");
}

TEST(OpenaiChatStream, EveryThoughtIsRepeatedByItsOwnDetail) {
  const auto entry = [](std::string_view members) {
    return delta(R"("reasoning_details":[{"type":"reasoning.)" + std::string(members) + "}]");
  };
  EXPECT_EQ(shape(read({delta(R"("reasoning_content":"Hm")"), entry(R"(text","text":"Hm","index":0)"),
                        delta(R"("reasoning_content":", yes.")"),
                        entry(R"(text","text":", yes.","signature":"s","index":1)"), "[DONE]"})),
            "thought Hm;thought , yes.;sealed s;");
  // The first one has none.
  EXPECT_EQ(shape(read({delta(R"("reasoning_content":"Hm")"), delta(R"("reasoning_content":", yes.")"),
                        entry(R"(summary","summary":", yes.","index":0)"), "[DONE]"})),
            "thought Hm, yes.;");
  // Nothing was said before: the same word twice.
  EXPECT_EQ(shape(read({entry(R"(text","text":"ha","index":0)"), entry(R"(text","text":"ha","index":0)"), "[DONE]"})),
            "thought haha;");
}

TEST(OpenaiChatStream, NeitherReasonNorDoneIsAFailure) {
  EXPECT_EQ(shape(read({delta(R"("content":"a")")})), "failed: upstream_broken");
  EXPECT_EQ(shape(read({delta(R"("content":"a")"), "{\"id\":"})), "failed: upstream_broken");
  EXPECT_EQ(shape(read({delta(R"("content":"a")"), delta("", "\"\"")})), "failed: upstream_broken");
  EXPECT_EQ(shape(read({delta(R"("content":"a")"), "[DONE]"})), "text a;");
  // One of two choices has finished.
  EXPECT_EQ(
      shape(read({delta(R"("content":"a")", "\"stop\""), R"({"choices":[{"index":1,"delta":{"content":"b"}}]})"})),
      "failed: upstream_broken");
}

TEST(OpenaiChatStream, ErrorsInsideAreFailures) {
  EXPECT_EQ(shape(read({delta(R"("content":"a")"), R"({"error":{"message":"x","type":"rate_limit_error"}})"})),
            "failed: upstream_limited");
  EXPECT_EQ(shape(read({R"({"error":"overloaded text"})"})), "failed: upstream_failed");
  EXPECT_EQ(shape(read({R"({"error":null,"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]})"})),
            "text a;");
  const auto reader = stream_reader();
  std::vector<Event> out;
  reader->read({.event = "error", .data = R"({"message":"named only"})"}, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Failed>(out[0]));
}

TEST(OpenaiChatSight, SeesUsageEndAndErrorsWithoutReadingContent) {
  const auto reader = stream_reader();
  const auto see = [&](std::string_view data, std::string_view event = {}) {
    return reader->observe({.event = event, .data = data});
  };
  EXPECT_FALSE(see(delta(R"("role":"assistant","content":"")")).content);
  EXPECT_TRUE(see(delta(R"("content":"say \"usage\":{} and \"error\":1 and \"finish_reason\":\"stop\"")")).content);
  EXPECT_FALSE(reader->complete());
  EXPECT_TRUE(see(delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}])")).content);
  EXPECT_TRUE(see(delta("", "\"stop\"")).terminal);
  EXPECT_TRUE(reader->complete());
  const Sight usage = see(R"({"id":"1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})");
  EXPECT_TRUE(usage.only_usage);
  EXPECT_EQ(usage.usage->input, 3);
  EXPECT_FALSE(see(R"({"id":"1","choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":3,"completion_tokens":2}})")
                   .only_usage);
  EXPECT_TRUE(see("[DONE]").terminal);

  const auto broken = stream_reader();
  EXPECT_TRUE(broken->observe({.data = R"({"error":{"message":"x"}})"}).error);
  EXPECT_TRUE(stream_reader()->observe({.data = "{\"id\":"}).error);
  EXPECT_FALSE(broken->complete());
}

TEST(OpenaiChatSight, AFrameLikeTheLastIsOnlyItsText) {
  const auto reader = stream_reader();
  const auto see = [&](std::string_view data) { return reader->observe({.data = data}); };
  EXPECT_TRUE(see(delta(R"("content":"a")")).content);
  EXPECT_TRUE(see(delta(R"("content":"b")")).content);
  EXPECT_TRUE(see(delta(R"("content":"c")")).content);
  EXPECT_FALSE(see(delta(R"("content":"")")).content);
  EXPECT_FALSE(reader->complete());
  // Begins and ends like the last one, and says something else in between.
  EXPECT_TRUE(see(delta(R"("content":"x"},"finish_reason":"stop","y":{"z":"")")).terminal);
  EXPECT_TRUE(reader->complete());
}

TEST(OpenaiChatSight, SeesInEveryFrameWhatAFreshWatchSees) {
  const std::string_view frames[] = {
      R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"obfuscation":"xy"})",
      R"({"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":null}],"obfuscation":"z"})",
      R"({"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"obfuscation":"z"})",
      R"({"choices":[{"index":0,"delta":{"content":"c","tool_calls":[]},"finish_reason":null}],"obfuscation":"z"})",
      R"({"choices":[{"index":1,"delta":{"content":"d"},"finish_reason":null}],"obfuscation":"z"})",
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]})",
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]})",
      R"({"choices":[{"index":0,"delta":{"content":"e"},"finish_reason":null}],"usage":{"prompt_tokens":1}})",
      R"({"choices":[{"index":0,"delta":{"content":"f"},"finish_reason":null}],"error":{"message":"no"}})",
      R"({"obfuscation":"q","choices":[{"index":0,"delta":{"content":"g","reasoning":"h"}}]})",
  };
  for (const std::string_view before : frames) {
    for (const std::string_view after : frames) {
      if (before.contains("\"error\"")) continue;
      const auto used = stream_reader(), fresh = stream_reader();
      const auto raw = [](std::string_view data) { return "data: " + std::string(data) + "\n\n"; };
      (void)used->observe({.data = before, .raw = raw(before)});
      const Sight seen = used->observe({.data = after, .raw = raw(after)});
      const Sight plain = fresh->observe({.data = after, .raw = raw(after)});
      EXPECT_EQ(seen.content, plain.content) << before << after;
      EXPECT_EQ(seen.usage.has_value(), plain.usage.has_value()) << before << after;
      EXPECT_EQ(seen.error.has_value(), plain.error.has_value()) << before << after;
    }
  }
}

std::string write(const std::vector<Event>& events, bool usage_asked = true) {
  const auto writer =
      stream_writer({.model = "asked", .exchange_id = "e1", .unix_seconds = 7, .usage_asked = usage_asked});
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

TEST(OpenaiChatStreamWriter, SpeaksAsTheVendorDoes) {
  Reply head{.origin = DialectId::anthropic, .id = "msg_1", .model = "claude"};
  const std::vector<Event> events = {
      Begin{head},
      BlockStart{.part = {.body = Text{}}},
      Delta{.text = "a\"\n"},
      BlockStop{},
      BlockStart{.block = 1, .part = {.body = ToolCall{.id = "t1", .name = "f"}}},
      BlockStop{.block = 1},
      Finish{.stop = {.kind = StopKind::tool_calls, .raw = "tool_use", .origin = DialectId::anthropic}},
      UsageSeen{{.input = 1, .output = 2, .origin = DialectId::anthropic}},
      End{},
  };
  const std::string head_text =
      R"(data: {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude","choices":[)";
  const auto chunk = [&](std::string_view inside, std::string_view finish = "null") {
    return head_text + R"({"index":0,"delta":{)" + std::string(inside) + R"(},"finish_reason":)" + std::string(finish) +
           "}]}\n\n";
  };
  EXPECT_EQ(
      write(events),
      chunk(R"("role":"assistant","content":"","refusal":null)") + chunk(R"("content":"a\"\n")") +
          chunk(R"("tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":""}}])") +
          chunk(R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])") + chunk("", "\"tool_calls\"") +
          head_text + R"(],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})" +
          "\n\ndata: [DONE]\n\n");
  EXPECT_THAT(write(events, false), Not(HasSubstr("usage")));
}

TEST(OpenaiChatStreamWriter, AFailureIsNeverACleanEnd) {
  const std::string out = write({Begin{}, Failed{Error{.fault = Fault::upstream_timeout, .message = "too slow"}}});
  EXPECT_THAT(out, HasSubstr(R"(data: {"error":{"message":"too slow","type":"timeout")"));
  EXPECT_THAT(out, Not(HasSubstr("[DONE]")));
  EXPECT_THAT(out, Not(HasSubstr(R"("finish_reason":")")));
}

TEST(OpenaiChatStreamWriter, ProofsComeBackTheSame) {
  const Seal claude{.dialect = DialectId::anthropic, .raw = "sig"};
  const Seal google{.dialect = DialectId::gemini, .raw = "thought"};
  const std::string out =
      write({Begin{}, BlockStart{.part = {.body = Reasoning{}}}, Delta{.text = "hm"}, BlockStop{.seal = claude},
             BlockStart{.block = 1, .part = {.body = Reasoning{.redacted = true}}},
             BlockStop{.block = 1, .seal = Seal{.dialect = DialectId::anthropic, .raw = "hidden"}},
             BlockStart{.block = 2, .part = {.body = Text{}}}, Delta{.block = 2, .text = "x"},
             BlockStop{.block = 2, .seal = google},
             BlockStart{.block = 3, .part = {.body = ToolCall{.id = "t", .name = "f"}}},
             BlockStop{.block = 3, .seal = google}, Finish{}, End{}});
  EXPECT_THAT(out, HasSubstr(R"("tool_calls":[{"index":0,"function":{"arguments":""},"extra_content":)"));
  const auto framer = dialect().framer("text/event-stream");
  framer->feed(out);
  std::vector<Event> events;
  const auto reader = stream_reader();
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) reader->read(**frame, events);
  reader->end(events);
  EXPECT_EQ(shape(events),
            "thought hm;sealed sig;redacted;sealed hidden;text x;sealed thought;call t f {};sealed thought;");
}

TEST(OpenaiChatStreamWriter, JsonWithLineBreaksStaysOneEvent) {
  Reply head{.id = "1"};
  head.extras.add(DialectId::openai_chat, "system", "{\n  \"a\": 1\r\n}");
  const std::string out =
      write({Begin{head}, Finish{},
             UsageSeen{{.input = 1, .origin = DialectId::openai_chat, .raw = "{\n\"prompt_tokens\": 1}"}}, End{}});
  for (std::size_t at = 0; at < out.size();) {
    const auto end = out.find("\n\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(out.substr(at, end - at).find('\n'), std::string::npos);
    at = end + 2;
  }
}

TEST(OpenaiChatStreamWriter, SaysATierThatOnlyTheEndKnows) {
  const std::string out = write({Begin{}, Finish{}, End{.service_tier = "flex"}}, false);
  const auto framer = dialect().framer("text/event-stream");
  framer->feed(out);
  std::vector<Event> events;
  const auto reader = stream_reader();
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) reader->read(**frame, events);
  reader->end(events);
  ASSERT_TRUE(std::holds_alternative<End>(events.back()));
  EXPECT_EQ(std::get<End>(events.back()).service_tier, "flex");
}

TEST(OpenaiChatStreamWriter, KeepAliveIsAComment) {
  std::string out;
  stream_writer({})->keep_alive(out);
  EXPECT_EQ(out, ": keep-alive\n\n");
}

}  // namespace
}  // namespace sluice::openai_chat
