// Answers, usage and errors. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/usage.h"

namespace sluice::openai_chat {
namespace {

using testing::HasSubstr;
using testing::Not;

Usage usage_of(std::string_view text) {
  json::Document doc;
  const auto root = doc.parse(text);
  EXPECT_TRUE(root);
  return read_usage(*root);
}

TEST(OpenaiChatUsage, BucketsAreDisjoint) {
  const Usage u = usage_of(R"({"prompt_tokens":120,"completion_tokens":40,"total_tokens":160,"prompt_tokens_details":
    {"cached_tokens":64,"cache_write_tokens":16},"completion_tokens_details":{"reasoning_tokens":12}})");
  EXPECT_EQ(u.input, 40);
  EXPECT_EQ(u.cache_read, 64);
  EXPECT_EQ(u.cache_write_5m, 16);
  EXPECT_EQ(u.output, 28);
  EXPECT_EQ(u.reasoning, 12);
  EXPECT_EQ(u.total_input() + u.total_output(), 160);
}

TEST(OpenaiChatUsage, UnknownIsNotZero) {
  const Usage u =
      usage_of(R"({"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":null}})");
  EXPECT_FALSE(u.cache_read);
  EXPECT_FALSE(u.reasoning);
  EXPECT_EQ(u.input, 5);
}

TEST(OpenaiChatUsage, VendorsThatCountReasoningApart) {
  // completion + reasoning are the rest of the total
  const Usage apart = usage_of(R"({"prompt_tokens":401,"completion_tokens":44,"total_tokens":702,
    "prompt_tokens_details":{"cached_tokens":400},"completion_tokens_details":{"reasoning_tokens":257}})");
  EXPECT_EQ(apart.output, 44);
  EXPECT_EQ(apart.reasoning, 257);
  EXPECT_EQ(apart.total_input(), 401);
  // more reasoning than completion
  EXPECT_EQ(usage_of(R"({"prompt_tokens":1,"completion_tokens":3,"completion_tokens_details":{"reasoning_tokens":9}})")
                .output,
            3);
  // a little more: the same ones by another tokenizer, and the completion is what is paid for
  const Usage same = usage_of(R"({"prompt_tokens":229,"completion_tokens":168,"total_tokens":397,
    "completion_tokens_details":{"reasoning_tokens":173}})");
  EXPECT_EQ(same.output, 0);
  EXPECT_EQ(same.reasoning, 168);
  // a gateway whose completions and totals are without thoughts, which its cost is not
  const Usage vercel = usage_of(R"({"prompt_tokens":113,"completion_tokens":327,"total_tokens":440,"cost":0.00597125,
    "completion_tokens_details":{"reasoning_tokens":256},"market_cost":0.00597125})");
  EXPECT_EQ(vercel.output, 327);
  EXPECT_EQ(vercel.reasoning, 256);
  // what was heard, beside the prompt
  const Usage heard = usage_of(R"({"prompt_audio_seconds":3,"prompt_tokens":5,"total_tokens":400,"completion_tokens":20,
    "prompt_tokens_details":{"cached_tokens":0,"audio_tokens":375}})");
  EXPECT_EQ(heard.total_input(), 380);
  EXPECT_EQ(heard.audio_input, 375);
  EXPECT_EQ(heard.total_output(), 20);
  // thoughts that only the total knows
  EXPECT_EQ(usage_of(R"({"prompt_tokens":4,"completion_tokens":6,"total_tokens":30})").reasoning, 20);
  // a cache that is not part of the prompt
  EXPECT_EQ(
      usage_of(R"({"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":50}})").input, 10);
}

TEST(OpenaiChatUsage, OddPlacesAndNames) {
  EXPECT_EQ(
      usage_of(R"({"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5})")
          .input,
      5);
  EXPECT_EQ(usage_of(R"({"prompt_tokens":9,"completion_tokens":1,"num_cached_tokens":2})").cache_read, 2);
  EXPECT_EQ(reply_usage(R"({"choices":[],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":1}}})")->input, 3);
  EXPECT_EQ(reply_usage(R"({"choices":[{"usage":{"prompt_tokens":3,"completion_tokens":1}}]})")->input, 3);
}

TEST(OpenaiChatUsage, OfAWholeReplyIsTheOneAtTheTop) {
  EXPECT_EQ(
      reply_usage(
          R"({"usage":{"prompt_tokens":7,"completion_tokens":1},"choices":[{"message":{"meta":{"usage":{"prompt_tokens":99}},
    "content":"say \"usage\": {\"prompt_tokens\": 5}"}}]})")
          ->input,
      7);
  EXPECT_FALSE(reply_usage(R"({"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":5}"}}]})"));
  EXPECT_FALSE(reply_usage(R"({"choices":[],"usage":null})"));
  std::string far = R"({"usage":{"prompt_tokens":7,"completion_tokens":1},"choices":[{"message":{"content":")";
  far += std::string(10000, 'x') + R"("}}]})";
  EXPECT_EQ(reply_usage(far)->input, 7);
  EXPECT_FALSE(reply_usage(R"({"usage":{"prompt_tokens":7)"));
}

TEST(OpenaiChatUsage, IsMadeFromBucketsForAnAnswerOfAnotherDialect) {
  Usage u{
      .input = 10, .cache_read = 5, .cache_write_5m = 2, .output = 3, .reasoning = 4, .origin = DialectId::anthropic};
  std::string out;
  json::Writer writer(out);
  write_usage(writer, u);
  EXPECT_EQ(out, R"({"prompt_tokens":17,"completion_tokens":7,"total_tokens":24,"prompt_tokens_details":)"
                 R"({"cached_tokens":5,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":4}})");
}

StopKind stop_of(std::string_view finish, std::string_view message = R"({"content":"x"})") {
  const auto reply = read_reply(R"({"choices":[{"index":0,"message":)" + std::string(message) + R"(,"finish_reason":)" +
                                std::string(finish) + "}]}");
  EXPECT_TRUE(reply);
  return reply->choices[0].stop.kind;
}

TEST(OpenaiChatStop, EveryVendorsWord) {
  EXPECT_EQ(stop_of("\"stop\""), StopKind::end);
  EXPECT_EQ(stop_of("\"eos\""), StopKind::end);
  EXPECT_EQ(stop_of("\"length\""), StopKind::length);
  EXPECT_EQ(stop_of("\"model_length\""), StopKind::context_full);
  EXPECT_EQ(stop_of("\"content_filter\""), StopKind::content_filter);
  EXPECT_EQ(stop_of("\"sensitive\""), StopKind::content_filter);
  EXPECT_EQ(stop_of("\"insufficient_system_resource\""), StopKind::error);
  EXPECT_EQ(stop_of("null"), StopKind::unknown);
  constexpr std::string_view calls = R"({"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]})";
  EXPECT_EQ(stop_of("\"stop\"", calls), StopKind::tool_calls);
  EXPECT_EQ(stop_of("\"length\"", calls), StopKind::length);
  EXPECT_EQ(stop_of("\"stop\"", R"({"refusal":"no"})"), StopKind::refusal);
}

TEST(OpenaiChatReply, AnAnswerOfAnotherDialectIsSpokenInThisOne) {
  Reply reply{.origin = DialectId::anthropic, .id = "msg_1", .model = "claude"};
  Choice choice;
  choice.parts.push_back(
      {.body = Reasoning{.text = "hm"}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "sig"}});
  choice.parts.push_back({.body = Text{.text = "He"}});
  choice.parts.push_back({.body = Text{.text = "llo"}});
  choice.parts.push_back({.body = ToolCall{.id_made_up = true, .name = "f"}});
  choice.stop = {.kind = StopKind::tool_calls, .raw = "tool_use", .origin = DialectId::anthropic};
  reply.choices.push_back(choice);
  Notes notes;
  const std::string body = write_reply(reply, {.model = "asked", .exchange_id = "e1", .unix_seconds = 7}, notes);
  EXPECT_THAT(body, HasSubstr(R"("created":7,"model":"claude")"));
  EXPECT_THAT(body, HasSubstr(R"("content":"Hello")"));
  EXPECT_THAT(body, HasSubstr(R"("reasoning_content":"hm")"));
  EXPECT_THAT(body, HasSubstr(R"("signature":"gw1.)"));
  EXPECT_THAT(body, HasSubstr(R"("arguments":"{}")"));
  EXPECT_THAT(body, HasSubstr(R"("finish_reason":"tool_calls")"));
  EXPECT_TRUE(notes.empty());
  // What a client keeps comes back as the same proof.
  const auto again = read_reply(body);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->choices[0].parts[0].seal, reply.choices[0].parts[0].seal);
  EXPECT_FALSE(again->choices[0].parts.back().as<ToolCall>()->id.empty());
}

TEST(OpenaiChatReply, AnErrorInsideA200IsThatError) {
  const auto reply = read_reply(R"({"error":{"message":"slow down","code":429}})");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error()->fault, Fault::upstream_limited);
  EXPECT_EQ(read_reply("{}").error()->fault, Fault::upstream_broken);
  EXPECT_EQ(read_reply("<html>").error()->fault, Fault::upstream_broken);
}

TEST(OpenaiChatErrors, FindTheirFaultAndKeepTheirWords) {
  const auto check = [](int status, std::string_view body, Fault fault, std::string_view words) {
    const Error error = read_error(status, body);
    EXPECT_EQ(error.fault, fault) << body;
    EXPECT_THAT(error.message, HasSubstr(std::string(words))) << body;
  };
  check(400, R"({"error":{"message":"bad temperature","param":"temperature","code":"decimal_above_max_value"}})",
        Fault::upstream_rejected, "bad temperature");
  check(404, R"({"error":"no such model"})", Fault::upstream_rejected, "no such model");
  check(422, R"({"detail":[{"loc":["body","messages"],"msg":"Field required"}]})", Fault::upstream_rejected,
        "body.messages: Field required");
  check(400, R"({"object":"error","message":"Invalid model","type":"invalid_model","code":"1500"})",
        Fault::upstream_rejected, "Invalid model");
  check(400, R"({"code":"x","error":"Model does not support it"})", Fault::upstream_rejected, "does not support");
  check(429, R"({"error":{"message":"later","code":429}})", Fault::upstream_limited, "later");
  check(503, "", Fault::upstream_overloaded, "");
  check(502, "<html>Bad gateway</html>", Fault::upstream_failed, "");
  check(504, "slow", Fault::upstream_timeout, "slow");
}

TEST(OpenaiChatErrors, OurKeyBeingBadIsNotTheClientsBusiness) {
  const Error error =
      read_error(401, R"({"error":{"message":"Incorrect API key provided: sk-harbour","code":"invalid_api_key"}})");
  EXPECT_EQ(error.fault, Fault::upstream_denied);
  EXPECT_EQ(error.http_status(), 502);
  EXPECT_THAT(error.message + error.detail, Not(HasSubstr("sk-harbour")));
  EXPECT_THAT(write_error(error), Not(HasSubstr("invalid_api_key")));
}

TEST(OpenaiChatErrors, EveryFaultHasItsShape) {
  for (int i = 0; i < fault_count; ++i) {
    const Error error{.fault = static_cast<Fault>(i), .message = "what to do"};
    json::Document doc;
    const std::string body = write_error(error);
    const auto root = doc.parse(body);
    ASSERT_TRUE(root) << body;
    const json::Value inside = (*root)["error"];
    EXPECT_EQ(inside["message"].text(), "what to do");
    EXPECT_FALSE(inside["type"].text().empty());
    EXPECT_TRUE(inside["param"].is_null());
    EXPECT_TRUE(inside["code"].is_null() || inside["code"].is_string());
  }
  EXPECT_THAT(write_error({.fault = Fault::not_found, .message = "x", .param = "model"}), HasSubstr("model_not_found"));
  EXPECT_THAT(write_error({.fault = Fault::unauthorized, .message = "x"}), HasSubstr("invalid_api_key"));
}

TEST(OpenaiChatReply, SaysEachMemberOnce) {
  const auto reply =
      read_reply(R"({"id":"r","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":)"
                 R"({"role":"assistant","content":"At Kiel."},"logprobs":null,"finish_reason":"stop"}]})");
  ASSERT_TRUE(reply);
  Notes notes;
  const std::string written = write_reply(*reply, {.model = "m", .exchange_id = "e"}, notes);
  EXPECT_EQ(written.find("logprobs"), written.rfind("logprobs")) << written;
  // A vendor's own place of usage beside an empty one.
  const auto counted = read_reply(R"({"choices":[],"usage":null,"x_groq":{"usage":{"prompt_tokens":5}}})");
  ASSERT_TRUE(counted);
  const auto members = json::scan_object(write_reply(*counted, {.model = "m", .exchange_id = "e"}, notes));
  ASSERT_TRUE(members);
  EXPECT_EQ(std::ranges::count(*members, "usage", &json::TopMember::key), 1);
}

TEST(OpenaiChatModels, AreAListOrOne) {
  const ModelRow row{.id = "m", .owner = "quay", .created = 5};
  EXPECT_EQ(write_models(std::span(&row, 1), false),
            R"({"object":"list","data":[{"id":"m","object":"model","created":5,"owned_by":"quay"}]})");
  EXPECT_EQ(write_models(std::span(&row, 1), true), R"({"id":"m","object":"model","created":5,"owned_by":"quay"})");
}

}  // namespace
}  // namespace sluice::openai_chat
