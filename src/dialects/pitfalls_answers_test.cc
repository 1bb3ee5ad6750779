// Usage, reasons to stop and errors on which gateways have failed (docs/pitfalls.md): the same for every dialect.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/pitfalls_test.h"

namespace sluice::pitfalls {
namespace {

using enum DialectId;

// Whatever the buckets are called there, what went in and what came out is the same number for every client.
TEST(PitfallUsage, TotalsAreTheSameForEveryClientWholeAndStreamed) {
  for (const Usage& usage :
       {Usage{.input = 10, .output = 5}, Usage{.input = 10, .cache_read = 90, .output = 5, .reasoning = 7},
        Usage{.input = 10, .cache_read = 0, .cache_write_5m = 30, .cache_write_1h = 40, .output = 5},
        Usage{.input = 10, .cache_read = 90, .tool_input = 8, .output = 5, .reasoning = 7},
        Usage{.input = 0, .cache_read = 100, .output = 0, .reasoning = 9}}) {
    for (const Dialect* upstream : conversations()) {
      Reply reply = answers({text("Hi")}, StopKind::end, upstream->id());
      reply.usage = usage;
      reply.usage.origin = upstream->id();
      for (const Dialect* client : conversations()) {
        Notes notes;
        for (const auto& told : {client->read_reply(client->write_reply(reply, question(), notes)),
                                 folded(reread(*client, unfold(reply)))}) {
          ASSERT_TRUE(told) << client->name();
          EXPECT_EQ(told->usage.total_input(), usage.total_input()) << upstream->name() << " to " << client->name();
          EXPECT_EQ(told->usage.total_output(), usage.total_output()) << upstream->name() << " to " << client->name();
        }
      }
    }
  }
}

// Reports are cumulative: the last word counts, member by member, and nothing is added up.
TEST(PitfallUsage, LaterReportsReplaceEarlierOnes) {
  for (const Dialect* client : conversations()) {
    std::vector<Event> events = unfold(answers({text("Hi")}));
    std::erase_if(events, [](const Event& e) { return std::holds_alternative<UsageSeen>(e); });
    events.insert(events.begin() + 1, UsageSeen{{.input = 7, .cache_read = 20, .output = 1}});
    events.insert(events.end() - 2, UsageSeen{{.output = 4}});
    events.insert(events.end() - 1, UsageSeen{{.input = 9, .output = 6}});
    const auto told = folded(reread(*client, events));
    ASSERT_TRUE(told) << client->name();
    EXPECT_EQ(told->usage.total_input(), 29) << client->name();
    EXPECT_EQ(told->usage.total_output(), 6) << client->name();
  }
}

// Vendors that count by other rules than they write down.
TEST(PitfallUsage, NoBucketIsEverNegative) {
  const std::pair<DialectId, std::string_view> odd[] = {
      {openai_chat, R"({"id":"1","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"usage":
        {"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":50,"cache_write_tokens":9,
        "audio_tokens":70},"completion_tokens_details":{"reasoning_tokens":40,"audio_tokens":9}}})"},
      {openai_responses, R"({"id":"r","status":"completed","output":[{"type":"message","role":"assistant","content":
        [{"type":"output_text","text":"x"}]}],"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":50},
        "output_tokens":3,"output_tokens_details":{"reasoning_tokens":40},"total_tokens":8}})"},
      {anthropic, R"({"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"x"}],
        "stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":3,"cache_creation_input_tokens":2,"cache_creation":
        {"ephemeral_5m_input_tokens":9,"ephemeral_1h_input_tokens":9},"output_tokens_details":{"thinking_tokens":40}}})"},
      {gemini, R"({"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":
        {"promptTokenCount":5,"cachedContentTokenCount":50,"candidatesTokenCount":3,"thoughtsTokenCount":40,
        "totalTokenCount":8}})"},
      {cohere,
       R"({"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"x"}]},
        "usage":{"tokens":{"input_tokens":5,"output_tokens":3,"reasoning_tokens":40},"cached_tokens":50}})"},
      {bedrock_converse, R"({"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn",
        "usage":{"inputTokens":5,"outputTokens":3,"totalTokens":1,"cacheReadInputTokens":0,"cacheWriteInputTokens":2,
        "cacheDetails":[{"ttl":"1h","inputTokens":9}]}})"},
  };
  for (const auto& [id, body] : odd) {
    if (dialect(id) == nullptr) continue;
    const auto reply = dialect(id)->read_reply(body);
    ASSERT_TRUE(reply) << name(id) << reply.error()->detail;
    const Usage& u = reply->usage;
    for (const auto& bucket : {u.input, u.cache_read, u.cache_write_5m, u.cache_write_1h, u.tool_input, u.output,
                               u.reasoning, u.audio_input, u.audio_output}) {
      EXPECT_GE(bucket.value_or(0), 0) << name(id);
    }
    for (const Dialect* client : conversations()) {
      Notes notes;
      for (const auto& [pointer, leaf] : laws::leaves(client->write_reply(*reply, question(), notes))) {
        EXPECT_FALSE(leaf.starts_with('-')) << client->name() << pointer << leaf;
      }
    }
  }
}

// Each reason to stop has a word in every dialect that means the same or the nearest. Where there is none, a whole
// answer says so in a Note.
TEST(PitfallStop, EveryReasonHasItsWordForEveryClient) {
  using enum StopKind;
  const std::pair<StopKind, std::vector<StopKind>> rows[] = {
      {end, {end}},
      {stop_sequence, {stop_sequence, end}},
      {length, {length}},
      {context_full, {context_full, length}},
      {content_filter, {content_filter, refusal}},
      {refusal, {refusal, content_filter}},
      {malformed_tool, {malformed_tool}},
  };
  for (const auto& [kind, same] : rows) {
    for (const Dialect* upstream : conversations()) {
      for (const Dialect* client : conversations()) {
        if (client == upstream) continue;  // keeps the vendor's own word
        Reply reply = answers({text("Half")}, kind, upstream->id());
        reply.choices[0].stop.raw = "the vendor's own word";
        Notes notes;
        const auto whole = client->read_reply(client->write_reply(reply, question(), notes));
        const auto streamed = folded(reread(*client, unfold(reply)));
        ASSERT_TRUE(whole && streamed) << client->name();
        const StopKind told = whole->choices.at(0).stop.kind;
        EXPECT_TRUE(std::ranges::find(same, told) != same.end() || !notes.empty())
            << static_cast<int>(kind) << " to " << client->name() << ": " << static_cast<int>(told);
        EXPECT_EQ(streamed->choices.at(0).stop.kind, told) << static_cast<int>(kind) << " to " << client->name();
      }
    }
  }
}

// Every word that the vendors have published.
TEST(PitfallStop, EveryPublishedWordHasItsMeaning) {
  using enum StopKind;
  struct Row {
    DialectId id;
    std::string_view word;
    StopKind kind;
  };
  const Row rows[] = {
      {openai_chat, "stop", end},
      {openai_chat, "length", length},
      {openai_chat, "content_filter", content_filter},
      {openai_chat, "sensitive", content_filter},
      {openai_chat, "network_error", error},
      {openai_chat, "error", error},
      {openai_chat, "insufficient_system_resource", error},
      {openai_chat, "eos", end},
      {openai_chat, "model_length", context_full},
      {anthropic, "end_turn", end},
      {anthropic, "max_tokens", length},
      {anthropic, "stop_sequence", stop_sequence},
      {anthropic, "tool_use", tool_calls},
      {anthropic, "pause_turn", pause},
      {anthropic, "refusal", refusal},
      {anthropic, "model_context_window_exceeded", context_full},
      {gemini, "STOP", end},
      {gemini, "MAX_TOKENS", length},
      {gemini, "SAFETY", content_filter},
      {gemini, "RECITATION", content_filter},
      {gemini, "BLOCKLIST", content_filter},
      {gemini, "PROHIBITED_CONTENT", content_filter},
      {gemini, "SPII", content_filter},
      {gemini, "IMAGE_SAFETY", content_filter},
      {gemini, "IMAGE_PROHIBITED_CONTENT", content_filter},
      {gemini, "IMAGE_RECITATION", content_filter},
      {gemini, "MALFORMED_FUNCTION_CALL", malformed_tool},
      {gemini, "UNEXPECTED_TOOL_CALL", malformed_tool},
      {gemini, "TOO_MANY_TOOL_CALLS", malformed_tool},
      {gemini, "CONTINUATION", length},
      {cohere, "COMPLETE", end},
      {cohere, "STOP_SEQUENCE", stop_sequence},
      {cohere, "MAX_TOKENS", length},
      {cohere, "TOOL_CALL", tool_calls},
      {bedrock_converse, "end_turn", end},
      {bedrock_converse, "tool_use", tool_calls},
      {bedrock_converse, "max_tokens", length},
      {bedrock_converse, "stop_sequence", stop_sequence},
      {bedrock_converse, "guardrail_intervened", content_filter},
      {bedrock_converse, "content_filtered", content_filter},
      {bedrock_converse, "malformed_tool_use", malformed_tool},
      {bedrock_converse, "malformed_model_output", error},
      {bedrock_converse, "model_context_window_exceeded", context_full},
  };
  for (const Row& row : rows) {
    if (dialect(row.id) == nullptr) continue;
    const std::string word = '"' + std::string(row.word) + '"';
    std::string body;
    switch (row.id) {
      case openai_chat:
        body = R"({"id":"1","choices":[{"index":0,"message":{"content":"x"},"finish_reason":)" + word + "}]}";
        break;
      case anthropic:
        body =
            R"({"id":"1","type":"message","role":"assistant","content":[{"type":"text","text":"x"}],"stop_reason":)" +
            word + "}";
        break;
      case gemini: body = R"({"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":)" + word + "}]}"; break;
      case cohere:
        body = R"({"id":"1","message":{"role":"assistant","content":[{"type":"text","text":"x"}]},"finish_reason":)" +
               word + "}";
        break;
      case bedrock_converse:
        body = R"({"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":)" + word + "}";
        break;
      case openai_responses:
      case openai_completions: break;
    }
    const auto reply = dialect(row.id)->read_reply(body);
    ASSERT_TRUE(reply) << name(row.id) << word << reply.error()->detail;
    EXPECT_EQ(reply->choices.at(0).stop.kind, row.kind) << name(row.id) << word;
  }
}

// A prompt that was blocked has no candidates, whole or streamed; to no client is that an empty success or a crash.
TEST(PitfallStop, ABlockedPromptIsAFilterForEveryClient) {
  const std::string_view blocked =
      R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":5}})";
  const Dialect& google = *dialect(gemini);
  const auto whole = google.read_reply(blocked);
  ASSERT_TRUE(whole);
  const auto events = laws::read_stream(google, "text/event-stream", {"data: " + std::string(blocked) + "\n\n"});
  for (const Dialect* client : conversations()) {
    Notes notes;
    for (const auto& told :
         {client->read_reply(client->write_reply(*whole, question(), notes)), folded(reread(*client, events))}) {
      ASSERT_TRUE(told) << client->name() << told.error()->detail;
      ASSERT_EQ(told->choices.size(), 1U) << client->name();
      const StopKind kind = told->choices[0].stop.kind;
      const bool filtered = kind == StopKind::content_filter || kind == StopKind::refusal;
      EXPECT_TRUE(filtered || !notes.empty()) << client->name() << static_cast<int>(kind);
    }
  }
}

// A code may be a number, a word, null or missing, a status may stand alone: the words and the fault are found, in an
// error reply and in the middle of a stream.
TEST(PitfallErrors, WhateverTheCodeIsTheWordsAreFound) {
  for (const std::string_view code : {"429", "\"429\"", "\"rate_limit_exceeded\"", "null", ""}) {
    const std::string member = code.empty() ? "" : ",\"code\":" + std::string(code);
    const std::pair<DialectId, std::string> bodies[] = {
        {openai_chat, R"({"error":{"message":"Slow down."})" + member + "}"},
        {openai_chat, R"({"error":{"message":"Slow down.","type":null)" + member + "}}"},
        {openai_responses, R"({"error":{"message":"Slow down.","param":null)" + member + "}}"},
        {anthropic, R"({"type":"error","error":{"type":"rate_limit_error","message":"Slow down.")" + member + "}}"},
        {gemini, R"({"error":{"status":"RESOURCE_EXHAUSTED","message":"Slow down.")" + member + "}}"},
        {gemini, R"([{"error":{"status":"RESOURCE_EXHAUSTED","message":"Slow down.")" + member + "}}]"},
        {cohere, R"({"id":"x","message":"Slow down.")" + member + "}"},
    };
    for (const auto& [id, body] : bodies) {
      const Error error = dialect(id)->read_error(429, body);
      EXPECT_EQ(error.fault, Fault::upstream_limited) << body;
      EXPECT_TRUE(error.message.contains("Slow down.")) << body << error.message;
    }
  }
  // In a stream there is no status: the code or the word must do.
  const std::pair<DialectId, std::string_view> streams[] = {
      {openai_chat, R"(data: {"error":{"message":"Slow down.","code":429}})"},
      {openai_chat, R"(data: {"error":{"message":"Slow down.","code":"rate_limit_exceeded","type":null}})"},
      {openai_responses, R"(data: {"type":"error","code":"rate_limit_exceeded","message":"Slow down."})"},
      {anthropic, R"(data: {"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}})"},
      {gemini, R"(data: {"error":{"status":"RESOURCE_EXHAUSTED","message":"Slow down."}})"},
      {gemini, R"(data: {"error":{"code":429,"message":"Slow down."}})"},
  };
  for (const auto& [id, bytes] : streams) {
    const auto events = laws::read_stream(*dialect(id), "text/event-stream", {std::string(bytes) + "\n\n"});
    const auto* failed = std::get_if<Failed>(&events.back());
    ASSERT_NE(failed, nullptr) << bytes;
    EXPECT_EQ(failed->error.fault, Fault::upstream_limited) << bytes;
    EXPECT_EQ(failed->error.message, "Slow down.") << bytes;
  }
}

TEST(PitfallErrors, EveryFaultHasATypeForEveryClient) {
  for (int i = 0; i < fault_count; ++i) {
    const Error error{.fault = static_cast<Fault>(i), .message = "What to do."};
    for (const Dialect* client : conversations()) {
      const std::string body = client->write_error(error, "req-1");
      json::Document doc;
      const auto root = doc.parse(body);
      ASSERT_TRUE(root) << body;
      EXPECT_TRUE(body.contains("What to do.")) << body;
      for (const std::string_view empty : {R"("type":"")", R"("type":null)", R"("status":"")", R"("code":"")"}) {
        EXPECT_FALSE(body.contains(empty)) << client->name() << body;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::pitfalls
