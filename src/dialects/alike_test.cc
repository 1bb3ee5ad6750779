// SPDX-License-Identifier: MIT
#include "dialects/alike.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

// Learns `chunk`, whose holes are marked by '@' (the text between two marks is the inside).
Alike learnt(std::string_view marked) {
  std::string chunk;
  std::vector<std::size_t> holes;
  bool open = false;
  for (const char c : marked) {
    if (c == '@') {
      if (!open) holes.push_back(chunk.size());
      open = !open;
    } else {
      chunk += c;
    }
  }
  Alike alike;
  alike.learn(chunk, holes);
  return alike;
}

constexpr std::string_view model =
    R"({"id":"a","delta":{"content":"@Hello@"},"finish_reason":null,"obfuscation":"@x1@"})";

TEST(Alike, KnowsAChunkThatDiffersOnlyInItsHoles) {
  const Alike alike = learnt(model);
  EXPECT_EQ(alike.match(R"({"id":"a","delta":{"content":"Hello"},"finish_reason":null,"obfuscation":"x1"})"), "Hello");
  EXPECT_EQ(alike.match(R"({"id":"a","delta":{"content":""},"finish_reason":null,"obfuscation":""})"), "");
  EXPECT_EQ(alike.match(R"({"id":"a","delta":{"content":"a longer one: 长江, sixteen and more bytes"},"finish_reason":)"
                        R"(null,"obfuscation":"abcdefghijkl"})"),
            "a longer one: 长江, sixteen and more bytes");
}

TEST(Alike, AQuoteInsideIsNoEnd) {
  const Alike alike = learnt(model);
  EXPECT_EQ(alike.match(R"({"id":"a","delta":{"content":"say \"},\" \\"},"finish_reason":null,"obfuscation":"x"})"),
            R"(say \"},\" \\)");
  EXPECT_EQ(learnt(R"({"c":"@a \" b\\@","d":1})").match(R"({"c":"z","d":1})"), "z");
}

TEST(Alike, AnyOtherDifferenceIsNoMatch) {
  const Alike alike = learnt(model);
  for (const std::string_view other : {
           R"({"id":"b","delta":{"content":"Hello"},"finish_reason":null,"obfuscation":"x1"})",
           R"({"id":"a","delta":{"content":"Hello","finish_reason":"stop"},"finish_reason":null,"obfuscation":"x1"})",
           R"({"id":"a","delta":{"content":"Hello"},"finish_reason":"stop","obfuscation":"x1"})",
           R"({"id":"a","delta":{"content":"Hello"},"finish_reason":null,"obfuscation":"x1","usage":{}})",
           R"({"id":"a","delta":{"content":"Hello"},"finish_reason":null,"obfuscation":"x1"} )",
           R"({"id":"a","delta":{"content":"Hello"},"finish_reason":null,"obfuscation":"x1")",
           R"({"id":"a","delta":{"content":"Hello"},"finish_reason":null,"obfuscation":"x1)",
           R"({"id":"a","delta":{"content":null},"finish_reason":null,"obfuscation":"x1"})",
           R"({"id":"a","delta":{"content":"Hello\"},"finish_reason":null,"obfuscation":"x1"})",
           R"({"id":"a","delta":{"content":")",
           "",
       }) {
    EXPECT_EQ(alike.match(other), std::nullopt) << other;
  }
}

TEST(Alike, KeepsNothingItCannotCompare) {
  const std::string_view chunk = R"({"c":"a","d":"b","e":"c","f":1})";
  EXPECT_EQ(Alike().match(chunk), std::nullopt);
  const std::vector<std::vector<std::size_t>> wrong = {{}, {6, 14, 22}, {29}, {14, 6}, {100}, {0}};
  for (const std::vector<std::size_t>& holes : wrong) {
    Alike alike;
    const std::vector<std::size_t> good = {6};
    alike.learn(chunk, good);
    EXPECT_EQ(alike.match(chunk), "a");
    alike.learn(chunk, holes);
    EXPECT_EQ(alike.match(chunk), std::nullopt) << (holes.empty() ? 0 : holes[0]);
  }
  Alike cut;
  cut.learn(R"({"c":"a)", std::vector<std::size_t>{6});
  EXPECT_EQ(cut.match(R"({"c":"a)"), std::nullopt);
}

}  // namespace
}  // namespace sluice
