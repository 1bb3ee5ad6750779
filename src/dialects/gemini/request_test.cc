// What the vendor demands of requests and no law can see. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/gemini/gemini.h"
#include "dialects/pointer.h"
#include "dialects/seal_envelope.h"

namespace sluice::gemini {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

const Dialect& dialect = gemini_dialect();

Part text(std::string words) {
  return {.body = Text{.text = std::move(words)}};
}
Turn user(std::string words) {
  return {.role = Role::user, .parts = {text(std::move(words))}};
}
Turn says(std::vector<Part> parts) {
  return {.role = Role::assistant, .parts = std::move(parts)};
}
Part call(std::string id, std::string name, std::string arguments = "{}") {
  return {.body = ToolCall{.id = std::move(id), .name = std::move(name), .arguments = std::move(arguments)}};
}
Part result(std::string id, std::string words, bool error = false) {
  return {.body = ToolResult{.call_id = std::move(id), .parts = {text(std::move(words))}, .is_error = error}};
}
Part sealed(Part part, DialectId from = DialectId::gemini) {
  part.seal = Seal{.dialect = from, .raw = "proof"};
  return part;
}

// What a chat client asked.
ChatRequest chat(std::vector<Turn> turns) {
  return {.model = "any", .turns = std::move(turns)};
}

struct Out {
  std::string body;
  std::vector<Note> notes;
};
Out write(const ChatRequest& request, std::string_view model = "gemini-3-pro-preview",
          std::string_view provider = "gemini") {
  Notes notes;
  const auto written = dialect.write_request(request, {.model = model, .provider = provider}, notes);
  EXPECT_TRUE(written) << written.error()->message;
  return {written ? written->body : "", notes.all()};
}

std::string at(const std::string& body, std::initializer_list<std::string_view> path) {
  json::Document doc;
  json::Value value = doc.parse(body).value_or(json::Value());
  for (const std::string_view step : path) {
    const bool number = !step.empty() && step.find_first_not_of("0123456789") == std::string_view::npos;
    value = number && value.is_array() ? value.at(std::stoul(std::string(step))) : value[step];
  }
  return std::string(value.raw());
}

auto note(NoteKind kind, const std::string& pointer) {
  return Contains(AllOf(Field(&Note::kind, kind), Field(&Note::pointer, pointer)));
}

ChatRequest read(std::string_view body, std::string_view model = "gemini-3-pro-preview") {
  Notes notes;
  auto request = dialect.read_request({.path_model = model, .body = body}, notes);
  EXPECT_TRUE(request) << request.error()->message;
  return request ? *std::move(request) : ChatRequest{};
}

ChatRequest thinking(std::string effort, std::optional<std::int64_t> budget = {},
                     ReasoningMode mode = ReasoningMode::unset) {
  ChatRequest request = chat({user("hi")});
  request.reasoning = {.mode = mode, .effort = std::move(effort), .budget = budget};
  return request;
}
std::string thought(const ChatRequest& request, std::string_view model) {
  return at(write(request, model).body, {"generationConfig", "thinkingConfig"});
}

TEST(GeminiThinking, GivesEachModelTheWordItTakes) {
  struct Row {
    std::string_view model, effort, config;
  };
  constexpr Row rows[] = {
      {"gemini-2.5-pro", "low", R"({"thinkingBudget":1024})"},
      {"gemini-2.5-pro", "none", R"({"thinkingBudget":128})"},
      {"gemini-2.5-pro-preview-05-06", "max", R"({"thinkingBudget":32768})"},
      {"gemini-2.5-flash", "none", R"({"thinkingBudget":0})"},
      {"gemini-2.5-flash", "xhigh", R"({"thinkingBudget":24576})"},
      {"gemini-2.5-flash-lite-preview-06-17", "minimal", R"({"thinkingBudget":512})"},
      {"gemini-3-pro-preview", "medium", R"({"thinkingLevel":"HIGH"})"},
      {"gemini-3.1-pro-preview", "medium", R"({"thinkingLevel":"MEDIUM"})"},
      {"gemini-3-flash-preview", "minimal", R"({"thinkingLevel":"MINIMAL"})"},
      {"models/gemini-3.6-flash-lite", "none", R"({"thinkingLevel":"MINIMAL"})"},
      {"gemini-3.7-flash-001", "minimal", R"({"thinkingLevel":"LOW"})"},
      {"gemini-flash-latest", "minimal", R"({"thinkingLevel":"LOW"})"},
      {"gemini-4-argon", "none", R"({"thinkingLevel":"LOW"})"},
      {"gemini-5.2-anything", "max", R"({"thinkingLevel":"HIGH"})"},
      {"an-alias", "high", R"({"thinkingLevel":"HIGH"})"},
      {"gemini-3-pro-image-preview", "high", ""},
      {"gemini-2.0-flash", "high", ""},
      {"gemma-3-27b-it", "low", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(thought(thinking(std::string(row.effort)), row.model), row.config) << row.model;
}

TEST(GeminiThinking, TurnsBudgetsIntoLevelsAndClampsThem) {
  EXPECT_EQ(thought(thinking("", 600), "gemini-4-argon"), R"({"thinkingLevel":"LOW"})");
  EXPECT_EQ(thought(thinking("", 9000), "gemini-3-flash"), R"({"thinkingLevel":"HIGH"})");
  EXPECT_EQ(thought(thinking("", 64), "gemini-2.5-pro"), R"({"thinkingBudget":128})");
  EXPECT_EQ(thought(thinking("", {}, ReasoningMode::automatic), "gemini-2.5-flash"), R"({"thinkingBudget":-1})");
  EXPECT_EQ(thought(thinking("", {}, ReasoningMode::off), "gemini-2.5-flash"), R"({"thinkingBudget":0})");
  EXPECT_THAT(write(thinking("none"), "gemini-2.5-pro").notes, note(NoteKind::restated, "/reasoning_effort"));
  EXPECT_THAT(write(thinking("low"), "gemini-2.0-flash").notes, note(NoteKind::lost, "/reasoning_effort"));
}

TEST(GeminiSignatures, SentinelStandsOnTheFirstCallOfEachStepOfTheCurrentTurn) {
  const ChatRequest request = chat({
      user("before"),
      says({call("a", "f")}),
      {.role = Role::tool, .parts = {result("a", "1")}},
      says({text("done")}),
      user("now"),
      says({call("b", "f"), call("c", "f")}),
      {.role = Role::tool, .parts = {result("b", "2"), result("c", "3")}},
      says({sealed(call("d", "f"))}),
      {.role = Role::tool, .parts = {result("d", "4")}},
  });
  const Out out = write(request);
  constexpr std::string_view sentinel = "\"skip_thought_signature_validator\"";
  EXPECT_EQ(at(out.body, {"contents", "1", "parts", "0", "thoughtSignature"}), "");
  EXPECT_EQ(at(out.body, {"contents", "5", "parts", "0", "thoughtSignature"}), sentinel);
  EXPECT_EQ(at(out.body, {"contents", "5", "parts", "1", "thoughtSignature"}), "");
  EXPECT_EQ(at(out.body, {"contents", "7", "parts", "0", "thoughtSignature"}), "\"proof\"");
  EXPECT_THAT(out.notes, note(NoteKind::added, "/messages/5/tool_calls/0/thoughtSignature"));
  EXPECT_THAT(write(request, "gemini-2.5-flash").body, Not(HasSubstr("skip_thought")));
}

TEST(GeminiSignatures, GoOnlyInTheirOwnForm) {
  const auto with = [](DialectId from) {
    return chat({user("hi"), says({sealed(call("a", "f"), from)}), {.role = Role::tool, .parts = {result("a", "1")}}});
  };
  EXPECT_THAT(write(with(DialectId::gemini)).body, HasSubstr("\"proof\""));
  const Out out = write(with(DialectId::anthropic));
  EXPECT_THAT(out.body, Not(HasSubstr("\"proof\"")));
  EXPECT_THAT(out.body, HasSubstr("skip_thought_signature_validator"));
  EXPECT_THAT(out.notes, note(NoteKind::lost, "/messages/1/tool_calls/0/extra_content"));
}

TEST(GeminiSignatures, AProofThatTravelledAloneGoesToThePartBehind) {
  Part lone{.body = Reasoning{.redacted = true}};
  const Out out = write(
      chat({user("hi"), says({sealed(lone), call("a", "f")}), {.role = Role::tool, .parts = {result("a", "1")}}}));
  EXPECT_EQ(at(out.body, {"contents", "1", "parts"}),
            R"([{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"proof"}])");
}

TEST(GeminiTurns, ResultsAreObjectsInTheOrderOfTheirCalls) {
  const Out out = write(chat({user("hi"),
                              says({call("a", "f"), call("b", "g"), call("c", "h")}),
                              {.role = Role::tool, .parts = {result("b", "no", true)}},
                              {.role = Role::tool, .parts = {result("a", "yes")}},
                              user("go on")}),
                        "gemini-2.5-flash");
  EXPECT_EQ(at(out.body, {"contents", "2", "parts"}),
            R"([{"functionResponse":{"id":"a","name":"f","response":{"output":"yes"}}},)"
            R"({"functionResponse":{"id":"b","name":"g","response":{"error":"no"}}},)"
            R"({"functionResponse":{"id":"c","name":"h","response":{"error":"Tool call was not executed"}}},)"
            R"({"text":"go on"}])");
}

TEST(GeminiTurns, OldVertexGetsNoIds) {
  const ChatRequest request =
      chat({user("hi"), says({call("a", "f")}), {.role = Role::tool, .parts = {result("a", "1")}}});
  EXPECT_THAT(write(request, "gemini-2.5-flash", "vertex").body, Not(HasSubstr("\"id\"")));
  EXPECT_THAT(write(request, "gemini-3-flash-preview", "vertex").body, HasSubstr("\"id\":\"a\""));
}

TEST(GeminiTurns, MediaOfAResultStandsInsideOrBeside) {
  Part image{.body = Media{.form = MediaForm::base64, .data = "aGk=", .mime = "image/png"}};
  Part answer{.body = ToolResult{.call_id = "a", .parts = {text("seen"), image}}};
  const ChatRequest request = chat({user("hi"), says({call("a", "f")}), {.role = Role::tool, .parts = {answer}}});
  EXPECT_EQ(at(write(request).body, {"contents", "2", "parts", "0", "functionResponse", "parts"}),
            R"([{"inlineData":{"mimeType":"image/png","data":"aGk="}}])");
  EXPECT_EQ(at(write(request, "gemini-2.5-flash").body, {"contents", "2", "parts", "1"}),
            R"({"inlineData":{"mimeType":"image/png","data":"aGk="}})");
}

TEST(GeminiTurns, SystemTextStaysWhereItStood) {
  const Out out = write(chat({{.role = Role::system, .parts = {text("A")}},
                              {.role = Role::developer, .parts = {text("B")}},
                              user("hi"),
                              {.role = Role::system, .parts = {text("C")}}}));
  EXPECT_EQ(at(out.body, {"systemInstruction"}), R"({"parts":[{"text":"A"},{"text":"B"}]})");
  EXPECT_EQ(at(out.body, {"contents"}),
            R"([{"role":"user","parts":[{"text":"hi"},{"text":"<system-reminder>C</system-reminder>"}]}])");
  EXPECT_THAT(out.notes, note(NoteKind::restated, "/messages/3/content/0"));
  Notes notes;
  const auto alone = dialect.write_request(chat({{.role = Role::system, .parts = {text("A")}}}), {.model = "m"}, notes);
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error()->fault, Fault::unsupported);
}

TEST(GeminiTurns, HistoriesWithoutIdsArePairedByNameAndOrder) {
  const ChatRequest request = read(R"({"contents":[{"parts":[{"text":"hi"}]},
      {"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}},{"functionCall":{"name":"f"}}]},
      {"parts":[{"functionResponse":{"name":"g","response":{"output":"2"}}},
                {"functionResponse":{"name":"f","response":{"output":"1"}}},
                {"functionResponse":{"name":"f","response":{"output":"3"}}}]}]})");
  const auto id = [&](std::size_t turn, std::size_t part) {
    const Part& p = request.turns[turn].parts[part];
    return p.as<ToolCall>() ? p.as<ToolCall>()->id : p.as<ToolResult>()->call_id;
  };
  EXPECT_EQ(id(2, 0), id(1, 1));
  EXPECT_EQ(id(2, 1), id(1, 0));
  EXPECT_EQ(id(2, 2), id(1, 2));
  EXPECT_NE(id(1, 0), id(1, 2));
  EXPECT_TRUE(request.turns[1].parts[0].as<ToolCall>()->id_made_up);
  EXPECT_THAT(write(request).body, Not(HasSubstr("\"id\"")));
}

TEST(GeminiTools, SayWhatTheChoiceMeans) {
  const auto config = [](ToolChoice choice) {
    ChatRequest request = chat({user("hi")});
    request.tools = {{.name = "f"}, {.name = "g"}};
    request.tool_choice = std::move(choice);
    return at(write(request).body, {"toolConfig", "functionCallingConfig"});
  };
  EXPECT_EQ(config({.kind = ChoiceKind::automatic}), R"({"mode":"AUTO"})");
  EXPECT_EQ(config({.kind = ChoiceKind::none}), R"({"mode":"NONE"})");
  EXPECT_EQ(config({.kind = ChoiceKind::required}), R"({"mode":"ANY"})");
  EXPECT_EQ(config({.kind = ChoiceKind::one, .names = {"g"}}), R"({"mode":"ANY","allowedFunctionNames":["g"]})");
  EXPECT_EQ(config({.kind = ChoiceKind::subset, .names = {"f", "g"}}),
            R"({"mode":"VALIDATED","allowedFunctionNames":["f","g"]})");
}

TEST(GeminiTools, StrictOnesAreValidated) {
  ChatRequest request = chat({user("hi")});
  request.tools = {{.name = "f", .schema = R"({"type":"object"})", .strict = true}};
  const Out out = write(request);
  EXPECT_EQ(at(out.body, {"toolConfig", "functionCallingConfig", "mode"}), "\"VALIDATED\"");
  EXPECT_THAT(write(request, "gemini-2.0-flash").notes, note(NoteKind::lost, "/tools/0/function/strict"));
}

TEST(GeminiTools, ANameThatTheVendorRefusesIsAnotherHere) {
  ChatRequest request =
      chat({user("hi"), says({call("a", "9lives")}), {.role = Role::tool, .parts = {result("a", "1")}}});
  request.tools = {{.name = "9lives"}, {.name = "cat.name"}};
  const Out out = write(request);
  const std::string name = at(out.body, {"tools", "0", "functionDeclarations", "0", "name"});
  EXPECT_THAT(name, testing::StartsWith("\"_9lives_"));
  EXPECT_EQ(at(out.body, {"tools", "0", "functionDeclarations", "1", "name"}), "\"cat.name\"");
  EXPECT_EQ(at(out.body, {"contents", "1", "parts", "0", "functionCall", "name"}), name);
  EXPECT_EQ(at(out.body, {"contents", "2", "parts", "0", "functionResponse", "name"}), name);
  EXPECT_THAT(out.notes, note(NoteKind::restated, "/tools/0"));
}

TEST(GeminiFormat, StandsBesideToolsOnlyWhereTheModelTakesBoth) {
  ChatRequest request = chat({user("hi")});
  request.tools = {{.name = "f"}};
  request.format = OutputFormat{.kind = FormatKind::json_schema, .name = "ship", .schema = R"({"type":"object"})"};
  EXPECT_EQ(at(write(request).body, {"generationConfig"}),
            R"({"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}})");
  const Out old = write(request, "gemini-2.5-flash");
  EXPECT_EQ(at(old.body, {"generationConfig"}), "");
  EXPECT_THAT(at(old.body, {"systemInstruction"}), HasSubstr("JSON Schema"));
  EXPECT_THAT(old.notes, note(NoteKind::restated, "/response_format"));
}

TEST(GeminiSettings, WhatItCannotSayIsNoted) {
  ChatRequest request = chat({user("hi")});
  request.sampling = {.presence_penalty = "0.5", .seed = "5000000000", .logit_bias = "{\"1\":2}"};
  request.stop = {"1", "2", "3", "4", "5", "6"};
  request.user = "someone";
  request.parallel_tools = false;
  const Out out = write(request);
  for (const char* pointer : {"/presence_penalty", "/seed", "/logit_bias", "/stop", "/user", "/parallel_tool_calls"}) {
    EXPECT_THAT(out.notes, note(NoteKind::lost, pointer));
  }
  EXPECT_EQ(at(out.body, {"generationConfig", "stopSequences"}), R"(["1","2","3","4","5"])");
  EXPECT_THAT(write(request, "gemini-2.0-flash").body, HasSubstr("\"presencePenalty\":0.5"));
}

TEST(GeminiMedia, AddressesGoToModelsThatFetchThem) {
  Part image{.body = Media{.form = MediaForm::url, .data = "https://a.example/x.png", .detail = "low"}};
  const ChatRequest request = chat({{.role = Role::user, .parts = {image}}});
  EXPECT_EQ(at(write(request).body, {"contents", "0", "parts", "0"}),
            R"({"fileData":{"mimeType":"image/png","fileUri":"https://a.example/x.png"},)"
            R"("mediaResolution":{"level":"MEDIA_RESOLUTION_LOW"}})");
  EXPECT_THAT(write(request, "gemini-2.5-flash").notes, note(NoteKind::lost, "/messages/0/content/0/image_url/detail"));
  Notes notes;
  EXPECT_FALSE(dialect.write_request(request, {.model = "gemini-2.0-flash"}, notes));
}

TEST(GeminiMedia, BytesCrossInTheAlphabetThatEverybodyReads) {
  const std::string part = R"({"inlineData":{"mimeType":"image/png","data":"-_-_AA=="},"thoughtSignature":"cA=="})";
  const ChatRequest request = read(R"({"contents":[{"role":"user","parts":[)" + part + "]}]}");
  EXPECT_EQ(request.turns[0].parts[0].as<Media>()->data, "+/+/AA==");
  EXPECT_EQ(at(write(request).body, {"contents", "0", "parts", "0"}), part);
}

TEST(GeminiThoughts, ComeBackInPiecesAndAreOneAgain) {
  const Seal claude{.dialect = DialectId::anthropic, .issuer = "claude", .raw = "sig"};
  const auto proof = [&](std::string_view text) {
    return R"({"thought":true)" + std::string(text) + R"(,"thoughtSignature":")" +
           seal_text(claude, DialectId::gemini) + "\"}";
  };
  const ChatRequest request = read(R"({"contents":[{"role":"model","parts":[
      {"text":"I ","thought":true},{"text":"think.","thought":true},)" +
                                   proof(R"(,"text":"")") + "," + proof("") + R"(,
      {"text":"Own ","thought":true},{"text":"words","thought":true,"thoughtSignature":"cA=="},
      {"functionCall":{"name":"f"},"x_new":1}]},{"parts":[{"text":"?"}]}]})");
  const auto& parts = request.turns[0].parts;
  ASSERT_EQ(parts.size(), 5U);
  EXPECT_EQ(parts[0].as<Reasoning>()->text, "I think.");
  EXPECT_EQ(parts[0].seal, claude);
  EXPECT_TRUE(parts[1].as<Reasoning>()->redacted);
  EXPECT_EQ(parts[2].as<Reasoning>()->text, "Own ");  // Gemini's own proof is of the piece it stands on
  EXPECT_EQ(pointer_to_part(request, 0, 0), "/contents/0/parts/2");
  EXPECT_EQ(pointer_to_part(request, 0, 4), "/contents/0/parts/6");
}

TEST(GeminiThoughts, ComeBackInOneContentForEachChunk) {
  const std::string proof = seal_text({.dialect = DialectId::anthropic, .raw = "sig"}, DialectId::gemini);
  const auto content = [](std::string_view part) { return R"({"role":"model","parts":[)" + std::string(part) + "]},"; };
  const ChatRequest request =
      read(R"({"contents":[{"role":"user","parts":[{"text":"?"}]},)" + content(R"({"text":"I ","thought":true})") +
           content(R"({"text":"think.","thought":true})") +
           content(R"({"text":"","thought":true,"thoughtSignature":")" + proof + "\"}") +
           content(R"({"text":"Let me "})") + content(R"({"text":"look."},{"functionCall":{"name":"f"}})") +
           R"({"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"done"}}}]}]})");
  ASSERT_EQ(request.turns.size(), 3U);
  const auto& parts = request.turns[1].parts;
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].as<Reasoning>()->text, "I think.");
  EXPECT_TRUE(parts[0].seal);
  EXPECT_EQ(pointer_to_part(request, 1, 1), "/contents/4/parts/0");
  EXPECT_EQ(pointer_to_part(request, 1, 3), "/contents/5/parts/1");
  EXPECT_EQ(pointer_to_part(request, 2, 0), "/contents/6/parts/0");
  EXPECT_EQ(request.turns[2].parts[0].as<ToolResult>()->call_id, parts[3].as<ToolCall>()->id);
  // In its own dialect each stands where it stood.
  const std::string body = write(request).body;
  EXPECT_EQ(at(body, {"contents", "2", "parts"}), R"([{"text":"Let me "}])");
  EXPECT_EQ(at(body, {"contents", "3", "parts", "0"}), R"({"text":"look."})");
}

TEST(GeminiRequest, RefusesWithTheVendorsWords) {
  Notes notes;
  const auto message = [&](std::string_view body) {
    const auto request = dialect.read_request({.path_model = "m", .body = body}, notes);
    return request ? std::string("(read)") : request.error()->message;
  };
  EXPECT_EQ(message(R"({"contents":[]})"), "* GenerateContentRequest.contents: contents is not specified\n");
  EXPECT_EQ(message(R"({"contents":[{"role":"assistant","parts":[]}]})"), "Please use a valid role: user, model.");
  EXPECT_EQ(message(R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"temperature":"warm"}})"),
            "Invalid value at 'generation_config.temperature'");
  EXPECT_THAT(message("{"), HasSubstr("JSON"));
}

TEST(GeminiPeek, TakesTheModelFromThePathAndTheFormFromTheQuery) {
  const auto peek = [](std::string_view query) {
    return dialect.peek({.path_model = "models/gemini-3-pro", .path_streams = true, .query = query, .body = "{}"});
  };
  EXPECT_EQ(peek("alt=sse")->model, "gemini-3-pro");
  EXPECT_FALSE(peek("key=k&alt=sse")->stream_array);
  EXPECT_FALSE(peek("%24alt=sse")->stream_array);
  EXPECT_TRUE(peek("alt=json")->stream_array);
  EXPECT_TRUE(peek("")->stream);
  EXPECT_FALSE(dialect.peek({.body = "{}"}));
  EXPECT_FALSE(dialect.peek({.body = R"({"model":"a","model":"b"})"}));
}

TEST(GeminiPeek, ACountedRequestNamesTheUpstreamsModel) {
  const std::string body = R"({"generateContentRequest":{"model":"models/a","contents":[{"parts":[{"text":"x"}]}]}})";
  const auto peek = dialect.peek({.path_model = "a", .body = body});
  ASSERT_TRUE(peek);
  const auto edits = dialect.verbatim_edits(*peek, {.model = "gemini-3-pro"});
  EXPECT_EQ(json::apply(body, edits),
            R"({"generateContentRequest":{"model":"models/gemini-3-pro","contents":[{"parts":[{"text":"x"}]}]}})");
  EXPECT_EQ(read(body).turns.size(), 1U);
}

}  // namespace
}  // namespace sluice::gemini
