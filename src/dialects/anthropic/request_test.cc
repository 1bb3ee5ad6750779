// What the laws cannot see: the rules of this vendor's models on requests from other dialects.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/anthropic/anthropic.h"
#include "dialects/seal_envelope.h"

namespace sluice::anthropic {
namespace {

Turn turn(Role role, std::string text) {
  Turn out{.role = role, .plain_string = true};
  out.parts.push_back({.body = Text{.text = std::move(text)}});
  return out;
}

Turn result(std::string id, std::string text) {
  ToolResult body{.call_id = std::move(id), .plain_string = true};
  body.parts.push_back({.body = Text{.text = std::move(text)}});
  Turn out{.role = Role::tool};
  out.parts.push_back({.body = std::move(body)});
  return out;
}

Part call(std::string id, std::string name, std::string arguments) {
  return {.body = ToolCall{.id = std::move(id), .name = std::move(name), .arguments = std::move(arguments)}};
}

// A request as a Chat client makes it.
ChatRequest chat(std::string_view model) {
  ChatRequest request;
  request.model = model;
  request.max_output = 1000;
  request.max_output_field = "max_tokens";
  request.turns.push_back(turn(Role::user, "Hello"));
  return request;
}

class Written {
 public:
  Written(const ChatRequest& request, std::string_view model, bool stream = false)
      : outcome_(write_request(request, {.model = model, .provider = "anthropic", .stream = stream}, notes_)) {
    if (outcome_) root_ = doc_.parse(outcome_->body).value_or(json::Value());
  }
  explicit Written(const ChatRequest& request) : Written(request, request.model) {}

  [[nodiscard]] json::Value operator[](std::string_view key) const { return root_[key]; }
  [[nodiscard]] std::string raw(std::string_view key) const { return std::string(root_[key].raw()); }
  [[nodiscard]] const Result<WireRequest>& outcome() const { return outcome_; }
  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : outcome_->headers) {
      if (key == name) return value;
    }
    return {};
  }
  [[nodiscard]] bool noted(NoteKind kind, std::string_view pointer) const {
    return std::ranges::any_of(notes_.all(), [&](const Note& n) { return n.kind == kind && n.pointer == pointer; });
  }
  [[nodiscard]] const Notes& notes() const { return notes_; }

 private:
  Notes notes_;
  Result<WireRequest> outcome_;
  json::Document doc_;
  json::Value root_;
};

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

TEST(AnthropicRequest, SpeaksEffortInTheWordsOfEachModel) {
  auto request = chat("claude-sonnet-4-5");
  request.reasoning.effort = "medium";
  const Written budget(request);
  EXPECT_EQ(budget.raw("thinking"), R"({"type":"enabled","budget_tokens":8192})");
  EXPECT_EQ(budget["max_tokens"].integer(), 9192);
  EXPECT_TRUE(budget.noted(NoteKind::restated, "/max_tokens"));
  const Written adaptive(request, "claude-opus-4-6");
  EXPECT_EQ(adaptive.raw("thinking"), R"({"type":"adaptive"})");
  EXPECT_EQ(adaptive.raw("output_config"), R"({"effort":"medium"})");
  const Written hidden(request, "claude-opus-4-8");
  EXPECT_EQ(hidden.raw("thinking"), R"({"type":"adaptive","display":"summarized"})");
  const Written none(request, "claude-3-5-haiku-20241022");
  EXPECT_FALSE(none["thinking"]);
  EXPECT_TRUE(none.noted(NoteKind::lost, "/reasoning_effort"));
  request.reasoning.effort = "xhigh";
  EXPECT_EQ(Written(request, "claude-sonnet-4-6").raw("output_config"), R"({"effort":"high"})");
  request.reasoning.effort = "minimal";
  EXPECT_EQ(Written(request, "claude-opus-5").raw("output_config"), R"({"effort":"low"})");
}

TEST(AnthropicRequest, TurnsABudgetIntoAnEffortWhereBudgetsAreRefused) {
  auto request = chat("claude-sonnet-5");
  request.reasoning = {.mode = ReasoningMode::on, .budget = 20000};
  const Written out(request);
  EXPECT_EQ(out.raw("output_config"), R"({"effort":"high"})");
  EXPECT_TRUE(out.noted(NoteKind::restated, "/reasoning/max_tokens"));
}

TEST(AnthropicRequest, SwitchesThinkingOffAsFarAsTheModelLets) {
  auto request = chat("claude-opus-4-6");
  request.reasoning.effort = "none";
  EXPECT_EQ(Written(request).raw("thinking"), R"({"type":"disabled"})");
  EXPECT_EQ(Written(request, "claude-haiku-5-5")["thinking"]["type"].text(), "disabled");
  EXPECT_EQ(Written(request, "claude-sonnet-5-5").raw("thinking"), R"({"type":"between_tools"})");
  const Written fable(request, "claude-fable-5");
  EXPECT_FALSE(fable["thinking"]);
  EXPECT_EQ(fable.raw("output_config"), R"({"effort":"low"})");
  EXPECT_TRUE(fable.noted(NoteKind::restated, "/reasoning_effort"));
}

TEST(AnthropicRequest, AsksPreservedThinkingToBeDroppedRatherThanRefused) {
  const Written out(chat("claude-opus-5-5"));
  EXPECT_EQ(out.raw("thinking"),
            R"({"type":"adaptive","display":"summarized","block_binding":{"prefix_mismatch_behavior":"drop_block"}})");
  EXPECT_EQ(out.header("anthropic-beta"), "thinking-binding-controls-2026-08-01");
  EXPECT_FALSE(Written(chat("claude-opus-4-6"))["thinking"]);
}

TEST(AnthropicRequest, LeavesRoomForTheAnswerBesideAHugeBudget) {
  auto request = chat("claude-sonnet-4-5");
  request.reasoning.effort = "max";
  const Written out(request);
  EXPECT_EQ(out["max_tokens"].integer(), 64000);
  EXPECT_EQ(out["thinking"]["budget_tokens"].integer(), 63000);
}

TEST(AnthropicRequest, DropsSamplingThatThinkingForbids) {
  auto request = chat("claude-sonnet-4-5");
  request.reasoning.effort = "low";
  request.sampling.temperature = "0";
  const Written out(request);
  EXPECT_FALSE(out["temperature"]);
  EXPECT_TRUE(out.noted(NoteKind::lost, "/temperature"));
}

TEST(AnthropicRequest, SaysEveryToolChoice) {
  auto request = chat("claude-sonnet-4-5");
  request.tools.push_back({.name = "look", .schema = R"({"type":"object"})"});
  request.tools.push_back({.name = "listen", .schema = R"({"type":"object"})"});
  EXPECT_FALSE(Written(request)["tool_choice"]);
  const auto choice = [&](ToolChoice c) {
    request.tool_choice = std::move(c);
    return Written(request).raw("tool_choice");
  };
  EXPECT_EQ(choice({.kind = ChoiceKind::automatic}), R"({"type":"auto"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::none}), R"({"type":"none"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::required}), R"({"type":"any"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::one, .names = {"look"}}), R"({"type":"tool","name":"look"})");
  EXPECT_EQ(choice({.kind = ChoiceKind::subset, .names = {"look"}, .subset_required = true}), R"({"type":"any"})");
  EXPECT_EQ(Written(request)["system"].at(0)["text"].text(), "Call one of these tools now: look.");
  request.parallel_tools = false;
  EXPECT_EQ(choice({.kind = ChoiceKind::required}), R"({"type":"any","disable_parallel_tool_use":true})");
  request.tool_choice.reset();
  EXPECT_EQ(Written(request).raw("tool_choice"), R"({"type":"auto","disable_parallel_tool_use":true})");
}

TEST(AnthropicRequest, DegradesAForcedChoiceWhereItIsRefused) {
  auto request = chat("claude-opus-5-5");
  request.tools.push_back({.name = "look"});
  request.tools.push_back({.name = "listen"});
  request.tool_choice = ToolChoice{.kind = ChoiceKind::one, .names = {"look"}};
  const Written out(request);
  EXPECT_EQ(out.raw("tool_choice"), R"({"type":"auto"})");
  ASSERT_EQ(out["tools"].size(), 1U);
  EXPECT_EQ(out["tools"].at(0)["name"].text(), "look");
  EXPECT_TRUE(out["system"].at(0)["text"].text().starts_with("Call the tool look now"));
  EXPECT_TRUE(out.noted(NoteKind::restated, "/tool_choice"));
  // The same on an older model while a budget is spent on thinking.
  request.reasoning.effort = "low";
  EXPECT_EQ(Written(request, "claude-sonnet-4-5").raw("tool_choice"), R"({"type":"auto"})");
}

TEST(AnthropicRequest, MakesToolsThatTheVendorTakes) {
  auto request = chat("claude-sonnet-4-5");
  request.tools.push_back({.name = "files.read", .schema = R"({"properties":{}})"});
  request.tools.push_back({.kind = ToolKind::custom, .name = "shell", .description = "Runs it"});
  request.tools.push_back({.name = "bare"});
  request.tools.push_back({.name = "either", .schema = R"({"anyOf":[{"type":"object"}]})"});
  request.tools.push_back({.vendor_raw = R"({"googleSearch":{}})", .vendor_type = "googleSearch"});
  request.tools.push_back({.vendor_raw = R"({"type":"file_search"})", .vendor_type = "file_search"});
  const Written out(request);
  const json::Value tools = out["tools"];
  ASSERT_EQ(tools.size(), 5U);
  EXPECT_TRUE(tools.at(0)["name"].text().starts_with("files_read_"));
  EXPECT_EQ(tools.at(0)["input_schema"].raw(), R"({"properties":{},"type":"object"})");
  EXPECT_EQ(tools.at(1)["input_schema"]["required"].raw(), R"(["input"])");
  EXPECT_EQ(tools.at(2)["input_schema"].raw(), R"({"type":"object","properties":{}})");
  EXPECT_EQ(tools.at(3)["input_schema"].raw(), R"({"type":"object"})");
  EXPECT_EQ(tools.at(4)["type"].text(), "web_search_20250305");
  EXPECT_TRUE(out.noted(NoteKind::restated, "/tools/1"));
  EXPECT_TRUE(out.noted(NoteKind::lost, "/tools/3/function/parameters/anyOf"));
  EXPECT_TRUE(out.noted(NoteKind::lost, "/tools/5"));
}

TEST(AnthropicRequest, SearchesTheWebForAChatClient) {
  auto request = chat("claude-sonnet-4-5");
  request.extras.add(
      DialectId::openai_chat, "web_search_options",
      R"({"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Husum"}}})");
  request.extras.add(DialectId::openai_chat, "store", "true");
  const Written out(request);
  EXPECT_EQ(out.raw("tools"), R"([{"type":"web_search_20250305","name":"web_search",)"
                              R"("user_location":{"type":"approximate","city":"Husum"}}])");
  EXPECT_TRUE(out.noted(NoteKind::lost, "/web_search_options/search_context_size"));
  EXPECT_TRUE(out.noted(NoteKind::lost, "/store"));
  EXPECT_FALSE(out.noted(NoteKind::lost, "/web_search_options"));
}

TEST(AnthropicRequest, OrdersResultsAsTheCallsAndPutsThemFirst) {
  auto request = chat("claude-sonnet-4-5");
  Turn calls{.role = Role::assistant};
  calls.parts = {call("call_a", "look", R"({"x":1})"), call("call_b", "look", ""), call("call_c", "look", "{broken")};
  request.turns.push_back(std::move(calls));
  request.turns.push_back(result("call_b", "second"));
  request.turns.push_back(result("call_a", "first"));
  request.turns.push_back(turn(Role::user, "Well?"));
  const Written out(request);
  const json::Value messages = out["messages"];
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages.at(1)["content"].at(1)["input"].raw(), "{}");
  EXPECT_EQ(messages.at(1)["content"].at(2)["input"].raw(), R"({"input":"{broken"})");
  const json::Value answers = messages.at(2)["content"];
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers.at(0)["tool_use_id"].text(), "call_a");
  EXPECT_EQ(answers.at(1)["content"].text(), "second");
  EXPECT_EQ(answers.at(2)["is_error"].boolean(), true);
  EXPECT_EQ(answers.at(3)["text"].text(), "Well?");
  // The history calls a tool that nobody declared.
  EXPECT_EQ(out["tools"].raw(), R"([{"name":"look","input_schema":{"type":"object"}}])");
  EXPECT_EQ(out.raw("tool_choice"), R"({"type":"none"})");
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

TEST(AnthropicRequest, NeverSendsEmptyTextOrForeignThinking) {
  auto request = chat("claude-sonnet-4-5");
  Turn thought{.role = Role::assistant};
  thought.parts.push_back({.body = Reasoning{.text = "unsigned"}});
  thought.parts.push_back(
      {.body = Reasoning{.text = "foreign"}, .seal = Seal{.dialect = DialectId::gemini, .raw = "g"}});
  thought.parts.push_back({.body = Text{}});
  thought.parts.push_back({.body = Text{.text = " \n"}});
  request.turns.push_back(std::move(thought));
  request.turns.push_back(turn(Role::user, "Still there?"));
  const Written out(request);
  ASSERT_EQ(out["messages"].size(), 2U);
  EXPECT_EQ(out["messages"].at(1)["role"].text(), "user");
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/1/reasoning_content"));
}

TEST(AnthropicRequest, ReturnsItsOwnThinkingUntouched) {
  auto request = chat("claude-sonnet-4-5");
  Turn thought{.role = Role::assistant};
  thought.parts.push_back({.body = Reasoning{.text = ""}, .seal = Seal{.raw = "EqQB"}});
  thought.parts.push_back({.body = Reasoning{.redacted = true}, .seal = Seal{.raw = "EmwK"}});
  thought.parts.push_back(call("call_a", "look", "{}"));
  request.turns.push_back(std::move(thought));
  request.turns.push_back(result("call_a", "dark"));
  const Written out(request);
  EXPECT_EQ(out["messages"].at(1)["content"].raw(),
            R"([{"type":"thinking","thinking":"","signature":"EqQB"},{"type":"redacted_thinking","data":"EmwK"},)"
            R"({"type":"tool_use","id":"call_a","name":"look","input":{}}])");
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

TEST(AnthropicRequest, PointsIntoToolResults) {
  auto request = chat("claude-sonnet-4-5");
  Turn calls{.role = Role::assistant};
  calls.parts = {call("call_a", "listen", "{}"), call("call_b", "listen", "{}")};
  request.turns.push_back(std::move(calls));
  ToolResult heard{.call_id = "call_a"};
  heard.parts.push_back({.body = Text{.text = "heard"}});
  heard.parts.push_back({.body = Media{.kind = MediaKind::audio, .form = MediaForm::base64, .data = "UklG"}});
  request.turns.push_back({.role = Role::tool, .parts = {{.body = heard}}});
  request.turns.push_back({.role = Role::assistant});  // nothing of it can be pointed at
  const Written out(request);
  ASSERT_TRUE(out.outcome());
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/2/content/1"));
  EXPECT_EQ(out["messages"].at(2)["content"].at(0)["content"].size(), 1U);
  EXPECT_EQ(out["messages"].at(2)["content"].at(1)["is_error"].boolean(), true);
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

TEST(AnthropicRequest, LeavesNoTurnEmptyWhereThinkingHadToGo) {
  Notes reading;
  const auto request = read_request({.body = R"({"model":"claude-opus-5-5","messages":[{"role":"user","content":"a"},)"
                                             R"({"role":"assistant","content":[{"type":"thinking","thinking":"t"}]},)"
                                             R"({"role":"user","content":"b"}]})"},
                                    reading);
  ASSERT_TRUE(request);
  const Written out(*request);
  EXPECT_EQ(out["messages"].size(), 2U);
  EXPECT_TRUE(out.noted(NoteKind::lost, "/messages/1/content/0"));
}

TEST(AnthropicRequest, KeepsStrictToolsToTheNumberTaken) {
  auto request = chat("claude-sonnet-4-5");
  for (int i = 0; i < 21; ++i) {
    request.tools.push_back({.name = "t" + std::to_string(i), .schema = R"({"type":"object"})", .strict = true});
  }
  const Written out(request);
  EXPECT_EQ(out["tools"].at(19)["strict"].boolean(), true);
  EXPECT_FALSE(out["tools"].at(20)["strict"]);
  EXPECT_TRUE(out.noted(NoteKind::restated, "/tools/20/function/strict"));
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

TEST(AnthropicRequest, UnderstandsProofsOfOtherVendorsThatItsClientKept) {
  const Seal seal{.dialect = DialectId::gemini, .issuer = "gemini", .raw = "CiQ="};
  const std::string body = R"({"model":"m","messages":[{"role":"assistant","content":[)"
                           R"({"type":"thinking","thinking":"t","signature":")" +
                           wrap_seal(seal) + R"("},{"type":"redacted_thinking","data":")" + wrap_seal(seal) +
                           R"(>"},{"type":"tool_use","id":"a","name":"f","input":{}}]}]})";
  Notes notes;
  const auto request = read_request({.body = body}, notes);
  ASSERT_TRUE(request);
  const auto& parts = request->turns.at(0).parts;
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].seal, seal);
  EXPECT_EQ(parts[1].seal, seal);
  EXPECT_NE(parts[1].as<ToolCall>(), nullptr);
}

}  // namespace
}  // namespace sluice::anthropic
