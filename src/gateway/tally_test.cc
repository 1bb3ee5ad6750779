// What an answer that passes tells, however it is cut. SPDX-License-Identifier: MIT
#include "gateway/tally.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

struct Row {
  std::string_view operation, type, answer;
  Units units;
  std::int64_t tokens = 0;  // of input
};

const Row rows[] = {
    {"rerank",
     "application/json",
     R"({"id":"r","results":[{"index":0,"relevance_score":0.9}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":2}}})",
     {.search_units = 2}},
    {"rerank", "application/json", R"({"results":[],"usage":{"total_tokens":26}})", {}, 26},
    {"audio.transcriptions",
     "application/json",
     R"({"text":"x","usage":{"type":"duration","seconds":9}})",
     {.audio_ms = 9000}},
    {"audio.transcriptions",
     "application/json",
     R"({"task":"transcribe","duration":8.47,"text":"x","segments":[{"duration":1}],"usage":{"type":"duration","seconds":9}})",
     {.audio_ms = 9000}},
    {"audio.transcriptions", "application/json", R"({"duration": 8.47 ,"text":"x"})", {.audio_ms = 8470}},
    {"audio.transcriptions",
     "application/json",
     R"({"text":"x","usage":{"prompt_audio_seconds":203,"prompt_tokens":4,"total_tokens":9,"completion_tokens":5}})",
     {.audio_ms = 203'000},
     4},
    {"audio.transcriptions",
     "text/event-stream",
     "data: {\"type\":\"transcript.text.delta\",\"delta\":\"x\"}\n\n"
     "data: {\"type\":\"transcript.text.done\",\"usage\":{\"type\":\"duration\",\"seconds\":3}}\n\n",
     {.audio_ms = 3000}},
    {"images.generations",
     "application/json",
     R"({"created":1,"data":[{"b64_json":"aa"},{"url":"https://x/,"}]})",
     {.images = 2}},
    {"images.generations", "application/json", R"({"created":1,"data":[]})", {.images = 0}},
    {"images.edits",
     "text/event-stream",
     "data: {\"type\":\"image_edit.partial_image\",\"b64_json\":\"aa\"}\n\n"
     "data: "
     "{\"type\":\"image_edit.completed\",\"b64_json\":\"aa\",\"usage\":{\"input_tokens\":4,\"output_tokens\":9}}\n\n",
     {.images = 1},
     4},
    // What is not told stays unknown.
    {"embeddings", "application/json", R"({"data":[{"embedding":[1]}],"duration":3})", {}},
    {"audio.transcriptions", "text/plain", R"({"usage":{"type":"duration","seconds":9}})", {}},
    {"audio.transcriptions", "application/json", R"({"usage":{"type":"duration","seconds":-9},"duration":"x"})", {}},
    {"invoke", "application/json", R"({"embedding":[0.5],"inputTextTokenCount":5})", {}, 5},
};

TEST(Tally, ReadsUnitsAndTokensHoweverTheAnswerIsCut) {
  for (const Row& row : rows) {
    for (std::size_t piece = 1; piece <= row.answer.size(); piece += 1 + piece / 4) {
      Tally tally(DialectId::openai_chat, row.operation, row.type, "");
      for (std::size_t at = 0; at < row.answer.size(); at += piece) tally.feed(row.answer.substr(at, piece));
      const Units units = tally.units();
      EXPECT_EQ(units.search_units, row.units.search_units) << row.answer;
      EXPECT_EQ(units.audio_ms, row.units.audio_ms) << row.answer;
      EXPECT_EQ(units.images, row.units.images) << row.answer;
      const auto usage = tally.usage();
      EXPECT_EQ(usage ? usage->total_input() : 0, row.tokens) << row.answer;
    }
  }
}

}  // namespace
}  // namespace sluice
