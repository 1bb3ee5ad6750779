// SPDX-License-Identifier: MIT
#include "telemetry/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/scratch_test.h"
#include "telemetry/access_log.h"
#include "telemetry/line.h"
#include "telemetry/sample_record.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

class LogFile : public testing::Test {
 protected:
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const Scratch scratch_;
  const std::string folder_ = scratch_.path(), path_ = folder_ + "/log";
};

std::int64_t noon() {
  return 1'764'072'000'007;
}

TEST_F(LogFile, HoldsEveryLineOfEveryThreadWhole) {
  {
    LogWriter writer;
    ASSERT_TRUE(writer.use(path_));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&writer, t] {
        for (int i = 0; i < 2'000; ++i) writer.append(std::string(50, static_cast<char>('a' + t)) + "\n");
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(writer.dropped(), 0u);
  }
  const std::string all = read(path_);
  EXPECT_EQ(all.size(), 8'000u * 51);
  for (std::size_t i = 0; i < all.size(); i += 51)
    ASSERT_EQ(all.substr(i, 51), std::string(50, all[i]) + "\n") << "torn line at " << i;
}

TEST_F(LogFile, GetsALineSoonThoughNothingFollowsIt) {
  LogWriter writer;
  ASSERT_TRUE(writer.use(path_));
  writer.append("alone\n");
  for (int i = 0; i < 200 && read(path_).empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(read(path_), "alone\n");
}

TEST_F(LogFile, IsOpenedAnewWhenItWasMovedAway) {
  LogWriter writer;
  ASSERT_TRUE(writer.use(path_));
  writer.append("old\n");
  ASSERT_TRUE(writer.flush(5s));
  std::filesystem::rename(path_, path_ + ".1");
  writer.append("still old\n");
  ASSERT_TRUE(writer.flush(5s));
  ASSERT_TRUE(writer.reopen());
  writer.append("new\n");
  ASSERT_TRUE(writer.flush(5s));
  EXPECT_EQ(read(path_ + ".1"), "old\nstill old\n");
  EXPECT_EQ(read(path_), "new\n");
}

TEST_F(LogFile, ThatCannotBeOpenedChangesNothing) {
  LogWriter writer;
  ASSERT_TRUE(writer.use(path_));
  const auto failed = writer.use(folder_ + "/missing/log");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error()->detail.find("No such file"), std::string::npos);
  writer.append("here\n");
  ASSERT_TRUE(writer.flush(5s));
  EXPECT_EQ(read(path_), "here\n");
}

TEST_F(LogFile, WhoseReaderStoppedBlocksNobodyAndDropsAreCounted) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  std::uint64_t dropped = 0;
  const auto before = std::chrono::steady_clock::now();
  {
    LogWriter writer;
    ASSERT_TRUE(writer.use(path_));
    const std::string line(1023, 'x');
    for (int i = 0; i < 20 * 1024; ++i) writer.append(line + "\n");
    dropped = writer.dropped();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  EXPECT_GE(dropped, 12u * 1024 - 200) << "what is over 8 MiB and a pipe's room";
  EXPECT_LE(dropped, 12u * 1024);
  close(reader);
}

TEST(LogWriter, CountsWhatAFullDiskRefused) {
  LogWriter writer;
  ASSERT_TRUE(writer.use("/dev/full"));
  writer.append("one\ntwo\n");
  ASSERT_TRUE(writer.flush(5s));
  EXPECT_EQ(writer.dropped(), 2u);
}

TEST_F(LogFile, SaysWhatTheLevelLetsThroughAndChangesLive) {
  LogWriter writer;
  Log log(writer, noon);
  ASSERT_TRUE(log.apply({.level = LogLevel::warning, .file = path_}));
  log.say(LogLevel::info, "not said");
  log.say(LogLevel::warning, "backend {} is \"off\"\n", "claude");
  ASSERT_TRUE(log.apply({.level = LogLevel::debug, .format = "text", .file = path_}));
  log.say(LogLevel::debug, "two\nlines\x1b[31m");
  ASSERT_TRUE(log.apply({.level = LogLevel::off, .file = path_}));
  log.say(LogLevel::error, "not said");
  ASSERT_TRUE(writer.flush(5s));
  EXPECT_EQ(read(path_),
            "{\"ts\":\"2025-11-25T12:00:00.007Z\",\"level\":\"WARNING\",\"kind\":\"message\","
            "\"message\":\"backend claude is \\\"off\\\"\\n\"}\n"
            "12:00:00.007 DEBUG two?lines?[31m\n");
}

TEST_F(LogFile, HasALinePerExchangeUnlessSwitchedOff) {
  LogWriter writer;
  Log log(writer, noon);
  AccessLog sink(log);
  const auto lines = [&] {
    EXPECT_TRUE(writer.flush(5s));
    const std::string all = read(path_);
    return std::count(all.begin(), all.end(), '\n');
  };
  Record failed = sample_record();
  failed.fault = Fault::upstream_timeout;
  ASSERT_TRUE(log.apply({.file = path_}));
  sink.take(sample_record());
  EXPECT_EQ(lines(), 1);
  ASSERT_TRUE(log.apply({.exchanges = false, .file = path_}));
  sink.take(sample_record());
  EXPECT_EQ(lines(), 1);
  ASSERT_TRUE(log.apply({.level = LogLevel::warning, .file = path_}));
  sink.take(sample_record());
  EXPECT_EQ(lines(), 1);
  sink.take(failed);
  EXPECT_EQ(lines(), 2);
}

TEST(LogLevels, HaveTheConfigsNames) {
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error, LogLevel::off})
    EXPECT_EQ(log_level(name(level)), level);
  EXPECT_EQ(log_level("info"), std::nullopt);
}

TEST(AccessLog, WritesTheWholeExchangeAsOneJsonLine) {
  std::string out;
  append_exchange_json(out, sample_record(), LogLevel::info);
  EXPECT_EQ(
      out,
      R"({"ts":"2025-11-24T16:02:03.045Z","level":"INFO","kind":"exchange","id":"req_01jd8x5r9k6m3n7p2q4s",)"
      R"("client_id":"client-7","caller":"local","peer":"127.0.0.1","method":"POST","door":"/v1/chat/completions",)"
      R"("operation":"chat","dialect":"openai_chat","model":"smart","served":"claude-3-opus-20240229","backend":"claude","stream":true,)"
      R"("status":200,"first_token_ms":350.120,"total_ms":1234.567,"own_us":85,"bytes_in":1024,"bytes_out":20480,)"
      R"("tokens":{"input":12,"cache_read":2048,"output":340,"reasoning":100},"finish":"end_turn",)"
      R"("notes":[{"kind":"lost","at":"/seed","why":"anthropic has no seed"}],)"
      R"("attempts":[{"backend":"openai","model":"gpt-4","status":503,"started_ms":0.040,"sent_ms":0.060,)"
      R"("head_ms":9.000,"ended_ms":9.100,"fault":"upstream_overloaded","detail":"503 from upstream"},)"
      R"({"backend":"claude","model":"claude-3-opus-20240229","status":200,"started_ms":9.150,"sent_ms":9.400,)"
      R"("head_ms":340.000,"first_token_ms":350.000,"ended_ms":1234.000,"fresh":true,"upstream_id":"req_abc"}]})"
      "\n");
  EXPECT_TRUE(json::valid(out));
}

TEST(AccessLog, ACopyNamesTheExchangeThatItIsACopyOf) {
  Record r = sample_record();
  r.mirror_of = "req_of_the_client";
  r.attempts.back().mirror = true;
  std::string json, text;
  append_exchange_json(json, r, LogLevel::info);
  append_exchange_text(text, r, LogLevel::info, LogStyle::text);
  EXPECT_NE(json.find("\"mirror_of\":\"req_of_the_client\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"mirror\":true"), std::string::npos) << json;
  EXPECT_NE(text.find(" mirror of req_of_the_client"), std::string::npos) << text;
}

TEST(AccessLog, TheAttemptThatAnsweredStandsForAll) {
  Record r = sample_record();
  r.answered = 1;
  r.attempts.push_back({.backend = "gemini", .model = "gemini-2.5-pro", .hedge = true, .given_up = true});
  r.spent.push_back({.attempt = 2, .usage = {.input = 12, .output = 3}});
  std::string json, text;
  append_exchange_json(json, r, LogLevel::info);
  append_exchange_text(text, r, LogLevel::info, LogStyle::text);
  EXPECT_TRUE(json.contains(R"("served":"claude-3-opus-20240229","backend":"claude",)")) << json;
  EXPECT_TRUE(json.ends_with(R"("hedge":true,"given_up":true,"tokens":{"input":12,"output":3}}]})"
                             "\n"))
      << json;
  EXPECT_TRUE(text.contains(" -> claude/claude-3-opus-20240229 after 3 attempts")) << text;
}

TEST(AccessLog, TellsWhatIsNoTokenApart) {
  Record r = sample_record();
  r.usage.audio_input = 5;
  r.usage.image_output = 4160;
  r.units = {.audio_ms = 9'050, .images = 0};
  std::string out;
  append_exchange_json(out, r, LogLevel::info);
  EXPECT_TRUE(json::valid(out));
  EXPECT_TRUE(out.contains(R"("reasoning":100},"media_tokens":{"audio_input":5,"image_output":4160},)"
                           R"("units":{"audio_seconds":9.050,"images":0},"finish":)"))
      << out;
  r.usage = {};
  r.units = {.search_units = 1};
  out.clear();
  append_exchange_json(out, r, LogLevel::info);
  EXPECT_TRUE(out.contains(R"("bytes_out":20480,"units":{"search_units":1},"finish":)")) << out;
}

TEST(AccessLog, WritesAFailureForPeople) {
  Record r = sample_record();
  r.status = 502;
  r.fault = Fault::upstream_broken;
  r.error = "The upstream's reply ended early.";
  r.detail = "cut after 17 bytes";
  std::string out;
  append_exchange_text(out, r, level_of(r), LogStyle::text);
  EXPECT_EQ(out,
            "16:02:03.045 502 POST /v1/chat/completions smart -> claude/claude-3-opus-20240229 after 2 attempts "
            "1234.567 ms (first 350.120, own 85 us) 2060+440 tokens local req_01jd8x5r9k6m3n7p2q4s lost /seed "
            "upstream_broken: The upstream's reply ended early. [cut after 17 bytes]\n");
  std::string painted;
  append_exchange_text(painted, r, level_of(r), LogStyle::colour);
  EXPECT_NE(painted.find("\x1b[33m 502"), std::string::npos);
}

TEST(AccessLog, NothingFromOutsideBreaksTheLineOrTheTerminal) {
  std::string wild;
  for (int c = 0; c < 256; ++c) wild += static_cast<char>(c);
  wild +=
      "\n\xc2\x9b"
      "31m";
  Record r = sample_record();
  r.model = r.error = r.detail = r.caller = r.client_id = r.served = r.finish = wild;
  r.attempts[0].backend = r.attempts[1].detail = r.notes[0].pointer = r.notes[0].reason = wild;
  r.fault = Fault::internal;
  std::string json;
  append_exchange_json(json, r, LogLevel::error);
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 1);
  EXPECT_TRUE(json::valid(json));
  std::string text;
  append_exchange_text(text, r, LogLevel::error, LogStyle::text);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
}

TEST(AccessLog, CapsWhatIsLong) {
  Record r = sample_record();
  r.error = r.detail = r.model = r.attempts[0].detail = std::string(1 << 16, '\x01');
  r.notes.assign(1000, {NoteKind::lost, std::string(5000, 'p'), std::string(5000, 'r')});
  r.attempts.assign(40, r.attempts[0]);
  std::string out;
  append_exchange_json(out, r, LogLevel::info);
  EXPECT_LT(out.size(), 200'000u);
  EXPECT_TRUE(json::valid(out));
  std::string cut;
  line::append_quoted(cut, "abc\u00e9", 4);
  EXPECT_EQ(cut, "\"abc\"") << "never inside a character";
}

}  // namespace
}  // namespace sluice
