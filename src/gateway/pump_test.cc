// SPDX-License-Identifier: MIT
#include "gateway/pump.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/registry.h"
#include "model/fold.h"
#include "model/grammar.h"

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

// Some dialects end with all that was said, so that an endless stream would be held without end.
TEST(Pump, EndsATranslatedStreamThatIsLargerThanAnyAnswer) {
  for (const bool verbatim : {false, true}) {
    Record record;
    Pump pump(record, {.upstream = dialect(DialectId::openai_chat),
                       .client = dialect(verbatim ? DialectId::openai_chat : DialectId::openai_responses),
                       .verbatim = verbatim,
                       .content_type = "text/event-stream",
                       .question = {.model = "m", .exchange_id = "x"}});
    const std::string event = R"(data: {"id":"c","choices":[{"index":0,"delta":{"content":")" +
                              std::string(std::size_t{1} << 20, 'y') + "\"}}]}\n\n";
    std::string out;
    int fed = 0;
    while (!pump.over() && !pump.failed() && fed < 70) {
      out.clear();
      pump.feed(event, out);
      ++fed;
    }
    if (verbatim) {
      EXPECT_FALSE(pump.failed()) << "what only passes through is held nowhere";
      continue;
    }
    ASSERT_TRUE(pump.failed());
    EXPECT_EQ(fed, 64);
    EXPECT_EQ(pump.failed()->fault, Fault::upstream_broken);
    EXPECT_EQ(pump.failed()->detail, "over 64 MiB");
  }
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

// What a vendor of that dialect streams for this text.
std::string stream_of(const Dialect& dialect, const std::string& id, const std::string& text, std::string& type) {
  Reply reply{.origin = dialect.id(), .id = id, .model = "m"};
  reply.choices.push_back({.parts = {{.body = Text{.text = text}}}, .stop = {.kind = StopKind::end}});
  reply.usage = {.input = 10, .output = 4, .origin = dialect.id()};
  std::vector<Event> events = unfold(reply);
  // Word by word, so that there are places to break at.
  const auto at = std::ranges::find_if(events, [](const Event& e) { return std::holds_alternative<Delta>(e); });
  std::vector<Event> words;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(' ', from + 1), text.size());
    words.emplace_back(Delta{.text = text.substr(from, to - from)});
    from = to;
  }
  events.insert(events.erase(at), words.begin(), words.end());
  const auto writer = dialect.stream_writer({.model = "m", .exchange_id = id, .usage_asked = true});
  type = writer->content_type();
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

// One broken stream and the one that goes on with it, as the client's own reader sees them together.
void join(const Dialect& first, const Dialect& second, const Dialect& client, std::size_t cut, bool clean_end) {
  SCOPED_TRACE(std::string(first.name()) + " then " + std::string(second.name()) + " for " +
               std::string(client.name()) + " at " + std::to_string(cut));
  const std::string begun = "one two three four", rest = " five six";
  std::string type, other_type, out;
  const std::string bytes = stream_of(first, "first", begun, type);
  Record record;
  Pump pump(record, {.upstream = &first,
                     .client = &client,
                     .verbatim = &first == &client,
                     .content_type = type,
                     .question = {.model = "m", .exchange_id = "x", .usage_asked = true},
                     .joins = true});
  pump.feed(std::string_view(bytes).substr(0, cut * bytes.size() / 16), out);
  if (clean_end) pump.end(out);
  if (!pump.failed() && pump.over()) return;  // this dialect's end was seen
  if (!pump.may_go_on()) {
    EXPECT_GT(cut, 8U) << "only the model's own end shuts it";
    return;
  }
  const std::string said = pump.joint().said();
  const std::string more = stream_of(second, "second", begun.substr(said.size()) + rest, other_type);
  pump.go_on({.upstream = &second, .content_type = other_type}, {.input = 10, .output = 2});
  pump.feed(more, out);
  pump.end(out);
  ASSERT_FALSE(pump.failed()) << pump.failed()->message << out;
  const auto framer = client.framer(pump.content_type());
  const auto reader = client.stream_reader();
  std::vector<Event> events;
  framer->feed(out);
  while (auto frame = *framer->next()) reader->read(*frame, events);
  if (const auto frame = *framer->end()) reader->read(*frame, events);
  reader->end(events);
  Grammar grammar;
  Fold fold;
  for (const Event& event : events) {
    ASSERT_EQ(grammar.check(event), "") << out;
    fold.add(event);
  }
  ASSERT_EQ(grammar.check_end(), "") << out;
  const auto reply = fold.take();
  ASSERT_TRUE(reply) << reply.error()->message << out;
  std::string text;
  for (const Part& part : reply->choices.at(0).parts) text += part.as<Text>() ? part.as<Text>()->text : "?";
  EXPECT_EQ(text, begun + rest) << out;
  if (!said.empty()) EXPECT_FALSE(out.contains("second")) << "the name of another answer\n" << out;
  if (!said.empty()) {
    EXPECT_EQ(record.usage.input, 20) << "both, once each";
    EXPECT_GE(record.usage.output, 6);
    EXPECT_EQ(record.notes.front().reason, "the answer broke off, and another call went on with it");
  }
  if (reply->usage.input) EXPECT_EQ(reply->usage.total_input(), record.usage.total_input());
}

TEST(Pump, JoinsTwoStreamsIntoOneOfEveryDialect) {
  for (const Dialect* client : dialects()) {
    for (const Dialect* first : dialects()) {
      for (std::size_t cut = 0; cut <= 16; ++cut) {
        join(*first, *client, *client, cut, cut % 2 == 0);
        join(*first, *dialects()[cut % dialects().size()], *client, cut, cut % 2 == 1);
      }
    }
  }
}

TEST(Pump, HearsHowMuchPassedWithoutReadingIt) {
  for (const bool verbatim : {true, false}) {
    SCOPED_TRACE(verbatim);
    Record record;
    Pump pump(record, {.upstream = dialect(DialectId::anthropic),
                       .client = dialect(DialectId::anthropic),
                       .verbatim = verbatim,
                       .content_type = "text/event-stream",
                       .question = {.model = "m", .exchange_id = "x"}});
    const auto event = [](const std::string& data) { return "data: " + data + "\n\n"; };
    const auto says = [&](const std::string& text) {
      return event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" + text +
                   R"("}})");
    };
    std::string out;
    pump.feed(event(R"({"type":"message_start","message":{"id":"msg_1","model":"m","content":[]}})") +
                  event(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"),
              out);
    EXPECT_EQ(pump.heard(), -1);
    EXPECT_FALSE(pump.ended());
    for (int i = 0; i < 10; ++i) pump.feed(says("hi"), out);
    EXPECT_EQ(pump.heard(), 10);  // a frame holds a token at least
    pump.feed(says(std::string(400, 'a')), out);
    EXPECT_NEAR(static_cast<double>(pump.heard()), 105, 6);
    EXPECT_FALSE(pump.ended());
    pump.feed(event(R"({"type":"content_block_stop","index":0})") +
                  event(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}})") +
                  event(R"({"type":"message_stop"})"),
              out);
    EXPECT_TRUE(pump.ended());
    EXPECT_EQ(record.usage.output, 5);
  }
}

}  // namespace
}  // namespace sluice
