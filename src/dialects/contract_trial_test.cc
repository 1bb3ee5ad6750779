// Are the contracts (dialect.h, model/, framing) wide enough for the next dialect? It is tried here on
// written fixtures (testdata_trial/) and, with SLUICE_SHARED, on recorded traffic: whole and stream agree, streams obey
// the grammar at any cut and never end falsely, and nothing of the wire is without a place in the model.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/text.h"
#include "dialects/laws.h"
#include "dialects/registry.h"
#include "dialects/trial_found_test.h"
#include "dialects/trial_test.h"
#include "model/fold.h"
#include "model/grammar.h"
#include "wire/aws_eventstream.h"

namespace sluice::trial {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

std::string fixture(std::string_view name) {
  std::string text = slurp(fs::path(SLUICE_SOURCE_DIR) / "src/dialects/testdata_trial" / name);
  if (text.empty()) std::abort();
  return text;
}

// A fixture of events, one {"type": payload} a line, as the binary stream it stands for.
std::string framed(const std::string& lines) {
  std::string out;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    json::Document doc;
    const auto root = doc.parse(line);
    if (!root) std::abort();
    const auto [type, payload] = *root->members().begin();
    if (!aws_eventstream::append_event(out, type, payload.raw())) std::abort();
  }
  return out;
}

struct Trial {
  const Wire& wire;
  std::string name, request, reply, stream;
};
const std::vector<Trial>& trials() {
  static const std::vector<Trial> all = {{bedrock(), "Bedrock", fixture("bedrock_request.json"),
                                          fixture("bedrock_reply.json"), framed(fixture("bedrock_stream.jsonl"))}};
  return all;
}

std::vector<Event> read(const Wire& wire, std::string_view bytes, std::size_t step = std::string_view::npos) {
  std::vector<std::string_view> pieces;
  for (; !bytes.empty(); bytes.remove_prefix(pieces.back().size())) pieces.push_back(bytes.substr(0, step));
  return laws::read_stream(*wire.framer(), *wire.stream_reader(), pieces);
}

std::string write(const Wire& wire, const std::vector<Event>& events, const Question& question = {}) {
  const auto writer = wire.stream_writer(question);
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

std::string breach(const std::vector<Event>& events) {
  Grammar grammar;
  for (const Event& event : events) {
    if (auto fault = grammar.check(event); !fault.empty()) return fault;
  }
  return grammar.check_end();
}

void sort(Extras& extras) {
  std::ranges::sort(extras.members, {}, &Extra::key);
}

// The reply without the order of unknown members, and with logprobs put aside: they come in pieces.
Reply settled(Reply reply) {
  sort(reply.extras);
  for (Choice& choice : reply.choices) {
    choice.logprobs.reset();
    for (Part& part : choice.parts) sort(part.extras);
  }
  return reply;
}

Result<Reply> fold(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  auto reply = fold.take();
  if (reply) *reply = settled(*std::move(reply));
  return reply;
}

// White space inside the body says nothing.
Reply whole(const Wire& wire, std::string_view body) {
  auto reply = wire.read_reply(json::compact(body));
  if (!reply) ADD_FAILURE() << reply.error()->message << reply.error()->detail;
  return reply ? settled(*std::move(reply)) : Reply{};
}

// The first line that differs, or empty. Names that only the writer made, and the order of members in what is kept as
// text, are no difference.
std::string difference(const Reply& a, Reply b) {
  for (std::size_t c = 0; c < std::min(a.choices.size(), b.choices.size()); ++c) {
    for (std::size_t p = 0; p < std::min(a.choices[c].parts.size(), b.choices[c].parts.size()); ++p) {
      const Part& one = a.choices[c].parts[p];
      Part& other = b.choices[c].parts[p];
      const auto* tool = one.as<ServerTool>();
      const auto* call = one.as<ToolCall>();
      if (auto* t = other.as<ServerTool>(); t && tool && json::same(t->raw, tool->raw)) t->raw = tool->raw;
      if (auto* t = other.as<ToolCall>(); t && call && t->native_id.empty()) t->native_id = call->native_id;
    }
  }
  if (a == b) return "";
  std::istringstream one(laws::describe(a, false)), other(laws::describe(b, false));
  std::string x, y;
  do {
    x.clear();
    y.clear();
    std::getline(one, x);
    std::getline(other, y);
  } while (x == y && (one || other));
  return "\n  " + x + "\n  " + y;
}

TEST(ContractTrial, WholeAndStreamAreTheSameReply) {
  for (const Trial& t : trials()) {
    const auto events = read(t.wire, t.stream);
    EXPECT_EQ(breach(events), "") << t.name;
    const auto streamed = fold(events);
    ASSERT_TRUE(streamed) << t.name << streamed.error()->detail;
    EXPECT_EQ(difference(*streamed, whole(t.wire, t.reply)), "") << t.name;
  }
}

TEST(ContractTrial, CutsChangeNothing) {
  for (const Trial& t : trials()) {
    const std::string expected = laws::describe(read(t.wire, t.stream));
    for (const std::size_t step : {1U, 2U, 3U, 7U, 61U, 500U}) {
      EXPECT_EQ(laws::describe(read(t.wire, t.stream, step)), expected) << t.name << step;
    }
  }
}

TEST(ContractTrial, NoPrefixEndsFalsely) {
  for (const Trial& t : trials()) {
    // At every byte near the end, where an end could be seen too early; further up here and there.
    for (std::size_t size = 0; size < t.stream.size(); size += size + 700 < t.stream.size() ? 37 : 1) {
      const std::string_view prefix = std::string_view(t.stream).substr(0, size);
      const auto events = read(t.wire, prefix);
      ASSERT_EQ(breach(events), "") << t.name << size;
      const bool ended = std::holds_alternative<End>(events.back());
      // The watcher of untouched frames sees the same end.
      const auto framer = t.wire.framer();
      const auto reader = t.wire.stream_reader();
      framer->feed(prefix);
      for (auto frame = framer->next(); frame && *frame; frame = framer->next()) (void)reader->observe(**frame);
      const auto last = framer->end();
      if (last && *last) (void)reader->observe(**last);
      ASSERT_EQ(last && reader->complete(), ended) << t.name << size;
      const bool may_end = prefix.find("messageStop") != std::string_view::npos;
      if (ended) ASSERT_TRUE(may_end) << t.name << size;
    }
  }
}

TEST(ContractTrial, TheOwnWriterLosesNothing) {
  for (const Trial& t : trials()) {
    const Reply reply = whole(t.wire, t.reply);
    // From a whole reply, and from the events of a stream: what comes late must survive both.
    for (const auto& events : {unfold(reply), read(t.wire, t.stream)}) {
      const auto again = read(t.wire, write(t.wire, events));
      EXPECT_EQ(breach(again), "") << t.name;
      const auto folded = fold(again);
      ASSERT_TRUE(folded) << t.name << folded.error()->detail;
      EXPECT_EQ(difference(*folded, reply), "") << t.name;
    }
  }
}

TEST(ContractTrial, EverythingOfTheWireHasItsPlace) {
  for (const Trial& t : trials()) {
    const auto request = t.wire.read_request({.path_model = "model-in-path", .path_streams = true, .body = t.request});
    ASSERT_TRUE(request) << t.name;
    Found asked;
    asked.add(*request);
    EXPECT_EQ(asked.missing(t.request), "") << t.name;
    Found answered;
    answered.add(whole(t.wire, t.reply));
    EXPECT_EQ(answered.missing(t.reply), "") << t.name;
  }
}

TEST(ContractTrial, BedrockBlocksKeepProofsMarksAndObjects) {
  const Reply reply = whole(bedrock(), fixture("bedrock_reply.json"));
  const auto& parts = reply.choices.at(0).parts;
  ASSERT_EQ(parts.size(), 6U);
  EXPECT_EQ(parts[0].seal->raw, "EpsBtrialsignature==");
  EXPECT_TRUE(parts[1].as<Reasoning>()->redacted);
  EXPECT_TRUE(parts[3].as<ServerTool>()->is_result);
  EXPECT_EQ(parts[4].as<Text>()->citations.at(1).url, "https://gauge.example/");
  EXPECT_EQ(reply.choices[0].stop.kind, StopKind::content_filter);
  EXPECT_EQ(reply.service_tier, "flex");
  EXPECT_EQ(reply.usage.total_input(), 1074);
  EXPECT_EQ(reply.usage.cache_write_1h, 20);

  const std::string body = fixture("bedrock_request.json");
  const auto request = bedrock().read_request({.path_model = "us.anthropic.claude:0", .body = body});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->model, "us.anthropic.claude:0");
  EXPECT_EQ(request->turns.at(0).parts.at(0).cache->ttl, "1h");
  EXPECT_TRUE(request->turns.at(1).parts.back().cache);
  EXPECT_TRUE(request->tools.back().cache);
  const auto* result = request->turns.at(3).parts.at(0).as<ToolResult>();
  EXPECT_EQ(json::compact(result->json), R"({"level":2.1})");
  EXPECT_TRUE(request->turns[3].parts.at(1).as<ToolResult>()->is_error);
  EXPECT_EQ(request->turns[3].parts[1].as<ToolResult>()->parts.size(), 3U);
}

TEST(ContractTrial, BedrockUsageComesBehindTheStop) {
  const auto events = read(bedrock(), framed(fixture("bedrock_stream.jsonl")));
  ASSERT_GE(events.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Finish>(events[events.size() - 3]));
  EXPECT_TRUE(std::holds_alternative<UsageSeen>(events[events.size() - 2]));
  // Without it the stream is whole all the same.
  std::string lines = fixture("bedrock_stream.jsonl");
  lines.erase(lines.rfind("{\"metadata\""));
  EXPECT_TRUE(std::holds_alternative<End>(read(bedrock(), framed(lines)).back()));
}

Error failure(const Wire& wire, std::string_view bytes) {
  const auto events = read(wire, bytes);
  EXPECT_EQ(breach(events), "");
  const auto* failed = std::get_if<Failed>(&events.back());
  if (failed == nullptr) ADD_FAILURE() << "no failure in " << bytes;
  return failed ? failed->error : Error{};
}

TEST(ContractTrial, FailuresInsideStreamsAreRead) {
  // AWS says it in the framing: an exception with its payload, an error with headers only.
  std::string exception, error;
  ASSERT_TRUE(aws_eventstream::append_exception(exception, "throttlingException", R"({"message":"slower"})"));
  EXPECT_EQ(failure(bedrock(), exception).fault, Fault::upstream_limited);
  EXPECT_EQ(failure(bedrock(), exception).message, "slower");
  const aws_eventstream::Header headers[] = {{.name = ":message-type", .value = "error"},
                                             {.name = ":error-code", .value = "Broken"},
                                             {.name = ":error-message", .value = "bare words"}};
  ASSERT_TRUE(aws_eventstream::append_message(error, headers, ""));
  EXPECT_EQ(failure(bedrock(), error).message, "bare words");
  EXPECT_EQ(failure(bedrock(), error).code, "Broken");
  // And both writers say a failure so that their readers find it again.
  for (const Trial& t : trials()) {
    const Error said{.fault = Fault::upstream_limited, .message = "too much", .code = "rate_limit_exceeded"};
    const Error again = failure(t.wire, write(t.wire, {Begin{}, Failed{said}}));
    EXPECT_EQ(again.message, "too much") << t.name;
    EXPECT_EQ(again.fault, Fault::upstream_limited) << t.name;
  }
}

TEST(ContractTrial, WholeErrorsAreToldApartByTheirHeader) {
  // Both are a 400 with nothing but words in the body; only one of them may be cured elsewhere.
  const std::string_view body = R"({"message":"no"})";
  const Error quota = bedrock_error(400, body, "ServiceQuotaExceededException:http://internal.example/");
  const Error wrong = bedrock_error(400, body, "ValidationException");
  EXPECT_EQ(quota.fault, Fault::upstream_limited);
  EXPECT_EQ(wrong.fault, Fault::upstream_rejected);
  EXPECT_EQ(wrong.message, "no");
}

// Every pair of a dialect on trial with every other one: the events of one are a legal stream of the other.
TEST(ContractTrial, StreamsCrossInBothDirections) {
  for (const Trial& t : trials()) {
    const Reply reply = whole(t.wire, t.reply);
    for (const Trial& other : trials()) {
      const auto events = read(other.wire, write(other.wire, read(t.wire, t.stream)));
      EXPECT_EQ(breach(events), "") << t.name << other.name;
      EXPECT_TRUE(std::holds_alternative<End>(events.back())) << t.name << other.name;
    }
    for (const Dialect* dialect : dialects()) {
      const std::string bytes = laws::write_stream(*dialect, read(t.wire, t.stream));
      const auto events = laws::read_stream(*dialect, "text/event-stream", {bytes});
      EXPECT_EQ(breach(events), "") << t.name << dialect->name();
      EXPECT_TRUE(std::holds_alternative<End>(events.back())) << t.name << dialect->name();
      Notes notes;
      const Destination to{.model = "model", .provider = dialect->name(), .stream = true};
      const auto request = t.wire.read_request({.path_model = "m", .path_streams = true, .body = t.request});
      ASSERT_TRUE(request);
      const auto written = dialect->write_request(*request, to, notes);
      EXPECT_TRUE(written || written.error()->fault == Fault::unsupported) << t.name << dialect->name();
      if (written) EXPECT_TRUE(json::valid(written->body)) << t.name << dialect->name();
    }
  }
  for (const laws::Sample& sample : laws::samples(laws::Kind::reply)) {
    const auto reply = sample.dialect->read_reply(sample.body);
    if (!reply || sample.recorded) continue;
    for (const Trial& other : trials()) {
      const auto events = read(other.wire, write(other.wire, unfold(*reply)));
      EXPECT_EQ(breach(events), "") << sample.name << other.name;
      EXPECT_TRUE(std::holds_alternative<End>(events.back())) << sample.name << other.name;
    }
  }
}

// Calls `use` with the parsed file of every recording in that folder of the corpus.
void each_recording(std::string_view folder, const std::function<void(const std::string& name, json::Value)>& use) {
  const char* shared = std::getenv("SLUICE_SHARED");
  for (const auto& entry : fs::directory_iterator(fs::path(shared) / "corpus" / folder)) {
    const std::string text = slurp(entry.path());
    json::Document doc;
    const auto root = doc.parse(text);
    ASSERT_TRUE(root) << entry.path();
    use(entry.path().stem().string(), *root);
  }
}
bool no_corpus() {
  const char* shared = std::getenv("SLUICE_SHARED");
  return shared == nullptr || *shared == '\0';
}

TEST(ContractTrial, RecordedBedrockHoldsTheLaws) {
  if (no_corpus()) GTEST_SKIP() << "NOTICE: SLUICE_SHARED is not set: no recorded Bedrock.";
  int streams = 0, replies = 0, requests = 0;
  for (const std::string_view folder : {"bedrock.converse", "bedrock.converse_stream"}) {
    each_recording(folder, [&](const std::string& name, json::Value root) {
      if (root["request"].is_object() && root["status"].integer() == 200) {
        const auto request = bedrock().read_request({.path_model = "m", .body = root["request"].raw()});
        ASSERT_TRUE(request) << name;
        Found found;
        found.add(*request);
        EXPECT_EQ(found.missing(root["request"].raw()), "") << name;
        ++requests;
      }
      if (root["response"]["output"]["message"].is_object()) {
        const Reply reply = whole(bedrock(), root["response"].raw());
        Found found;
        found.add(reply);
        EXPECT_EQ(found.missing(root["response"].raw()), "") << name;
        ++replies;
        if (name == "bedrock-converse-8a9fc296d2") return;  // its blocks are those of an SDK, not of the wire
        const auto again = fold(read(bedrock(), write(bedrock(), unfold(reply))));
        ASSERT_TRUE(again) << name;
        EXPECT_EQ(difference(*again, reply), "") << name;
      }
      const auto bytes = base64_decode(root["response_b64"].text());
      if (!bytes || bytes->empty()) return;
      const auto events = read(bedrock(), *bytes);
      EXPECT_EQ(breach(events), "") << name;
      EXPECT_TRUE(std::holds_alternative<End>(events.back())) << name;
      const auto reply = fold(events);
      ASSERT_TRUE(reply) << name;
      const auto again = fold(read(bedrock(), write(bedrock(), events)));
      ASSERT_TRUE(again) << name;
      EXPECT_EQ(difference(*again, *reply), "") << name;
      ++streams;
    });
  }
  std::cout << requests << " requests, " << replies << " replies, " << streams << " streams\n";
  EXPECT_GT(streams, 0);
}

}  // namespace
}  // namespace sluice::trial
