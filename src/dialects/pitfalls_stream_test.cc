// Streams on which gateways have failed (docs/pitfalls.md): the same for every dialect, in every pair.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/pitfalls_test.h"
#include "model/grammar.h"

namespace sluice::pitfalls {
namespace {

std::string breach(const std::vector<Event>& events) {
  Grammar grammar;
  for (const Event& event : events) {
    if (auto fault = grammar.check(event); !fault.empty()) return fault;
  }
  return grammar.check_end();
}

const Part proven = sealed(thought("Let me think."), DialectId::anthropic, "EqQB");
const Reply rich = answers({proven, text("Now."), call("call_1", "look", R"({"at":"sea"})"), call("call_2", "look")},
                           StopKind::tool_calls);

// One event of a megabyte, in pieces of 4 KiB, as a kernel would hand it over.
TEST(PitfallStream, AHugeEventArrivesWhole) {
  const std::string huge = std::string(1 << 20, 'x') + "\n\"end\"";
  for (const Dialect* dialect : conversations()) {
    const std::string bytes = laws::write_stream(
        *dialect, unfold(answers({text(huge), call("c1", "f", R"({"a":")" + std::string(300000, 'y') + R"("})")},
                                 StopKind::tool_calls)));
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += 4096) pieces.push_back(std::string_view(bytes).substr(at, 4096));
    const auto reply = folded(laws::read_stream(*dialect, dialect->stream_writer(question())->content_type(), pieces));
    ASSERT_TRUE(reply) << dialect->name() << reply.error()->detail;
    EXPECT_EQ(said(reply).text.size(), huge.size()) << dialect->name();
    EXPECT_EQ(said(reply).calls.size(), std::string(R"(f {"a":""};)").size() + 300000) << dialect->name();
  }
}

// Vendors send what they print for people: JSON with line breaks, in members that we hand on as they came.
TEST(PitfallStream, LineBreaksInJsonNeverSplitAnEvent) {
  const std::string pretty = "{\n  \"type\": \"strange\",\n  \"a\": [\r\n    1\n  ]\r\n}";
  for (const Dialect* dialect : conversations()) {
    Reply reply = answers({text("one\r\ntwo\rthree\n\n"),
                           {.body = Opaque{.origin = dialect->id(), .type = "strange", .raw = pretty}},
                           {.body = ServerTool{.origin = dialect->id(), .id = "s", .name = "strange", .raw = pretty}},
                           call("c1", "f", pretty)},
                          StopKind::tool_calls, dialect->id());
    reply.extras.add(dialect->id(), "more", pretty);
    reply.choices[0].extras.add(dialect->id(), "more", pretty);
    reply.choices[0].message_extras.add(dialect->id(), "more", pretty);
    reply.choices[0].parts[0].extras.add(dialect->id(), "more", pretty);
    reply.choices[0].stop.detail = pretty;
    reply.usage.raw = "{\n\"input_tokens\": 3,\r\n\"output_tokens\": 4}";
    std::vector<Event> events = unfold(reply);
    events.insert(events.end() - 1, OpaqueEvent{.origin = dialect->id(), .type = "strange", .raw = pretty});
    const std::string type(dialect->stream_writer(question())->content_type());
    if (!type.starts_with("text/event-stream")) continue;  // a binary framing has lengths
    const std::string bytes = laws::write_stream(*dialect, events);
    const auto framer = dialect->framer(type);
    framer->feed(bytes);
    int frames = 0;
    for (auto frame = framer->next(); frame && *frame; frame = framer->next(), ++frames) {
      if ((*frame)->comment || (*frame)->data == "[DONE]") continue;
      EXPECT_TRUE(json::valid((*frame)->data)) << dialect->name() << (*frame)->data;
      EXPECT_EQ((*frame)->data.find_first_of("\r\n"), std::string_view::npos) << dialect->name();
    }
    EXPECT_GT(frames, 3);
    EXPECT_EQ(said(folded(reread(*dialect, events))).text.substr(0, 19), "one\r\ntwo\rthree\n\n") << dialect->name();
  }
}

// What a client is told, without the order of its parts, which whole answers of some dialects do not have. `cites`: in
// a stream of Gemini sources come last, and a text that other parts follow has been closed by then.
std::string told(const Reply& reply, bool cites) {
  std::string out;
  std::string cited, seals;
  for (const Choice& choice : reply.choices) {
    const Said one = said(choice.parts);
    out += "text " + one.text + "\nthought " + one.thought + "\ncalls " + one.calls;
    for (const Part& part : choice.parts) {
      if (part.as<Media>() != nullptr) out += "\nmedia " + part.as<Media>()->data;
      if (part.seal) seals += "\nseal " + part.seal->raw;
      if (part.as<Text>() == nullptr || !cites) continue;
      for (const Citation& citation : part.as<Text>()->citations) cited += "\ncites " + citation.url;
    }
    out += std::exchange(cited, "") + std::exchange(seals, "") + "\nstop " +
           std::to_string(static_cast<int>(choice.stop.kind)) + '\n';
  }
  return out + "usage " + std::to_string(reply.usage.total_input()) + ' ' + std::to_string(reply.usage.total_output());
}

// An answer says the same whether it was asked for whole or as a stream: for each upstream and each client.
TEST(PitfallStream, WholeAndStreamedAnswersSayTheSameInEveryPair) {
  int pairs = 0;
  for (const laws::Sample& sample : laws::samples(laws::Kind::reply)) {
    if (sample.recorded) continue;
    const auto reply = sample.dialect->read_reply(sample.body);
    if (!reply) continue;
    const std::vector<Event> streamed = reread(*sample.dialect, unfold(*reply));
    for (const Dialect* client : conversations()) {
      Notes notes;
      const auto whole = client->read_reply(client->write_reply(*reply, question(), notes));
      const auto pieces = folded(reread(*client, streamed));
      ASSERT_TRUE(whole && pieces) << sample.name << " to " << client->name();
      const bool last = !reply->choices.empty() && !reply->choices[0].parts.empty() &&
                        reply->choices[0].parts.back().as<Text>() != nullptr;
      // A source that came late cannot be told in every stream.
      const bool cites = last || client->cites_late();
      EXPECT_EQ(told(*pieces, cites), told(*whole, cites)) << sample.name << " to " << client->name();
      ++pairs;
    }
  }
  EXPECT_GT(pairs, 50);
}

// A vendor that breaks off in the middle is told as that, and what it had said stays said.
TEST(PitfallStream, AFailureIsAFailureForEveryClient) {
  std::vector<Event> events;
  for (const Event& event : in_pieces(rich, 3)) {
    events.push_back(event);
    if (const auto* delta = std::get_if<Delta>(&event); delta != nullptr && delta->block == 2) break;
  }
  events.emplace_back(Failed{{.fault = Fault::upstream_overloaded, .message = "The ship is full.", .code = "full"}});
  for (const Dialect* dialect : conversations()) {
    const auto again = reread(*dialect, events);
    EXPECT_EQ(breach(again), "") << dialect->name();
    ASSERT_FALSE(again.empty());
    const auto* failed = std::get_if<Failed>(&again.back());
    ASSERT_NE(failed, nullptr) << dialect->name();
    EXPECT_TRUE(failed->error.message.contains("The ship is full.")) << dialect->name() << failed->error.message;
    Fold fold;
    for (const Event& event : again) fold.add(event);
    EXPECT_TRUE(said(fold.so_far().choices.at(0).parts).text.starts_with("Now.")) << dialect->name();
  }
}

// What keeps a silent connection open may stand between any two events and means nothing to anybody.
TEST(PitfallStream, KeepAlivesBetweenAnyEventsMeanNothing) {
  for (const Dialect* dialect : conversations()) {
    const auto writer = dialect->stream_writer(question());
    std::string bytes;
    for (const Event& event : in_pieces(rich, 2)) {
      writer->keep_alive(bytes);
      writer->write(event, bytes);
      if (!std::holds_alternative<End>(event)) writer->write(Ping{}, bytes);
    }
    auto events = laws::read_stream(*dialect, writer->content_type(), {bytes});
    std::erase_if(events, [](const Event& e) { return std::holds_alternative<Ping>(e); });
    EXPECT_EQ(laws::describe(events), laws::describe(reread(*dialect, in_pieces(rich, 2)))) << dialect->name();
  }
}

// A stream of ours that lost its tail on the way to the client is no whole answer either, wherever the answer came
// from.
TEST(PitfallStream, WithoutItsTailNoStreamOfOursIsWhole) {
  for (const Dialect* dialect : conversations()) {
    std::vector<Event> events = in_pieces(rich, 2);
    while (!events.empty()) {
      const bool ended = std::holds_alternative<End>(events.back());
      const bool may_end = ended || dialect->id() == DialectId::openai_chat || dialect->id() == DialectId::gemini;
      const auto again = reread(*dialect, events);
      const bool finished =
          std::ranges::any_of(events, [](const Event& e) { return std::holds_alternative<Finish>(e); });
      // Where a finish reason alone is a proper end, the tail begins before it.
      if (ended) {
        EXPECT_TRUE(std::holds_alternative<End>(again.back())) << dialect->name();
      } else if (!may_end || !finished) {
        EXPECT_TRUE(std::holds_alternative<Failed>(again.back())) << dialect->name() << events.size();
      }
      events.pop_back();
    }
  }
}

// Thought, text, thought, call: each in its place, also behind two dialects.
TEST(PitfallStream, InterleavedThoughtKeepsItsPlace) {
  const Reply reply = answers({thought("first "), text("one "), thought("second "), text("two "), call("c", "f")},
                              StopKind::tool_calls);
  for (const Dialect* upstream : conversations()) {
    for (const Dialect* client : conversations()) {
      const Said got = said(folded(reread(*client, reread(*upstream, in_pieces(reply, 2)))));
      EXPECT_EQ(got.text, "one two ") << upstream->name() << " to " << client->name();
      EXPECT_EQ(got.thought, "first second ") << upstream->name() << " to " << client->name();
      EXPECT_EQ(got.calls, "f {};") << upstream->name() << " to " << client->name();
      EXPECT_EQ(got.order, "hthtc") << upstream->name() << " to " << client->name();
    }
  }
}

}  // namespace
}  // namespace sluice::pitfalls
