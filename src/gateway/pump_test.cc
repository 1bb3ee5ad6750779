// SPDX-License-Identifier: MIT
#include "gateway/pump.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/registry.h"

namespace sluice {
namespace {

TEST(Pump, GivesTheClientItsOwnToolsBack) {
  ChatRequest asked;
  asked.tools.push_back({.kind = ToolKind::custom, .name = "shell"});
  Record record;
  Pump pump(record, {.upstream = dialect(DialectId::anthropic),
                     .client = dialect(DialectId::openai_chat),
                     .content_type = "text/event-stream",
                     .question = {.model = "m", .exchange_id = "x"},
                     .undo = ToolReturn(asked)});
  const auto event = [](const std::string& data) { return "data: " + data + "\n\n"; };
  std::string out;
  pump.feed(event(R"({"type":"message_start","message":{"id":"msg_1","model":"m","content":[]}})") +
                event(R"({"type":"content_block_start","index":0,"content_block":)"
                      R"({"type":"tool_use","id":"toolu_1","name":"shell","input":{}}})"),
            out);
  for (const std::string_view piece : {R"({\"inp)", R"(ut\": \"ls -l\"})"}) {
    pump.feed(event(R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":")" +
                    std::string(piece) + R"("}})"),
              out);
  }
  pump.feed(event(R"({"type":"content_block_stop","index":0})") +
                event(R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}})") +
                event(R"({"type":"message_stop"})"),
            out);
  pump.end(out);
  EXPECT_FALSE(pump.failed());
  EXPECT_TRUE(out.contains(R"("custom":{"name":"shell")")) << out;
  EXPECT_TRUE(out.contains(R"("ls -l")")) << out;
  EXPECT_FALSE(out.contains(R"(\"input)")) << out;  // no wrapping is left
}

TEST(Pump, NotesWhatAStreamCouldNotSay) {
  Record record;
  Pump pump(record, {.upstream = dialect(DialectId::anthropic),
                     .client = dialect(DialectId::cohere),
                     .content_type = "text/event-stream",
                     .question = {.model = "m", .exchange_id = "x"}});
  const auto event = [](const std::string& data) { return "data: " + data + "\n\n"; };
  std::string out;
  pump.feed(event(R"({"type":"message_start","message":{"id":"msg_1","model":"m","content":[]}})") +
                event(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})") +
                event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I can"}})") +
                event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"not."}})") +
                event(R"({"type":"content_block_stop","index":0})") +
                event(R"({"type":"message_delta","delta":{"stop_reason":"refusal"},"usage":{"output_tokens":5}})"),
            out);
  EXPECT_TRUE(record.notes.empty());
  pump.feed(event(R"({"type":"message_stop"})"), out);
  pump.end(out);
  ASSERT_EQ(record.notes.size(), 1U);
  EXPECT_EQ(record.notes[0].reason, "cohere has no word for this end");
}

// Google names its sources in the last chunk, when a call may have ended the text.
TEST(Pump, TellsOrNotesSourcesThatComeLate) {
  for (const DialectId id : {DialectId::openai_chat, DialectId::openai_responses, DialectId::anthropic,
                             DialectId::bedrock_converse, DialectId::cohere, DialectId::openai_completions}) {
    const Dialect& client = *dialect(id);
    Record record;
    Pump pump(record, {.upstream = dialect(DialectId::gemini),
                       .client = &client,
                       .content_type = "text/event-stream",
                       .question = {.model = "m", .exchange_id = "x"}});
    const auto chunk = [](const std::string& parts, const std::string& more) {
      return R"(data: {"candidates":[{"content":{"parts":[)" + parts + "]}" + more + "}]}\r\n\r\n";
    };
    std::string out;
    pump.feed(chunk(R"({"text":"It is red."})", "") + chunk(R"({"functionCall":{"name":"f","args":{}}})", ""), out);
    pump.feed(chunk("", R"(,"finishReason":"STOP","groundingMetadata":{"groundingChunks":[)"
                        R"({"web":{"uri":"https://a.example","title":"A"}}],"groundingSupports":[)"
                        R"({"segment":{"endIndex":10,"text":"It is red."},"groundingChunkIndices":[0]}]})"),
              out);
    pump.end(out);
    ASSERT_FALSE(pump.failed());
    const auto noted = [](const Note& note) {
      return note.kind == NoteKind::lost && note.pointer == "/candidates/0/groundingMetadata" &&
             note.reason == "the sources came when their text was over";
    };
    EXPECT_EQ(out.contains("https://a.example"), client.cites_late()) << client.name() << '\n' << out;
    EXPECT_EQ(std::ranges::count_if(record.notes, noted), client.cites_late() ? 0 : 1) << client.name();
  }
}

TEST(Pump, NotesACountOfThoughtsThatTheClientHasNoPlaceFor) {
  Record record;
  Pump pump(record, {.upstream = dialect(DialectId::openai_chat),
                     .client = dialect(DialectId::bedrock_converse),
                     .content_type = "text/event-stream",
                     .question = {.model = "m", .exchange_id = "x"}});
  std::string out;
  pump.feed(
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":9,"
      "\"completion_tokens_details\":{\"reasoning_tokens\":4}}}\n\ndata: [DONE]\n\n",
      out);
  pump.end(out);
  ASSERT_EQ(record.notes.size(), 1U);
  EXPECT_EQ(record.notes[0].pointer, "/usage/completion_tokens_details/reasoning_tokens");
}

}  // namespace
}  // namespace sluice
