// Tools on which gateways have failed (docs/pitfalls.md): the same for every vendor and every client.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dialects/pitfalls_test.h"

namespace sluice::pitfalls {
namespace {

std::vector<const ToolCall*> calls_of(const ChatRequest& request) {
  std::vector<const ToolCall*> out;
  for (const Turn& turn : request.turns) {
    for (const Part& part : turn.parts) {
      if (part.as<ToolCall>() != nullptr) out.push_back(part.as<ToolCall>());
    }
  }
  return out;
}
std::vector<const ToolResult*> results_of(const ChatRequest& request) {
  std::vector<const ToolResult*> out;
  for (const Turn& turn : request.turns) {
    for (const Part& part : turn.parts) {
      if (part.as<ToolResult>() != nullptr) out.push_back(part.as<ToolResult>());
    }
  }
  return out;
}
std::string words_of(const ToolResult& result) {
  std::string out;
  for (const Part& part : result.parts) {
    if (const auto* t = part.as<Text>()) out += t->text;
  }
  return out + result.json;
}

// Whose conversations alternate, with results in the order of their calls.
bool demands_order(const Vendor& vendor) {
  return vendor.dialect == DialectId::anthropic || vendor.dialect == DialectId::gemini ||
         vendor.dialect == DialectId::bedrock_converse;
}

// Three calls of one turn, their arguments in pieces of which the first is itself JSON now and then.
TEST(PitfallTools, ParallelCallsStayApartInEveryPair) {
  const Reply reply = answers({text("Both."), call("call_1", "look", R"({"a":12})"),
                               call("call_2", "look", R"({"a":3})"), call("call_3", "listen")},
                              StopKind::tool_calls);
  for (const Dialect* upstream : conversations()) {
    for (const Dialect* client : conversations()) {
      for (const std::size_t pieces : {1, 2, 8}) {
        const auto told = folded(reread(*client, reread(*upstream, in_pieces(reply, pieces))));
        ASSERT_TRUE(told) << upstream->name() << " to " << client->name();
        EXPECT_EQ(said(told).calls, R"(look {"a":12};look {"a":3};listen {};)")
            << upstream->name() << " to " << client->name();
        std::set<std::string> ids;
        for (const Part& part : told->choices[0].parts) {
          if (part.as<ToolCall>() != nullptr) ids.insert(part.as<ToolCall>()->id);
        }
        EXPECT_EQ(ids.size(), 3U) << upstream->name() << " to " << client->name();
        EXPECT_EQ(told->choices[0].stop.kind, StopKind::tool_calls) << client->name();
      }
    }
  }
}

// A call in one chunk, the end in another: the calls decide, whatever the vendor's last word is.
TEST(PitfallTools, AnEndBehindCallsWaitsForTheirResults) {
  const std::string_view chat[] = {
      R"({"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}}]})",
      R"({"id":"1","choices":[{"index":0,"delta":{"content":""}}]})",
      R"({"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})", "[DONE]"};
  const std::string_view gemini[] = {
      R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]})",
      R"({"candidates":[{"content":{"parts":[{"text":""}]}}]})",
      R"({"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]})"};
  const auto events = [](DialectId id, std::span<const std::string_view> chunks) {
    std::string bytes;
    for (const std::string_view chunk : chunks) bytes += "data: " + std::string(chunk) + "\n\n";
    return laws::read_stream(*dialect(id), "text/event-stream", {bytes});
  };
  for (const auto& upstream : {events(DialectId::openai_chat, chat), events(DialectId::gemini, gemini)}) {
    for (const Dialect* client : conversations()) {
      const auto told = folded(reread(*client, upstream));
      ASSERT_TRUE(told) << client->name();
      EXPECT_EQ(told->choices.at(0).stop.kind, StopKind::tool_calls) << client->name();
      EXPECT_EQ(said(told).calls, "f {};") << client->name();
    }
  }
}

TEST(PitfallTools, ACallWithoutArgumentsIsAnEmptyObjectForEverybody) {
  const ChatRequest request = asks({says(Role::user, {text("go")}), says(Role::assistant, {call("call_1", "look", "")}),
                                    says(Role::tool, {result("call_1", "seen")})});
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    EXPECT_FALSE(sent.body().contains(R"("arguments":"")")) << sent.body();
    const auto again = heard(sent, vendor);
    ASSERT_TRUE(again) << sent.body();
    ASSERT_EQ(calls_of(*again).size(), 1U) << sent.body();
    EXPECT_EQ(calls_of(*again)[0]->arguments, "{}") << sent.body();
  }
  for (const Dialect* client : conversations()) {
    const Reply reply = answers({call("call_1", "look", "")}, StopKind::tool_calls);
    Notes notes;
    EXPECT_EQ(said(client->read_reply(client->write_reply(reply, question(), notes))).calls, "look {};");
    EXPECT_EQ(said(folded(reread(*client, unfold(reply)))).calls, "look {};") << client->name();
  }
}

// Models write what is no JSON, and people replay it.
TEST(PitfallTools, BrokenArgumentsInAHistoryBreakNoRequest) {
  for (const std::string_view broken : {"{\"a\":", "just words", "[1]", "5", "null", "\"{}\"", " "}) {
    const ChatRequest request =
        asks({says(Role::user, {text("go")}), says(Role::assistant, {call("call_1", "look", std::string(broken))}),
              says(Role::tool, {result("call_1", "seen")})});
    for (const Vendor& vendor : vendors()) {
      const Sent sent(foreign(request, vendor), vendor);
      ASSERT_TRUE(sent.outcome) << vendor.provider << broken;
      EXPECT_TRUE(json::valid(sent.body())) << sent.body();
      for (const json::Value message : sent.messages().elements()) {
        for (const std::string_view list : {"content", "parts"}) {
          for (const json::Value block : message[list].elements()) {
            for (const json::Value input : {block["input"], block["functionCall"]["args"], block["toolUse"]["input"]}) {
              EXPECT_TRUE(!input || input.is_object()) << sent.body();
            }
          }
        }
      }
      const auto again = heard(sent, vendor);
      ASSERT_TRUE(again) << sent.body();
      ASSERT_EQ(calls_of(*again).size(), 1U);
    }
  }
}

TEST(PitfallTools, EveryChoiceOfToolsReachesEveryVendorOrIsNoted) {
  for (const ToolChoice& choice : {ToolChoice{.kind = ChoiceKind::automatic},
                                   {.kind = ChoiceKind::none},
                                   {.kind = ChoiceKind::required},
                                   {.kind = ChoiceKind::one, .names = {"look"}}}) {
    ChatRequest request = asks({says(Role::user, {text("go")})});
    request.tools = {tool("look"), tool("listen")};
    request.tool_choice = choice;
    for (const Vendor& vendor : vendors()) {
      const Sent sent(foreign(request, vendor), vendor);
      const auto again = heard(sent, vendor);
      ASSERT_TRUE(again) << sent.body();
      const ToolChoice got = again->tool_choice.value_or(ToolChoice{});
      const bool same = got.kind == choice.kind && (choice.kind != ChoiceKind::one || got.names == choice.names);
      EXPECT_TRUE(same || sent.noted("/tool_choice")) << vendor.provider << sent.body();
    }
  }
}

TEST(PitfallTools, AWordAboutParallelCallsNeedsTools) {
  ChatRequest request = asks({says(Role::user, {text("go")})});
  request.tools_said = true;
  request.parallel_tools = false;
  request.tool_choice = ToolChoice{.kind = ChoiceKind::automatic};
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    ASSERT_TRUE(sent.outcome) << sent.body();
    for (const std::string_view word : {"parallel", "tool_choice", "toolConfig", "toolChoice"}) {
      EXPECT_FALSE(sent.body().contains(word)) << sent.body();
    }
  }
}

// A history with calls, the tools no longer declared: some vendors refuse calls of tools that nobody knows.
TEST(PitfallTools, AHistoryOfCallsNeedsNoDeclaredTools) {
  const ChatRequest request = asks({says(Role::user, {text("go")}), says(Role::assistant, {call("call_1", "look")}),
                                    says(Role::tool, {result("call_1", "seen")}), says(Role::user, {text("thanks")})});
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    ASSERT_TRUE(sent.outcome) << sent.body();
    const bool declared = sent.root["tools"].size() == 1 || sent.root["toolConfig"]["tools"].size() == 1;
    const bool demanded = vendor.dialect == DialectId::anthropic || vendor.dialect == DialectId::bedrock_converse;
    EXPECT_TRUE(declared || !demanded) << sent.body();
  }
}

TEST(PitfallTools, ResultsOfOneTurnStandTogetherInTheOrderOfTheirCalls) {
  const ChatRequest request = asks(
      {says(Role::user, {text("go")}), says(Role::assistant, {call("c1", "f"), call("c2", "f"), call("c3", "f")}),
       says(Role::tool, {result("c3", "three")}), says(Role::tool, {result("c1", "one")}),
       says(Role::tool, {result("c2", "two")}), says(Role::user, {text("well?")}), says(Role::user, {text("hm?")})});
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    const auto again = heard(sent, vendor);
    ASSERT_TRUE(again) << sent.body();
    const auto results = results_of(*again);
    ASSERT_EQ(results.size(), 3U) << sent.body();
    std::string last;
    for (const json::Value message : sent.messages().elements()) {
      const std::string role = message["role"].text();
      EXPECT_TRUE(role != last || !demands_order(vendor)) << sent.body();
      last = role;
    }
    // The others take them in any order and get the client's, which is the same every time.
    if (!demands_order(vendor)) continue;
    EXPECT_EQ(words_of(*results[0]).contains("one"), true) << sent.body();
    EXPECT_EQ(words_of(*results[2]).contains("three"), true) << sent.body();
  }
}

// Names and ids that one vendor made and another refuses: legal on the wire, and the same in every place.
TEST(PitfallTools, NamesAndIdsAreLegalOnEveryWireAndStillMatch) {
  for (const std::string name : {"files.read all", "9lives", "a:b/c"})
    for (const std::string& id : {std::string("functions.read:0"), std::string("call_") + std::string(90, 'x'),
                                  std::string("AbC+/=|sig"), std::string("übergabe")}) {
      ChatRequest request = asks({says(Role::user, {text("go")}), says(Role::assistant, {call(id, name)}),
                                  says(Role::tool, {result(id, "seen")})});
      request.tools = {tool(name)};
      request.tool_choice = ToolChoice{.kind = ChoiceKind::one, .names = {name}};
      for (const Vendor& vendor : vendors()) {
        const Sent sent(foreign(request, vendor), vendor);
        ASSERT_TRUE(sent.outcome) << sent.body();
        std::set<std::string> names, ids;
        for (const auto& [pointer, leaf] : laws::leaves(sent.body())) {
          const std::string_view member = std::string_view(pointer).substr(pointer.rfind('/') + 1);
          if (member == "name" || pointer.contains("allowedFunctionNames")) names.insert(leaf);
          const bool of_call = member == "id" || member == "call_id" || member == "tool_call_id" ||
                               member == "tool_use_id" || member == "toolUseId";
          if (of_call) ids.insert(leaf);
        }
        EXPECT_EQ(names.size(), 1U) << sent.body();
        EXPECT_EQ(ids.size(), 1U) << sent.body();
        const auto legal = [](const std::set<std::string>& words, std::string_view more) {
          return std::ranges::all_of(words, [&](const std::string& word) {
            return word.size() <= 64 && std::ranges::all_of(word, [&](char c) {
                     return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
                            more.contains(c);
                   });
          });
        };
        EXPECT_TRUE(legal(names, vendor.dialect == DialectId::gemini ? ".:" : "")) << sent.body();
        // Gemini gives ids out in any form and takes them so.
        if (vendor.dialect != DialectId::gemini) EXPECT_TRUE(legal(ids, "")) << sent.body();
      }
    }
}

// Clients get ids that every SDK takes, whatever proof the call carries.
TEST(PitfallTools, AnIdIsNeverThePlaceOfAProof) {
  const Reply reply =
      answers({sealed(call("", "look"), DialectId::gemini, std::string(2000, 'P') + "+/="), call("", "look")},
              StopKind::tool_calls, DialectId::gemini);
  for (const Dialect* client : conversations()) {
    Notes notes;
    for (const auto& told :
         {client->read_reply(client->write_reply(reply, question(), notes)), folded(reread(*client, unfold(reply)))}) {
      ASSERT_TRUE(told) << client->name();
      std::set<std::string> ids;
      for (const Part& part : told->choices[0].parts) {
        if (const auto* one = part.as<ToolCall>()) ids.insert(one->id);
      }
      EXPECT_EQ(ids.size(), 2U) << client->name();
      for (const std::string& id : ids) {
        EXPECT_LE(id.size(), 40U) << client->name();
        EXPECT_TRUE(id.find_first_of("+/=") == std::string::npos && !id.contains("PPP")) << client->name() << id;
      }
    }
  }
}

TEST(PitfallTools, AFailedToolIsToldToEveryVendor) {
  const ChatRequest request = asks({says(Role::user, {text("go")}), says(Role::assistant, {call("call_1", "look")}),
                                    says(Role::tool, {result("call_1", "The lamp is out.", true)})});
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    const auto again = heard(sent, vendor);
    ASSERT_TRUE(again) << sent.body();
    ASSERT_EQ(results_of(*again).size(), 1U);
    const ToolResult& told = *results_of(*again)[0];
    EXPECT_TRUE(told.is_error || words_of(told).contains("Error")) << sent.body();
    EXPECT_TRUE(words_of(told).contains("The lamp is out.")) << sent.body();
    if (vendor.provider == "openai") EXPECT_FALSE(sent.body().contains("\"error\"")) << sent.body();
  }
}

// Agents of some makers count their calls anew in every step.
TEST(PitfallTools, AnIdThatComesAgainInALaterStepIsAnotherCall) {
  const ChatRequest request = asks(
      {says(Role::user, {text("go")}), says(Role::assistant, {call("call_0", "f", R"({"step":1})")}),
       says(Role::tool, {result("call_0", "first")}), says(Role::assistant, {call("call_0", "f", R"({"step":2})")}),
       says(Role::tool, {result("call_0", "second")}), says(Role::user, {text("thanks")})});
  for (const Vendor& vendor : vendors()) {
    const Sent sent(foreign(request, vendor), vendor);
    const auto again = heard(sent, vendor);
    ASSERT_TRUE(again) << sent.body();
    const auto calls = calls_of(*again);
    const auto results = results_of(*again);
    ASSERT_EQ(calls.size(), 2U) << sent.body();
    ASSERT_EQ(results.size(), 2U) << sent.body();
    EXPECT_TRUE(calls[0]->arguments.contains('1') && calls[1]->arguments.contains('2')) << sent.body();
    EXPECT_TRUE(words_of(*results[0]).contains("first") && words_of(*results[1]).contains("second")) << sent.body();
    EXPECT_FALSE(sent.body().contains("not executed")) << sent.body();
  }
}

// A vendor's own search beside a call of the client's in one turn: the call and its result stay neighbours.
TEST(PitfallTools, AServersToolBesideACallLeavesCallAndResultNeighbours) {
  const std::string_view body = R"({"model":"m","max_tokens":10,"messages":[{"role":"user","content":"go"},
    {"role":"assistant","content":[{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"sea"}},
      {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]},{"type":"text","text":"And now."},
      {"type":"tool_use","id":"toolu_1","name":"look","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"seen"}]}]})";
  Notes reading;
  const auto request = dialect(DialectId::anthropic)->read_request({.body = body}, reading);
  ASSERT_TRUE(request);
  for (const Vendor& vendor : vendors()) {
    const Sent sent(*request, vendor);
    const auto again = heard(sent, vendor);
    ASSERT_TRUE(again) << sent.body();
    std::string order;
    for (const Turn& turn : again->turns) {
      for (const Part& part : turn.parts) {
        if (part.as<ToolCall>() != nullptr) order += 'c';
        if (part.as<ToolResult>() != nullptr) order += 'r';
        if (part.as<ServerTool>() != nullptr) order += 's';
        if (part.as<Text>() != nullptr) order += 't';
      }
    }
    if (vendor.dialect == DialectId::anthropic) {
      EXPECT_EQ(order, "tsstcr") << sent.body();
    } else {
      EXPECT_TRUE(order.ends_with("cr")) << order << sent.body();
      EXPECT_TRUE(sent.noted("/messages/1/content/0")) << vendor.provider;
    }
  }
}

}  // namespace
}  // namespace sluice::pitfalls
