// SPDX-License-Identifier: MIT
#include "gateway/pump.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sluice
