// Thought and its proofs on which gateways have failed (docs/pitfalls.md): the same for every vendor and every client.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/pitfalls_test.h"

namespace sluice::pitfalls {
namespace {

using enum DialectId;

// What a client sends next that keeps each answer as it got it and has run its tools.
std::string next_request(DialectId client, std::string_view reply) {
  json::Document doc;
  const json::Value root = doc.parse(reply).value_or(json::Value());
  const std::string ask = R"({"role":"user","content":"go"})";
  std::string out = R"({"model":"m","max_tokens":99,"messages":[)" + ask + ',';
  switch (client) {
    case openai_chat: {
      out += std::string(root["choices"].at(0)["message"].raw());
      for (const json::Value call : root["choices"].at(0)["message"]["tool_calls"].elements()) {
        out += R"(,{"role":"tool","content":"seen","tool_call_id":)" + std::string(call["id"].raw()) + '}';
      }
      return out + "]}";
    }
    case cohere: {
      out += std::string(root["message"].raw());
      for (const json::Value call : root["message"]["tool_calls"].elements()) {
        out += R"(,{"role":"tool","content":"seen","tool_call_id":)" + std::string(call["id"].raw()) + '}';
      }
      return out + "]}";
    }
    case anthropic: {
      out +=
          R"({"role":"assistant","content":)" + std::string(root["content"].raw()) + R"(},{"role":"user","content":[)";
      std::string results;
      for (const json::Value block : root["content"].elements()) {
        if (!block["type"].equals("tool_use")) continue;
        results += std::string(results.empty() ? "" : ",") +
                   R"({"type":"tool_result","content":"seen","tool_use_id":)" + std::string(block["id"].raw()) + '}';
      }
      return out + results + "]}]}";
    }
    case openai_responses: {
      out = R"({"model":"m","input":[)" + ask;
      std::string results;
      for (const json::Value item : root["output"].elements()) {
        out += ',' + std::string(item.raw());
        if (!item["type"].equals("function_call")) continue;
        results +=
            R"(,{"type":"function_call_output","output":"seen","call_id":)" + std::string(item["call_id"].raw()) + '}';
      }
      return out + results + "]}";
    }
    case gemini: {
      const json::Value parts = root["candidates"].at(0)["content"]["parts"];
      out = R"({"contents":[{"role":"user","parts":[{"text":"go"}]},{"role":"model","parts":)" +
            std::string(parts.raw()) + R"(},{"role":"user","parts":[)";
      std::string results;
      for (const json::Value part : parts.elements()) {
        const json::Value call = part["functionCall"];
        if (!call) continue;
        results += std::string(results.empty() ? "" : ",") +
                   R"({"functionResponse":{"response":{"output":"seen"},"name":)" + std::string(call["name"].raw()) +
                   (call["id"] ? ",\"id\":" + std::string(call["id"].raw()) : "") + "}}";
      }
      return out + results + "]}]}";
    }
    case bedrock_converse: {
      const json::Value content = root["output"]["message"]["content"];
      out = R"({"messages":[{"role":"user","content":[{"text":"go"}]},{"role":"assistant","content":)" +
            std::string(content.raw()) + R"(},{"role":"user","content":[)";
      std::string results;
      for (const json::Value block : content.elements()) {
        if (!block["toolUse"]) continue;
        results += std::string(results.empty() ? "" : ",") +
                   R"({"toolResult":{"content":[{"text":"seen"}],"toolUseId":)" +
                   std::string(block["toolUse"]["toolUseId"].raw()) + "}}";
      }
      return out + results + "]}]}";
    }
    case openai_completions: break;
  }
  return {};
}

struct Signer {
  DialectId dialect;
  std::vector<Part> parts;
};
std::vector<Signer> signers() {
  Part hidden{.body = Reasoning{.redacted = true}};
  const auto by = [](DialectId id, Part part, std::string raw) { return sealed(std::move(part), id, std::move(raw)); };
  std::vector<Signer> out = {
      {anthropic,
       {by(anthropic, thought(""), "c2lnbmVkMQ=="), by(anthropic, hidden, "aGlkZGVu"),
        by(anthropic, thought("So."), "c2lnbmVkMg=="), text("I look."), call("toolu_1", "look")}},
      {gemini,
       {thought("Hm."), by(gemini, text("I look."), "dGV4dA=="), by(gemini, call("c1", "look"), "Y2FsbA=="),
        call("c2", "look")}},
      {openai_responses, {by(openai_responses, thought("So."), "gAAAAenc=="), text("I look."), call("call_1", "look")}},
      {bedrock_converse,
       {by(bedrock_converse, thought("So."), "c2lnbmVkMg=="), by(bedrock_converse, hidden, "aGlkZGVu"), text("I look."),
        call("tooluse_1", "look")}},
  };
  std::erase_if(out, [](const Signer& s) { return dialect(s.dialect) == nullptr; });
  return out;
}

// Signature without text, hidden thought, thought behind thought, proof on a text and on one of two calls: a client of
// any dialect that keeps its messages gives all of them back, and the signer gets them as it made them.
TEST(PitfallReasoning, EveryProofComesBackThroughEveryClientThatKeepsItsMessages) {
  for (const Signer& signer : signers()) {
    const auto of = [&](const Vendor& v) { return v.dialect == signer.dialect; };
    const auto all = vendors();
    Vendor to = *std::ranges::find_if(all, of);
    const Reply reply = answers(signer.parts, StopKind::tool_calls, signer.dialect);
    for (const Dialect* client : conversations()) {
      Notes notes;
      const std::string body = client->write_reply(reply, question(), notes);
      const HeaderView version{"anthropic-version", "2023-06-01"};
      const auto request = client->read_request(
          {.path_model = "m", .headers = std::span(&version, 1), .body = next_request(client->id(), body)}, notes);
      ASSERT_TRUE(request) << client->name() << request.error()->message;
      const Sent sent(*request, to);
      ASSERT_TRUE(sent.outcome) << sent.body();
      for (const Part& part : signer.parts) {
        if (part.seal) EXPECT_TRUE(sent.body().contains(part.seal->raw)) << client->name() << body << sent.body();
      }
      // In their order, and nowhere a sentinel or an envelope.
      std::size_t last = 0;
      for (const Part& part : signer.parts) {
        if (!part.seal) continue;
        const std::size_t at = sent.body().find(part.seal->raw);
        EXPECT_GE(at, last) << client->name() << sent.body();
        last = at;
      }
      EXPECT_FALSE(sent.body().contains("gw1.")) << client->name() << sent.body();
      EXPECT_FALSE(sent.body().contains("skip_thought_signature_validator")) << client->name() << sent.body();
    }
  }
}

TEST(PitfallReasoning, ThoughtIsNeverShownAsText) {
  for (const std::optional<Seal>& seal : {std::optional<Seal>(), std::optional(Seal{.raw = "EqQB"}),
                                          std::optional(Seal{.dialect = gemini, .raw = "CiQ="})}) {
    Part secret = thought("The secret thought.");
    secret.seal = seal;
    const Reply reply = answers({secret, text("Shown.")});
    for (const Dialect* client : conversations()) {
      Notes notes;
      const auto whole = said(client->read_reply(client->write_reply(reply, question(), notes)));
      const auto streamed = said(folded(reread(*client, in_pieces(reply, 3))));
      EXPECT_EQ(whole.text, "Shown.") << client->name();
      EXPECT_EQ(streamed.text, "Shown.") << client->name();
      EXPECT_EQ(whole.thought, "The secret thought.") << client->name();
      EXPECT_EQ(streamed.thought, "The secret thought.") << client->name();
    }
    // Nor replayed as what the model had said.
    const ChatRequest request = asks({says(Role::user, {text("go")}), says(Role::assistant, {secret, text("Shown.")}),
                                      says(Role::user, {text("and?")})});
    for (const Vendor& vendor : vendors()) {
      const Sent sent(foreign(request, vendor), vendor);
      const auto again = heard(sent, vendor);
      ASSERT_TRUE(again) << sent.body();
      for (const Turn& turn : again->turns) EXPECT_FALSE(said(turn.parts).text.contains("secret")) << sent.body();
    }
  }
}

// An answer that was broken off while the model still thought, and what clients make of empty answers.
TEST(PitfallReasoning, AnEmptyTurnBecomesNoEmptyMessage) {
  for (const std::vector<Part>& empty : {std::vector<Part>{thought("Unfinished")}, std::vector<Part>{text("")},
                                         std::vector<Part>{}, std::vector<Part>{text(""), text("")}}) {
    const ChatRequest request = asks({says(Role::system, {text("")}), says(Role::user, {text("go")}),
                                      says(Role::assistant, empty), says(Role::user, {text(""), text("and?")})});
    for (const Vendor& vendor : vendors()) {
      const Sent sent(foreign(request, vendor), vendor);
      ASSERT_TRUE(sent.outcome) << sent.body();
      for (const std::string_view refused :
           {R"("content":[])", R"("parts":[])", R"("content":"")", R"("text":"")", R"("content":null)"}) {
        EXPECT_FALSE(sent.body().contains(refused)) << vendor.provider << sent.body();
      }
      EXPECT_TRUE(sent.body().contains("and?")) << sent.body();
    }
  }
}

TEST(PitfallReasoning, NoThinkingIsSaidAloudOrNoted) {
  constexpr Vendor thinkers[] = {{openai_chat, "openai", "gpt-5.6"},
                                 {openai_chat, "deepseek", "deepseek-v4"},
                                 {openai_chat, "qwen", "qwen3-max"},
                                 {openai_chat, "openrouter", "x/y"},
                                 {openai_responses, "openai", "gpt-5.6"},
                                 {anthropic, "anthropic", "claude-opus-4-6"},
                                 {anthropic, "anthropic", "claude-sonnet-5-5"},
                                 {gemini, "gemini", "gemini-2.5-flash"},
                                 {gemini, "gemini", "gemini-3-pro-preview"},
                                 {cohere, "cohere", "command-a-reasoning-08-2025"}};
  const ChatRequest plain = asks({says(Role::user, {text("go")})});
  for (const Vendor& vendor : thinkers) {
    for (const ReasoningAsk& off : {ReasoningAsk{.mode = ReasoningMode::off}, ReasoningAsk{.effort = "none"}}) {
      ChatRequest request = plain;
      request.reasoning = off;
      EXPECT_NE(Sent(foreign(request, vendor), vendor).body(), Sent(foreign(plain, vendor), vendor).body())
          << vendor.provider << ' ' << vendor.model;
    }
  }
}

// Some models send nothing but thought for a while; it is the first block, and no empty text stands before it.
TEST(PitfallReasoning, ThoughtThatComesFirstIsTheFirstBlock) {
  std::string bytes;
  for (const std::string_view delta : {R"({"role":"assistant","content":""})", R"({"reasoning_content":"Let me "})",
                                       R"({"reasoning_content":"see.","content":null})", R"({"content":"Yes."})"}) {
    bytes += R"(data: {"id":"1","choices":[{"index":0,"delta":)" + std::string(delta) + "}]}\n\n";
  }
  bytes +=
      "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  const auto events = laws::read_stream(*dialect(openai_chat), "text/event-stream", {bytes});
  for (const Dialect* client : conversations()) {
    const Said told = said(folded(reread(*client, events)));
    EXPECT_EQ(told.order, "ht") << client->name();
    EXPECT_EQ(told.thought, "Let me see.") << client->name();
    EXPECT_EQ(told.text, "Yes.") << client->name();
  }
  const std::string claude = laws::write_stream(*dialect(anthropic), events);
  EXPECT_LT(claude.find(R"("index":0,"content_block":{"type":"thinking")"), claude.find(R"("type":"text")"));
}

// Vendors that refuse a conversation whose calls lost their thought, in three steps.
TEST(PitfallReasoning, VendorsThatWantTheirThoughtBackGetItInEveryStep) {
  ChatRequest request = asks({says(Role::user, {text("go")})});
  for (int step = 1; step <= 3; ++step) {
    const std::string n = std::to_string(step);
    request.turns.push_back(says(Role::assistant, {thought("thought " + n), call("call_" + n, "look")}));
    request.turns.push_back(says(Role::tool, {result("call_" + n, "seen")}));
  }
  const Sent deepseek(request, {openai_chat, "deepseek", "deepseek-v4"});
  for (const int step : {1, 3, 5}) {
    EXPECT_EQ(deepseek.messages().at(static_cast<std::size_t>(step))["reasoning_content"].text(),
              "thought " + std::to_string((step + 1) / 2))
        << deepseek.body();
  }
  // A router hands its vendors' proofs out as details and wants them back as they were.
  const std::string details =
      R"([{"type":"reasoning.encrypted","data":"c2ln","id":"call_1","format":"google-gemini-v1","index":0}])";
  Notes reading;
  const auto kept =
      dialect(openai_chat)
          ->read_request(
              {.body =
                   R"({"model":"m","messages":[{"role":"user","content":"go"},{"role":"assistant","content":null,
        "reasoning_details":)" +
                   details +
                   R"(,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"call_1","content":"seen"}]})"},
              reading);
  ASSERT_TRUE(kept);
  const Sent router(*kept, {openai_chat, "openrouter", "google/gemini-3-pro"});
  EXPECT_TRUE(json::same(router.messages().at(1)["reasoning_details"].raw(), details)) << router.body();
}

}  // namespace
}  // namespace sluice::pitfalls
