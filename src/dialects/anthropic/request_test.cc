// What the laws cannot see: the rules of this vendor on requests from other dialects.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "dialects/anthropic/written_test.h"

namespace sluice::anthropic {
namespace {

using namespace trial;

TEST(AnthropicRequest, SaysThePlainThingPlainly) {
  auto request = chat("claude-sonnet-4-5");
  request.turns.insert(request.turns.begin(), turn(Role::system, "Be brief."));
  const Written out(request);
  EXPECT_EQ(out.outcome()->body, R"({"model":"claude-sonnet-4-5","max_tokens":1000,"system":"Be brief.",)"
                                 R"("messages":[{"role":"user","content":"Hello"}]})");
  EXPECT_EQ(out.header("anthropic-version"), "2023-06-01");
  EXPECT_TRUE(out.notes().empty());
}

TEST(AnthropicRequest, IsTheSameBytesEveryTime) {
  auto request = chat("claude-sonnet-4-5");
  request.tools.push_back({.name = "a.b", .schema = R"({"z":1,"type":"object","a":2})"});
  EXPECT_EQ(Written(request).outcome()->body, Written(request).outcome()->body);
}

TEST(AnthropicRequest, FindsALimitWhereTheClientHasNone) {
  struct Case {
    std::string_view model;
    bool stream;
    std::int64_t limit;
  };
  for (const Case& c : {Case{"claude-opus-4-6", true, 128000}, Case{"claude-opus-4-6", false, 21333},
                        Case{"claude-sonnet-4-5-20250929", true, 64000}, Case{"claude-opus-4-1-20250805", true, 32000},
                        Case{"claude-3-opus-20240229", true, 4096}, Case{"claude-harbour-7", true, 128000},
                        Case{"some-look-alike", true, 4096}}) {
    auto request = chat(c.model);
    request.max_output.reset();
    request.max_output_field.clear();
    const Written out(request, c.model, c.stream);
    EXPECT_EQ(out["max_tokens"].integer(), c.limit) << c.model;
    EXPECT_TRUE(out.noted(NoteKind::added, "/max_completion_tokens"));
  }
}

TEST(AnthropicRequest, SendsSamplingOnlyToModelsThatTakeIt) {
  auto request = chat("claude-opus-4-8");
  request.sampling.temperature = "0.5";
  request.sampling.top_p = "0.9";
  request.sampling.top_k = "5";
  const Written newer(request);
  EXPECT_FALSE(newer["temperature"]);
  EXPECT_FALSE(newer["top_p"]);
  EXPECT_FALSE(newer["top_k"]);
  EXPECT_TRUE(newer.noted(NoteKind::lost, "/temperature"));
  EXPECT_EQ(newer.header("anthropic-version"), "2026-10-21");
  const Written older(request, "claude-3-5-sonnet-20240620");
  EXPECT_EQ(older.raw("temperature"), "0.5");
  EXPECT_EQ(older.raw("top_p"), "0.9");
  EXPECT_EQ(older.raw("top_k"), "5");
  EXPECT_EQ(older.header("anthropic-version"), "2023-06-01");
  const Written one(request, "claude-sonnet-4-5");
  EXPECT_EQ(one.raw("temperature"), "0.5");
  EXPECT_TRUE(one.noted(NoteKind::lost, "/top_p"));
}

TEST(AnthropicRequest, ClampsTemperatureAndInventsNone) {
  auto request = chat("claude-sonnet-4-5");
  EXPECT_FALSE(Written(request)["temperature"]);
  request.sampling.temperature = "1.7";
  const Written out(request);
  EXPECT_EQ(out.raw("temperature"), "1");
  EXPECT_TRUE(out.noted(NoteKind::restated, "/temperature"));
}

TEST(AnthropicRequest, KeepsSystemTextWhereItStoodIfTheModelCan) {
  auto request = chat("claude-sonnet-4-5");
  request.turns.push_back(turn(Role::assistant, "Hi"));
  request.turns.push_back(turn(Role::user, "And?"));
  request.turns.push_back(turn(Role::developer, "Be kind."));
  const Written older(request);
  EXPECT_EQ(older["messages"].at(2)["content"].at(1)["text"].text(), "<system-reminder>Be kind.</system-reminder>");
  EXPECT_TRUE(older.noted(NoteKind::restated, "/messages/3/content"));
  const Written newer(request, "claude-opus-4-8");
  EXPECT_EQ(newer["messages"].at(3).raw(), R"({"role":"system","content":"Be kind."})");
  // Behind an assistant turn no model takes it.
  request.turns.erase(request.turns.begin() + 2);
  EXPECT_EQ(Written(request, "claude-opus-4-8")["messages"].at(2)["role"].text(), "user");
}

TEST(AnthropicRequest, RefusesWhatWouldChangeTheMeaning) {
  const auto refused = [](const ChatRequest& request) {
    const Written out(request);
    return !out.outcome() && out.outcome().error()->fault == Fault::unsupported;
  };
  auto sound = chat("claude-sonnet-4-5");
  sound.turns[0].parts.push_back({.body = Media{.kind = MediaKind::audio, .form = MediaForm::base64, .data = "UklG"}});
  EXPECT_TRUE(refused(sound));
  auto foreign = chat("claude-sonnet-4-5");
  foreign.turns[0].parts.push_back({.body = Media{.form = MediaForm::file_id, .data = "file-1"}});
  EXPECT_TRUE(refused(foreign));
  auto drawing = chat("claude-sonnet-4-5");
  drawing.turns[0].parts.push_back({.body = Media{.form = MediaForm::base64, .data = "PHN2", .mime = "image/svg+xml"}});
  EXPECT_TRUE(refused(drawing));
  auto several = chat("claude-sonnet-4-5");
  several.sampling.n = 2;
  EXPECT_TRUE(refused(several));
  auto silent = chat("claude-sonnet-4-5");
  silent.turns = {turn(Role::system, "Only this.")};
  EXPECT_TRUE(refused(silent));
  auto prefill = chat("claude-opus-4-6");
  prefill.turns.push_back(turn(Role::assistant, "I think "));
  EXPECT_TRUE(refused(prefill));
  const Written trimmed(prefill, "claude-sonnet-4-5");
  EXPECT_EQ(trimmed["messages"].at(1)["content"].text(), "I think");
}

TEST(AnthropicRequest, CarriesDocumentsInTheFormTheVendorTakes) {
  auto request = chat("claude-sonnet-4-5");
  auto& parts = request.turns[0].parts;
  request.turns[0].plain_string = false;
  parts.push_back(
      {.body = Media{.kind = MediaKind::document, .form = MediaForm::base64, .data = "JVBERi0x", .name = "a.pdf"}});
  parts.push_back(
      {.body = Media{.kind = MediaKind::document, .form = MediaForm::base64, .data = "aGk=", .mime = "text/plain"}});
  parts.push_back({.body = Media{.form = MediaForm::base64, .data = "/9j/4AAQ", .detail = "high"}});
  const Written out(request);
  const json::Value content = out["messages"].at(0)["content"];
  EXPECT_EQ(content.at(1).raw(), R"({"type":"document","source":{"type":"base64","media_type":"application/pdf",)"
                                 R"("data":"JVBERi0x"},"title":"a.pdf"})");
  EXPECT_EQ(content.at(2)["source"].raw(), R"({"type":"text","media_type":"text/plain","data":"hi"})");
  EXPECT_EQ(content.at(3)["source"]["media_type"].text(), "image/jpeg");
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/0/content/3/image_url/detail"));
}

TEST(AnthropicRequest, KeepsTheLastFourCacheMarks) {
  auto request = chat("claude-sonnet-4-5");
  request.turns[0].parts.clear();
  request.turns[0].plain_string = false;
  for (int i = 0; i < 6; ++i) {
    request.turns[0].parts.push_back({.body = Text{.text = std::to_string(i)}, .cache = CacheMark{.ttl = "12h"}});
  }
  const Written out(request);
  const json::Value content = out["messages"].at(0)["content"];
  EXPECT_FALSE(content.at(1)["cache_control"]);
  EXPECT_EQ(content.at(2)["cache_control"].raw(), R"({"type":"ephemeral","ttl":"1h"})");
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/0/content/0/cache_control"));
}

TEST(AnthropicRequest, EnforcesASchemaOrSaysThatNobodyDoes) {
  auto request = chat("claude-sonnet-4-5");
  request.format = OutputFormat{.kind = FormatKind::json_schema,
                                .name = "boat",
                                .schema = R"({"type":"object","properties":{"length":{"type":"number","minimum":1}},)"
                                          R"("required":["length"]})"};
  const Written native(request);
  EXPECT_EQ(native.raw("output_config"),
            R"x({"format":{"type":"json_schema","schema":{"type":"object","properties":{"length":{"type":"number",)x"
            R"x("description":"(minimum: 1)"}},"required":["length"],"additionalProperties":false}}})x");
  EXPECT_TRUE(native.noted(NoteKind::restated, "/response_format/json_schema/schema/properties/length/minimum"));
  const Written hint(request, "claude-3-haiku-20240307");
  EXPECT_FALSE(hint["output_config"]);
  EXPECT_TRUE(hint["system"].at(0)["text"].text().contains(request.format->schema));
  EXPECT_TRUE(hint.noted(NoteKind::restated, "/response_format"));
  request.format->schema = R"({"type":"object","additionalProperties":{"type":"string"}})";
  EXPECT_FALSE(Written(request)["output_config"]);
}

TEST(AnthropicRequest, LeavesTheWordsOfItsOwnClientsAlone) {
  const std::string body =
      R"({"model":"claude-opus-5-5","max_tokens":10,"temperature":0.3,"thinking":{"type":"enabled","budget_tokens":2000},)"
      R"("messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]})";
  Notes reading;
  const auto request = read_request({.body = body}, reading);
  ASSERT_TRUE(request);
  Written same(*request);
  EXPECT_TRUE(json::same(same.outcome()->body, body)) << same.outcome()->body;
  // Sent to another model than the one that was named, its rules count.
  const Written other(*request, "claude-opus-4-7");
  EXPECT_FALSE(other["temperature"]);
  EXPECT_EQ(other["messages"].size(), 1U);
  EXPECT_TRUE(other.noted(NoteKind::lost, "/temperature"));
}

TEST(AnthropicRequest, KeepsWhatItsClientSaidInHeaders) {
  const std::vector<HeaderView> headers = {{"anthropic-version", "2026-10-21"},
                                           {"anthropic-beta", "context-management-2025-06-27"}};
  Notes reading;
  const auto request = read_request(
      {.headers = headers, .body = R"({"model":"claude-opus-5-5","messages":[{"role":"user","content":"a"}]})"},
      reading);
  ASSERT_TRUE(request);
  const Written out(*request);
  EXPECT_EQ(out.header("anthropic-version"), "2026-10-21");
  EXPECT_EQ(out.header("anthropic-beta"), "context-management-2025-06-27");
}

TEST(AnthropicRequest, NamesTheFieldThatIsWrong) {
  const auto fault = [](std::string_view body) {
    Notes notes;
    const auto request = read_request({.body = body}, notes);
    return request ? std::string() : request.error()->message;
  };
  EXPECT_EQ(fault(R"({"model":"m"})"), "messages: Field required");
  EXPECT_EQ(fault(R"({"messages":["x"]})"), "messages.0: Input does not match the expected shape.");
  EXPECT_EQ(fault(R"({"messages":[{"role":"bot","content":""}]})"),
            "messages.0.role: Input should be 'user' or 'assistant'");
  EXPECT_EQ(fault(R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})"),
            "messages.0.content.0.text: Field required");
  EXPECT_EQ(fault(R"({"messages":[],"max_tokens":"many"})"), "max_tokens: Input should be a valid integer");
  EXPECT_NE(fault("[]"), "");
  EXPECT_NE(fault("{"), "");
}

}  // namespace
}  // namespace sluice::anthropic
