// The ground that dialects share: ids, names, envelopes, data URLs, pointers, alternation. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "base/text.h"
#include "dialects/data_url.h"
#include "dialects/dialogue.h"
#include "dialects/effort.h"
#include "dialects/pointer.h"
#include "dialects/registry.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"
#include "dialects/sse_framer.h"
#include "dialects/tool_id.h"
#include "dialects/tool_name.h"

namespace sluice {
namespace {

Part text(std::string words) {
  return {.body = Text{.text = std::move(words)}};
}
Part call(std::string id, std::string name) {
  return {.body = ToolCall{.id = std::move(id), .name = std::move(name), .arguments = "{}"}};
}
Part result(std::string id, std::string words) {
  ToolResult r{.call_id = std::move(id)};
  r.parts.push_back(text(std::move(words)));
  return {.body = std::move(r)};
}

std::string shape(const Dialogue& dialogue) {
  std::string out;
  for (const Message& message : dialogue.messages) {
    out += message.role == Role::user ? "U[" : message.role == Role::assistant ? "A[" : "S[";
    for (const PlacedPart& placed : message.parts) {
      if (const auto* t = placed.part->as<Text>()) out += t->text;
      if (const auto* c = placed.part->as<ToolCall>()) out += "call " + c->id;
      if (const auto* r = placed.part->as<ToolResult>()) out += "result " + r->call_id + (r->is_error ? "!" : "");
      out += ';';
    }
    out += "] ";
  }
  return out;
}

TEST(ToolId, IsUnchangedWhenEveryDialectTakesIt) {
  EXPECT_EQ(to_portable_tool_id("call_Ab-1", "toolu_"), "call_Ab-1");
  EXPECT_FALSE(portable_tool_id(""));
  EXPECT_FALSE(portable_tool_id("a.b"));
  EXPECT_FALSE(portable_tool_id(std::string(65, 'a')));
}

TEST(ToolId, DerivedOnesAreStableAndDistinct) {
  const std::string one = to_portable_tool_id("functions.get_weather:0", "call_");
  EXPECT_EQ(one, to_portable_tool_id("functions.get_weather:0", "call_"));
  EXPECT_NE(one, to_portable_tool_id("functions.get_weather:1", "call_"));
  EXPECT_TRUE(portable_tool_id(one));
  EXPECT_EQ(one.size(), 29U);
  EXPECT_NE(history_tool_id("call_", 1, 0, "f"), history_tool_id("call_", 1, 1, "f"));
  EXPECT_NE(answer_tool_id("call_", "e1", 0, 0), answer_tool_id("call_", "e2", 0, 0));
}

TEST(ToolId, MistralGetsNineLettersAndDigits) {
  EXPECT_EQ(mistral_tool_id("abcDEF123"), "abcDEF123");
  const std::string made = mistral_tool_id("call_0123456789");
  EXPECT_EQ(made.size(), 9U);
  EXPECT_EQ(made, mistral_tool_id("call_0123456789"));
}

TEST(ToolName, IllegalOnesStayDistinct) {
  EXPECT_EQ(to_portable_tool_name("get_weather"), "get_weather");
  EXPECT_TRUE(portable_tool_name(to_portable_tool_name("a.b c")));
  EXPECT_NE(to_portable_tool_name("a.b c"), to_portable_tool_name("a_b c"));
  EXPECT_LE(to_portable_tool_name(std::string(200, 'x')).size(), 64U);
  EXPECT_TRUE(portable_tool_name(to_portable_tool_name("9lives")));
  EXPECT_LE(to_portable_tool_name(std::string(200, '9')).size(), 64U);
}

TEST(SealEnvelope, ComesBackAsTheSameSeal) {
  const Seal seal{.dialect = DialectId::gemini, .issuer = "vertex", .raw = "Ab+/=\n\x01"};
  const std::string text = seal_text(seal, DialectId::openai_chat);
  EXPECT_TRUE(text.starts_with("gw1."));
  EXPECT_EQ(read_seal(text, DialectId::openai_chat), seal);
}

TEST(SealEnvelope, IsBase64WhereTheSlotHoldsBytes) {
  const Seal seal{.dialect = DialectId::anthropic, .issuer = "claude", .raw = "ErUB~~~???>>>+/=="};
  std::string text = seal_text(seal, DialectId::gemini);
  EXPECT_TRUE(base64_decode(text)) << text;
  EXPECT_EQ(read_seal(text, DialectId::gemini), seal);
  // Google's clients write bytes in the other alphabet.
  text = base64url(*base64_decode(text));
  EXPECT_TRUE(text.contains('_') || text.contains('-')) << text;
  EXPECT_EQ(read_seal(text, DialectId::gemini), seal);
  // A proof of Gemini's own is never taken for one.
  EXPECT_FALSE(unwrap_seal(base64("gw1.not ours")));
}

TEST(SealEnvelope, DamagedOrForeignTextIsNativeToWhereItStood) {
  std::string text = wrap_seal({.dialect = DialectId::anthropic, .raw = "proof"});
  text.back() = text.back() == 'A' ? 'B' : 'A';
  EXPECT_FALSE(unwrap_seal(text));
  EXPECT_EQ(read_seal("EqQB", DialectId::anthropic), (Seal{.dialect = DialectId::anthropic, .raw = "EqQB"}));
  EXPECT_EQ(seal_text({.dialect = DialectId::anthropic, .raw = "EqQB"}, DialectId::anthropic), "EqQB");
}

TEST(SealEnvelope, IsFoundInABodyWhereverItStands) {
  const std::string text = wrap_seal({.dialect = DialectId::anthropic, .issuer = "claude", .raw = "proof"});
  for (std::size_t in_front = 0; in_front < 200; ++in_front) {
    for (const std::size_t behind : {0U, 1U, 63U, 64U, 65U, 300U}) {
      const std::string front(in_front, 'w');
      const std::string back(behind, '1');
      EXPECT_TRUE(may_hold_envelope(front + text + back)) << in_front << ' ' << behind;
      EXPECT_TRUE(may_hold_envelope(front + base64(text) + back)) << in_front << ' ' << behind;
      EXPECT_FALSE(may_hold_envelope(front + back)) << in_front << ' ' << behind;
    }
  }
  EXPECT_FALSE(may_hold_envelope(""));
  EXPECT_FALSE(may_hold_envelope("gw1"));
  EXPECT_FALSE(may_hold_envelope(std::string(100, 'w') + "w1w1 cxcx gw1 Z3cx" + std::string(100, 'x')));
}

// What a request to a target of the client's own dialect looks like when proofs of others were found in it.
TEST(SealEnvelope, NoDialectWritesTheProofOfAnother) {
  for (const Dialect* own : dialects()) {
    for (const Dialect* issuer : dialects()) {
      if (issuer == own) continue;
      ChatRequest request{.origin = own->id(), .model = "m", .max_output = 10};
      const Seal proof{.dialect = issuer->id(), .issuer = "elsewhere", .raw = "TheProofItself"};
      ToolCall call{.id = "call_1", .name = "f", .arguments = "{}"};
      request.turns = {{.parts = {{.body = Text{.text = "Hi"}}}},
                       {.role = Role::assistant,
                        .parts = {{.body = Reasoning{.text = "Hm."}, .seal = proof},
                                  {.body = Reasoning{.redacted = true}, .seal = proof},
                                  {.body = Text{.text = "Yes."}, .seal = proof},
                                  {.body = std::move(call), .seal = proof}}},
                       {.role = Role::tool,
                        .parts = {{.body = ToolResult{.call_id = "call_1", .parts = {{.body = Text{.text = "1"}}}}}}}};
      Notes notes;
      const auto wire = own->write_request(request, {.model = "m", .provider = own->name()}, notes);
      ASSERT_TRUE(wire) << own->name();
      EXPECT_FALSE(may_hold_envelope(wire->body)) << own->name() << ": " << wire->body;
      EXPECT_FALSE(wire->body.contains(proof.raw)) << own->name() << ": " << wire->body;
      EXPECT_FALSE(notes.empty()) << own->name();
    }
  }
}

TEST(Spare, GoesBackToItsOwnDialectAndIsANoteElsewhere) {
  Extras extras;
  extras.add(DialectId::openai_chat, "store", "true");
  extras.add(DialectId::openai_chat, "seen", "null");
  add_inner(extras, DialectId::openai_chat, "function", "a/b", "1");
  remember(extras, DialectId::openai_chat, "how");
  Notes notes;
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_extras(writer, extras, DialectId::openai_chat, "/x", notes);
  writer.key("function").begin_object();
  write_inner_extras(writer, extras, DialectId::openai_chat, "function");
  writer.end_object().end_object();
  EXPECT_EQ(out, R"({"store":true,"seen":null,"function":{"a/b":1}})");
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(remembered(extras, DialectId::openai_chat, "how"), "true");
  EXPECT_EQ(remembered(extras, DialectId::gemini, "how"), "");
  note_extras(extras, DialectId::gemini, "/x", notes);
  ASSERT_EQ(notes.all().size(), 2U);
  EXPECT_EQ(notes.all()[0].pointer, "/x/store");
  EXPECT_EQ(notes.all()[1].pointer, "/x/function/a~1b");
}

TEST(Effort, WordsAndBudgetsAreInverse) {
  for (const std::string_view word : {"none", "minimal", "low", "medium", "high", "xhigh", "max"}) {
    EXPECT_EQ(effort_of_budget(budget_of_effort(word)), word);
  }
  EXPECT_EQ(effort_of_budget(-1), "medium");
  EXPECT_EQ(effort_of_budget(1000000), "max");
}

TEST(DataUrl, IsTakenApartAndPutTogether) {
  const auto url = read_data_url("data:image/png;charset=x;base64,iVBO");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->mime, "image/png");
  EXPECT_EQ(url->base64, "iVBO");
  EXPECT_FALSE(read_data_url("https://example.com/a,b"));
  EXPECT_FALSE(read_data_url("data:text/plain,hello"));
  EXPECT_EQ(write_data_url("image/png", "iVBO"), "data:image/png;base64,iVBO");
}

TEST(SseFramer, YieldsALastFrameWithoutItsBlankLine) {
  SseFramer framer;
  framer.feed(": hello\n\ndata: 1\n\ndata: 2");
  auto frame = framer.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_TRUE((*frame)->comment);
  frame = framer.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->data, "1");
  EXPECT_FALSE(*framer.next());
  frame = framer.end();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->data, "2");
}

TEST(Pointer, PointsIntoTheClientsOwnWords) {
  ChatRequest request{.origin = DialectId::gemini};
  request.turns.push_back({.role = Role::system, .parts = {text("a"), text("b")}});
  request.turns.push_back({.role = Role::user, .parts = {text("c")}});
  EXPECT_EQ(pointer_to(request, Field::seed), "/generationConfig/seed");
  EXPECT_EQ(pointer_to_part(request, 0, 1), "/systemInstruction/parts/1");
  EXPECT_EQ(pointer_to_part(request, 1, 0), "/contents/0/parts/0");
  request.origin = DialectId::anthropic;
  EXPECT_EQ(pointer_to_part(request, 0, 1), "/system/1");
  EXPECT_EQ(pointer_to_part(request, 1, 0), "/messages/0/content/0");
  request.origin = DialectId::openai_chat;
  request.turns[1].parts.push_back(call("call_1", "f"));
  EXPECT_EQ(pointer_to(request, Field::seed), "/seed");
  EXPECT_EQ(pointer_to_part(request, 1, 0), "/messages/1/content/0");
  EXPECT_EQ(pointer_to_part(request, 1, 1), "/messages/1/tool_calls/0");
}

TEST(Dialogue, MergesSameRolesAndPutsResultsFirstInTheCallsOrder) {
  ChatRequest request;
  request.turns.push_back({.role = Role::system, .parts = {text("be kind")}});
  request.turns.push_back({.role = Role::user, .parts = {text("hi")}});
  request.turns.push_back({.role = Role::assistant, .parts = {call("c1", "f"), call("c2", "g")}});
  request.turns.push_back({.role = Role::tool, .parts = {result("c2", "two")}});
  request.turns.push_back({.role = Role::tool, .parts = {result("c1", "one")}});
  request.turns.push_back({.role = Role::user, .parts = {text("and now?")}});
  Notes notes;
  EXPECT_EQ(shape(alternate(request, {}, notes)), "U[hi;] A[call c1;call c2;] U[result c1;result c2;and now?;] ");
  EXPECT_TRUE(notes.empty());
}

TEST(Dialogue, AnswersForgottenCallsAndKeepsOrphansAsText) {
  ChatRequest request;
  request.turns.push_back({.role = Role::assistant, .parts = {text("let me see"), call("c1", "f")}});
  request.turns.push_back({.role = Role::user, .parts = {result("other", "lost words"), text("well?"), text("")}});
  Notes notes;
  EXPECT_EQ(shape(alternate(request, {}, notes)), "U[.;] A[let me see;call c1;] U[result c1!;lost words;well?;] ");
  ASSERT_EQ(notes.all().size(), 3U);
  EXPECT_EQ(notes.all()[0].kind, NoteKind::restated);
  EXPECT_EQ(notes.all()[1].pointer, "/messages/0");
}

// A made result is not looked for among the parts of the turn that it stands near.
TEST(Dialogue, AnswersACallBesideAResultWithoutParts) {
  Notes notes;
  const auto request = dialect(DialectId::gemini)
                           ->read_request({.path_model = "m", .body = R"({"contents":[
      {"role":"user","parts":[{"text":"hi"}]},
      {"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]},
      {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"a":1}}}]}]})"},
                                          notes);
  ASSERT_TRUE(request);
  for (const Dialect* other : dialects()) {
    const auto written = other->write_request(*request, {.model = "m", .provider = "compatible"}, notes);
    if (other->id() == DialectId::openai_completions) continue;  // takes no conversation
    ASSERT_TRUE(written) << other->name();
    EXPECT_EQ(written->body.contains(not_executed), other->id() != DialectId::gemini) << written->body;
  }
}

TEST(Dialogue, KeepsSystemTextAmidAConversationInItsPlace) {
  ChatRequest request;
  request.turns.push_back({.role = Role::user, .parts = {text("hi")}});
  request.turns.push_back({.role = Role::assistant, .parts = {call("c1", "f")}});
  request.turns.push_back({.role = Role::system, .parts = {text("be brief")}});
  request.turns.push_back({.role = Role::tool, .parts = {result("c1", "one")}});
  Notes notes;
  EXPECT_EQ(shape(alternate(request, {}, notes)),
            "U[hi;] A[call c1;] U[result c1;<system-reminder>be brief</system-reminder>;] ");
  Notes none;
  EXPECT_EQ(shape(alternate(request, {.system_in_place = true}, none)),
            "U[hi;] A[call c1;] U[result c1;] S[be brief;] ");
  EXPECT_TRUE(none.empty());
}

TEST(Dialogue, PairsRepeatedIdsStepByStep) {
  ChatRequest request;
  for (int step = 0; step < 2; ++step) {
    request.turns.push_back({.role = Role::user, .parts = {text("go")}});
    request.turns.push_back({.role = Role::assistant, .parts = {call("same", "f")}});
    request.turns.push_back({.role = Role::tool, .parts = {result("same", "done")}});
  }
  Notes notes;
  EXPECT_EQ(shape(alternate(request, {}, notes)),
            "U[go;] A[call same;] U[result same;go;] A[call same;] U[result same;] ");
  EXPECT_TRUE(notes.empty());
}

}  // namespace
}  // namespace sluice
