// What the laws cannot see of answers: the ladder of events as strict clients take it, defects of upstreams, proofs of
// other vendors, what a reply repeats. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "dialects/held_state.h"
#include "dialects/laws.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/registry.h"
#include "dialects/seal_envelope.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace sluice::openai_responses {
namespace {

const Question question{.model = "smart", .exchange_id = "exchange-1", .unix_seconds = 1700000000};

std::string written(const std::vector<Event>& events, const Question& to = question) {
  const auto writer = stream_writer(to);
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

std::vector<Event> read(std::string_view stream) {
  return laws::read_stream(dialect(), "text/event-stream", {stream});
}

Result<Reply> folded(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  return fold.take();
}

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

std::string frame(std::string_view data) {
  return "data: " + json::compact(data) + "\n\n";
}

const std::string created =
    frame(R"({"type":"response.created","response":{"id":"r","model":"m","status":"in_progress","output":[]}})");

// A client that takes nothing on trust: every event in its place, under the name of its item, numbered without a gap;
// what the deltas say is what is done, and the last response holds what was done.
class Strict {
 public:
  // The first breach, or empty.
  std::string take(std::string_view stream) {
    const auto framer = dialect().framer("text/event-stream");
    framer->feed(stream);
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
      if ((*frame)->comment) continue;
      json::Document doc;
      const auto root = doc.parse((*frame)->data);
      if (!root) return "an event that is no JSON";
      if (!(*root)["type"].equals((*frame)->event)) return "an event under another name";
      if (ended_) return "an event behind the end";
      if ((*root)["sequence_number"].integer() != sequence_++) return "a number out of order";
      if (auto breach = event((*root)["type"].text(), *root); !breach.empty()) {
        return breach + " in " + std::string((*frame)->data.substr(0, 200));
      }
    }
    return ended_ ? "" : "no end";
  }

  std::string final_status;

 private:
  using Value = json::Value;

  std::string event(const std::string& type, Value root) {
    if (type == "response.created" || type == "response.in_progress") {
      if (root["response"]["output"].size() != 0 || !root["response"]["status"].equals("in_progress")) {
        return "a beginning that has gone on";
      }
      return "";
    }
    if (type == "response.output_item.added") return added(root);
    if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
      return end(type, root["response"]);
    }
    if (type == "error") {
      ended_ = true;
      return "";
    }
    if (!open_ || root["output_index"].integer() != done_count_) return "an event outside its item";
    if (type == "response.output_item.done") return done(root["item"]);
    if (root["item_id"] && root["item_id"].text() != id_) return "an event under the name of another item";
    if (type.ends_with("_part.added")) {
      part_ = key(root);
      if (root[root["summary_index"] ? "summary_index" : "content_index"].integer() != parts_[part_[0]]++) {
        return "a part out of order";
      }
      text_.clear();
      return "";
    }
    if (type.ends_with("annotation.added")) return part_ == key(root) ? "" : "a citation outside its part";
    const bool of_part = root["content_index"] || root["summary_index"];
    if (of_part && part_ != key(root)) return "text outside its part";
    if (type.ends_with(".delta")) {
      text_ += root["delta"].text();
      return "";
    }
    if (type.ends_with("_part.done")) {
      const Value part = root["part"];
      const std::string said = part[part["type"].equals("refusal") ? "refusal" : "text"].text();
      part_.clear();
      return said == text_ ? "" : "a part that is not its deltas";
    }
    for (const std::string_view member : {"text", "refusal", "arguments", "input"}) {
      if (type.ends_with(".done") && root[member].is_string() && root[member].text() != text_) {
        return "an end that is not its deltas";
      }
    }
    return "";
  }

  static std::string key(Value root) {
    return root["summary_index"] ? "s" + std::string(root["summary_index"].raw())
                                 : "c" + std::string(root["content_index"].raw());
  }

  std::string added(Value root) {
    if (open_) return "an item inside an item";
    if (root["output_index"].integer() != done_count_) return "an item out of order";
    open_ = true;
    id_ = root["item"]["id"].text();
    parts_.clear();
    text_.clear();
    if (id_.empty()) return "an item without a name";
    return "";
  }

  std::string done(Value item) {
    if (item["id"].text() != id_) return "an item that changed its name";
    if (!part_.empty()) return "an item that ended inside a part";
    std::size_t parts = item["content"].size() + item["summary"].size();
    if (!item["type"].equals("message") && !item["type"].equals("reasoning")) parts = 0;
    if (static_cast<std::int64_t>(parts) != parts_['c'] + parts_['s'])
      return "an item with parts that nobody announced";
    items_ += (items_.empty() ? "" : ",") + std::string(item.raw());
    ++done_count_;
    open_ = false;
    return "";
  }

  std::string end(const std::string& type, Value response) {
    ended_ = true;
    final_status = response["status"].text();
    if (open_) return "an end inside an item";
    // An upstream's own word goes through: "queued", and what one service says for completed.
    const bool foreign_word = final_status == "queued" || final_status == "complete";
    if (type != "response." + final_status && !foreign_word) return "a status that is another";
    if (const auto differs = json::difference('[' + items_ + ']', response["output"].raw()); !differs.empty()) {
      return "an output that is not its items: " + differs;
    }
    return "";
  }

  std::int64_t sequence_ = 0, done_count_ = 0;
  bool ended_ = false, open_ = false;
  std::string id_, part_, text_, items_;
  std::map<char, std::int64_t> parts_;
};

TEST(ResponsesStream, EveryAnswerOfEveryDialectIsAWholeLadder) {
  int tried = 0;
  for (const laws::Kind kind : {laws::Kind::reply, laws::Kind::stream}) {
    for (const laws::Sample& sample : laws::samples(kind)) {
      std::vector<Event> events;
      if (kind == laws::Kind::stream) {
        events = laws::read_stream(*sample.dialect, sample.content_type, {sample.body});
      } else if (const auto reply = sample.dialect->read_reply(sample.body)) {
        events = unfold(*reply);
      }
      if (events.empty() || !std::holds_alternative<Begin>(events.front())) continue;
      EXPECT_EQ(Strict().take(written(events)), "") << sample.name;
      ++tried;
    }
  }
  std::cout << tried << " answers\n";
  EXPECT_GT(tried, 30);
}

// What a stream builds is what its last response says, member by member.
TEST(ResponsesStream, BuildsWhatItsLastResponseSays) {
  int same = 0;
  for (const laws::Sample& sample : laws::samples(laws::Kind::stream)) {
    if (sample.dialect->id() != DialectId::openai_responses) continue;
    std::string last;
    std::size_t done = 0;
    const auto framer = dialect().framer("text/event-stream");
    framer->feed(sample.body);
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
      json::Document doc;
      const auto root = doc.parse((*frame)->data);
      if (!root) continue;
      const json::Value type = (*root)["type"];
      done += type.equals("response.output_item.done") ? 1 : 0;
      if (!type.equals("response.completed") && !type.equals("response.incomplete")) continue;
      // Some services leave the items out of it, some recordings are of several responses.
      if ((*root)["response"]["output"].size() == done) last = (*root)["response"].raw();
    }
    auto built = folded(read(sample.body));
    if (last.empty() || !built) continue;
    if (sample.name == "openai-responses-47aacd3c48") continue;  // its last response gives an item another id
    auto said = read_reply(json::compact(last));
    ASSERT_TRUE(said) << sample.name;
    for (Reply* reply : {&*built, &*said}) {
      std::ranges::sort(reply->extras.members, {}, &Extra::key);
      for (Choice& choice : reply->choices) {
        choice.logprobs.reset();  // they come in pieces
        for (Part& part : choice.parts) {
          std::ranges::sort(part.extras.members, {}, &Extra::key);
          // The vendor encrypts anew for the last response: there is a proof, but another one.
          if (part.as<Reasoning>() && part.seal) part.seal->raw = "a proof";
          if (auto* program = part.as<Opaque>(); program && program->type == "program") program->raw = "{}";
        }
      }
    }
    EXPECT_EQ(laws::describe(*built, false), laws::describe(*said, false)) << sample.name;
    ++same;
  }
  std::cout << same << " streams compared with their last response\n";
  EXPECT_GT(same, 2);
}

TEST(ResponsesStream, WritesWhatAnotherVendorStreamed) {
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::anthropic, .id = "msg_1", .model = "claude"}},
      BlockStart{.part = {.body = Reasoning{}}},
      Delta{.text = "hmm"},
      BlockStop{.seal = Seal{.dialect = DialectId::anthropic, .raw = "proof"}},
      BlockStart{.block = 1, .part = {.body = Text{}}},
      Delta{.block = 1, .text = "a \"b\"\n"},
      BlockStop{.block = 1},
      BlockStart{.block = 2, .part = {.body = Text{}}},
      BlockStop{.block = 2},
      BlockStart{.block = 3, .part = {.body = ToolCall{.id = "toolu_1", .name = "f"}}},
      BlockStop{.block = 3},
      UsageSeen{.usage = {.input = 5, .cache_read = 3, .output = 4, .reasoning = 2}},
      Finish{.stop = {.kind = StopKind::tool_calls}},
      End{},
  });
  Strict client;
  EXPECT_EQ(client.take(out), "");
  EXPECT_EQ(client.final_status, "completed");
  for (const std::string_view event :
       {"response.created", "response.in_progress", "response.output_item.added", "response.output_item.done",
        "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.content_part.added",
        "response.output_text.delta", "response.output_text.done", "response.content_part.done",
        "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.completed"}) {
    EXPECT_GE(count(out, "event: " + std::string(event) + "\n"), 1U) << event;
  }
  EXPECT_EQ(count(out, "event: response.content_part.added\n"), 1U);  // the empty text is not told
  const auto reply = folded(read(out));
  ASSERT_TRUE(reply);
  const auto& parts = reply->choices.at(0).parts;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].seal, (Seal{.dialect = DialectId::anthropic, .raw = "proof"}));
  EXPECT_EQ(parts[2].as<ToolCall>()->id, "toolu_1");
  EXPECT_EQ(parts[2].as<ToolCall>()->arguments, "{}");
  EXPECT_EQ(reply->usage.total_input(), 8);
  EXPECT_EQ(reply->usage.reasoning, 2);
}

TEST(ResponsesStream, FreeTextCallsHaveTheirOwnEvents) {
  ToolCall call{.id = "call_1", .name = "apply_patch"};
  call.kind = ToolKind::custom;
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::openai_chat}},
      BlockStart{.part = {.body = call}},
      Delta{.text = "*** Begin"},
      Delta{.text = " Patch"},
      BlockStop{},
      Finish{.stop = {.kind = StopKind::tool_calls}},
      End{},
  });
  EXPECT_EQ(Strict().take(out), "");
  EXPECT_EQ(count(out, "event: response.custom_tool_call_input.delta\n"), 2U);
  EXPECT_EQ(count(out, R"("input":"*** Begin Patch")"), 3U);  // its own end, the item's, the response's
  EXPECT_EQ(folded(read(out))->choices.at(0).parts.at(0).as<ToolCall>()->kind, ToolKind::custom);
}

TEST(ResponsesStream, AFailureEndsWhatIsOpenAndIsNeverACompletion) {
  const Error error{.fault = Fault::upstream_timeout, .message = "Too slow.", .code = "stream_truncated"};
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::gemini}},
      BlockStart{.part = {.body = Text{}}},
      Delta{.text = "half a wor"},
      Failed{error},
  });
  Strict client;
  EXPECT_EQ(client.take(out), "");
  EXPECT_EQ(client.final_status, "failed");
  EXPECT_EQ(count(out, R"("status":"incomplete")"), 2U);
  const auto events = read(out);
  const auto* failed = std::get_if<Failed>(&events.back());
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->error.message, "Too slow.");
  EXPECT_EQ(failed->error.code, "stream_truncated");
  // Before there is a response, nothing can have failed but the stream itself.
  const std::string bare = written({Failed{{.fault = Fault::upstream_limited, .message = "Later."}}});
  EXPECT_EQ(Strict().take(bare), "");
  EXPECT_EQ(count(bare, "event: error\n"), 1U);
  EXPECT_EQ(std::get<Failed>(read(bare).back()).error.fault, Fault::upstream_limited);
}

TEST(ResponsesStream, ACallThatWasCutIsNotMadeWhole) {
  const std::string out = written({
      Begin{.reply = {.origin = DialectId::openai_chat}},
      BlockStart{.part = {.body = ToolCall{.id = "call_1", .name = "f"}}},
      Delta{.text = "{\"a\":"},
      Failed{{.fault = Fault::upstream_broken, .message = "Cut."}},
  });
  EXPECT_EQ(count(out, "function_call_arguments.done"), 0U);
  EXPECT_EQ(count(out, R"("status":"incomplete")"), 2U);
}

TEST(ResponsesStream, CompletedMeansThatNothingIsMissing) {
  for (const auto& [kind, status] : {std::pair{StopKind::length, "incomplete"},
                                     {StopKind::content_filter, "incomplete"},
                                     {StopKind::malformed_tool, "incomplete"},
                                     {StopKind::refusal, "incomplete"},
                                     {StopKind::end, "completed"},
                                     {StopKind::stop_sequence, "completed"}}) {
    Strict client;
    EXPECT_EQ(client.take(written({Begin{.reply = {.origin = DialectId::anthropic}},
                                   BlockStart{.part = {.body = Text{}}}, Delta{.text = "x"}, BlockStop{},
                                   Finish{.stop = {.kind = kind, .origin = DialectId::anthropic}}, End{}})),
              "");
    EXPECT_EQ(client.final_status, status);
  }
}

TEST(ResponsesStream, TellsWhatOnlyTheEndOfAnItemSaid) {
  // Some services send nothing between the first and the last word of an item.
  const auto reply = folded(read(
      created + frame(R"({"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"f",
        "call_id":"c","name":"n","arguments":""}})") +
      frame(R"({"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"f",
        "call_id":"c","name":"n","arguments":"{\"a\":1}"}})") +
      frame(R"({"type":"response.completed","response":{"status":"completed","output":[]}})")));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->choices.at(0).parts.at(0).as<ToolCall>()->arguments, R"({"a":1})");
  EXPECT_EQ(reply->choices[0].stop.kind, StopKind::tool_calls);
  // Or nothing before the last response.
  const auto whole = folded(read(created + frame(R"({"type":"response.completed","response":{"status":"completed",
      "output":[{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"Hi"}]}]}})")));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->choices.at(0).parts.at(0).as<Text>()->text, "Hi");
}

TEST(ResponsesStream, ADoneTextIsNotSaidTwice) {
  const auto events = read(
      created +
      frame(R"({"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"a","delta":"Hi"})") +
      frame(R"({"type":"response.output_text.done","output_index":0,"content_index":0,"item_id":"b","text":"Hi"})") +
      frame(R"({"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"c",
        "role":"assistant","content":[{"type":"output_text","text":"Hi"}]}})") +
      frame(R"({"type":"response.completed","response":{"status":"completed"}})"));
  EXPECT_EQ(folded(events)->choices.at(0).parts.at(0).as<Text>()->text, "Hi");
}

TEST(ResponsesStream, FailuresInsideAreRead) {
  const auto failure = [](std::string_view bytes) {
    const auto events = read(bytes);
    Grammar grammar;
    for (const Event& event : events) EXPECT_EQ(grammar.check(event), "");
    const auto* failed = std::get_if<Failed>(&events.back());
    return failed ? failed->error : Error{.message = "no failure"};
  };
  EXPECT_EQ(failure(created + frame(R"({"type":"error","code":"server_error","message":"flat"})")).message, "flat");
  const Error nested = failure(frame(R"({"type":"error","error":{"code":"insufficient_quota","message":"nested"}})"));
  EXPECT_EQ(nested.message, "nested");
  EXPECT_EQ(nested.fault, Fault::upstream_limited);
  const Error blamed = failure(created + frame(R"({"type":"response.failed","response":{"status":"failed",
      "error":{"code":"image_parse_error","message":"whole"}}})"));
  EXPECT_EQ(blamed.message, "whole");
  EXPECT_EQ(blamed.fault, Fault::upstream_rejected);
  EXPECT_EQ(failure(created).fault, Fault::upstream_broken);
}

TEST(ResponsesStream, UsageOfAnIncompleteOrFailedResponseIsCounted) {
  for (const std::string_view type : {"response.incomplete", "response.failed", "response.completed"}) {
    const std::string last = R"({"type":")" + std::string(type) +
                             R"(","response":{"status":"x","error":{"message":"m"},"usage":{"input_tokens":9,
        "input_tokens_details":{"cached_tokens":4},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":2}}}})";
    const auto reader = stream_reader();
    const Sight sight = reader->observe({.data = last});
    ASSERT_TRUE(sight.usage) << type;
    EXPECT_EQ(sight.usage->input, 5);
    EXPECT_EQ(sight.usage->output, 5);
    std::int64_t seen = 0;
    for (const Event& event : read(created + frame(json::compact(last)))) {
      if (const auto* usage = std::get_if<UsageSeen>(&event)) seen = usage->usage.total_input();
    }
    EXPECT_EQ(seen, 9) << type;
  }
}

TEST(ResponsesStream, KeepAliveIsAComment) {
  std::string out;
  stream_writer(question)->keep_alive(out);
  EXPECT_EQ(out.front(), ':');
  EXPECT_TRUE(read(out).size() == 1 && std::holds_alternative<Failed>(read(out).front()));
}

TEST(ResponsesStream, JsonWithLineBreaksStaysOneEvent) {
  const std::string body = "{\"model\":\"m\",\"input\":\"x\",\"tools\":[\n  {\"type\":\"web_search\"}\r\n]}";
  const auto members = json::scan_object(body);
  ASSERT_TRUE(members);
  Question asked = question;
  asked.asked = *members;
  const std::string out = written({Begin{.reply = {.origin = DialectId::gemini}}, End{}}, asked);
  EXPECT_EQ(Strict().take(out), "");
}

TEST(ResponsesReply, RepeatsItsQuestionWhereTheUpstreamDidNot) {
  const std::string body =
      R"({"model":"m","input":"Hi","instructions":"Be brief.","temperature":0.70,"user":null,"stream":true,"store":true})";
  const auto members = json::scan_object(body);
  ASSERT_TRUE(members);
  Question asked = question;
  asked.asked = *members;
  Notes notes;
  const Reply plain{.origin = DialectId::anthropic, .choices = {{.parts = {{.body = Text{.text = "Hello"}}}}}};
  json::Document doc;
  const std::string text = write_reply(plain, asked, notes);
  const auto root = doc.parse(text);
  ASSERT_TRUE(root);
  EXPECT_TRUE((*root)["instructions"].equals("Be brief."));
  EXPECT_EQ((*root)["temperature"].raw(), "0.70");
  EXPECT_FALSE((*root)["input"]);
  EXPECT_FALSE((*root)["stream"]);
  // What the vendor's own types demand is always there.
  for (const std::string_view member :
       {"id", "object", "created_at", "status", "error", "incomplete_details", "instructions", "metadata", "model",
        "output", "parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p", "usage"}) {
    EXPECT_TRUE((*root)[member]) << member;
  }
  // An answer of this API repeats the question itself: nothing is added to it.
  const Reply own = *read_reply(R"({"id":"r","object":"response","status":"completed","output":[],"temperature":1})");
  const std::string again = write_reply(own, asked, notes);
  EXPECT_EQ(again.find("Be brief."), std::string::npos);
}

TEST(ResponsesReply, ProofsOfGeminiTravelBesideWhatTheyProve) {
  const Seal call{.dialect = DialectId::gemini, .raw = "call-proof"};
  const Seal text{.dialect = DialectId::gemini, .raw = "text-proof"};
  const Reply reply{.origin = DialectId::gemini,
                    .choices = {{.parts = {{.body = Text{.text = "Now."}, .seal = text},
                                           {.body = ToolCall{.id = "c1", .name = "f", .arguments = "{}"}, .seal = call},
                                           {.body = ToolCall{.id = "c2", .name = "f", .arguments = "{}"}}},
                                 .stop = {.kind = StopKind::tool_calls, .origin = DialectId::gemini}}}};
  Notes notes;
  const std::string whole = write_reply(reply, question, notes);
  const std::string streamed = written(unfold(reply));
  EXPECT_EQ(Strict().take(streamed), "");
  EXPECT_LT(streamed.find("\"rs_"), streamed.find("\"fc_"));  // in front of the call
  EXPECT_TRUE(notes.empty());
  // The client sends back what it got; the proofs stand where they stood.
  json::Document doc;
  const auto root = doc.parse(whole);
  ASSERT_TRUE(root);
  std::string input((*root)["output"].raw());
  input.back() = ',';
  const auto request = read_request(R"({"model":"m","input":)" + input +
                                    R"({"type":"function_call_output","call_id":"c1","output":"1"},
                                    {"type":"function_call_output","call_id":"c2","output":"2"}]})");
  ASSERT_TRUE(request);
  const auto& parts = request->turns.at(0).parts;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].seal, text);
  EXPECT_EQ(parts[1].seal, call);
  EXPECT_FALSE(parts[2].seal);
}

TEST(ResponsesReply, NoProofOfAnotherVendorIsLostWithItsWords) {
  const Reply reply{
      .origin = DialectId::anthropic,
      .choices = {
          {.parts = {
               {.body = Reasoning{.redacted = true}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "redacted"}},
               {.body = Reasoning{.text = "shown"}, .seal = Seal{.dialect = DialectId::anthropic, .raw = "signed"}},
               {.body = Reasoning{}}}}}};
  Notes notes;
  const auto again = read_reply(write_reply(reply, question, notes));
  ASSERT_TRUE(again);
  const auto& parts = again->choices.at(0).parts;
  ASSERT_EQ(parts.size(), 2U);  // the third said nothing
  EXPECT_TRUE(parts[0].as<Reasoning>()->redacted);
  EXPECT_EQ(parts[0].seal->raw, "redacted");
  EXPECT_EQ(parts[1].as<Reasoning>()->text, "shown");
  EXPECT_EQ(parts[1].seal, (Seal{.dialect = DialectId::anthropic, .raw = "signed"}));
}

TEST(ResponsesReply, ItemsKeepTheirNamesAndProofs) {
  for (const laws::Sample& sample : laws::samples(laws::Kind::reply)) {
    if (sample.name != "openai_responses/reply_everything") continue;
    const auto reply = read_reply(sample.body);
    ASSERT_TRUE(reply);
    const auto& parts = reply->choices.at(0).parts;
    ASSERT_EQ(parts.size(), 10U);
    EXPECT_TRUE(parts[0].as<Reasoning>()->summary);
    EXPECT_FALSE(parts[0].seal);  // the proof is the item's: it stands on its last part
    EXPECT_EQ(parts[1].seal, (Seal{.dialect = DialectId::openai_responses, .raw = "gAAAAtrialproof=="}));
    EXPECT_EQ(parts[2].as<ServerTool>()->name, "web_search");
    EXPECT_EQ(parts[3].as<Text>()->citations.at(0).end, 22);
    EXPECT_EQ(parts[4].as<Refusal>()->text, "I will not say when the guards change.");
    EXPECT_TRUE(parts[5].as<Reasoning>()->redacted);
    EXPECT_EQ(parts[6].as<ToolCall>()->id, "call_1");
    EXPECT_EQ(parts[6].as<ToolCall>()->native_id, "fc_1");
    EXPECT_EQ(parts[7].as<ToolCall>()->kind, ToolKind::custom);
    EXPECT_EQ(parts[8].as<Media>()->data, "iVBORw0KGgo=");
    EXPECT_EQ(parts[9].as<Opaque>()->type, "compaction");
    EXPECT_EQ(reply->choices[0].stop.kind, StopKind::tool_calls);
    EXPECT_EQ(reply->usage.input, 40);
    EXPECT_EQ(reply->usage.cache_read, 64);
    EXPECT_EQ(reply->usage.cache_write_5m, 16);
    EXPECT_EQ(reply->usage.output, 60);
    EXPECT_EQ(reply->usage.reasoning, 30);
    return;
  }
  FAIL() << "no such sample";
}

TEST(ResponsesReply, AnErrorInsideAGoodStatusIsAnError) {
  const auto failed = read_reply(R"({"id":"r","status":"failed","error":{"code":"rate_limit_exceeded",
      "message":"Later."},"output":[]})");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error()->fault, Fault::upstream_limited);
  EXPECT_EQ(read_reply("[]").error()->fault, Fault::upstream_broken);
  EXPECT_EQ(read_reply(R"({"id":"r"})").error()->fault, Fault::upstream_broken);
}

}  // namespace
}  // namespace sluice::openai_responses
