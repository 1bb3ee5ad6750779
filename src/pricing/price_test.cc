// The formula, by hand: every figure below was worked out from the vendor's list on paper. SPDX-License-Identifier: MIT
#include "pricing/price.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pricing/catalogue.h"

namespace sluice {
namespace {

using testing::HasSubstr;

Price price(std::string_view text) {
  auto out = read_price(text);
  EXPECT_TRUE(out) << text;
  return out ? *out : Price();
}

struct Bill {
  std::string_view vendor, model;
  Usage usage;
  Units units;
  Lane lane = Lane::standard;
  std::int64_t nano_dollars = 0;
};

const std::vector<Bill>& bills() {
  using enum Lane;
  static const std::vector<Bill> all = {
      // 1,000 x $2.50/M + 500 x $10/M
      {"openai", "gpt-4o", {.input = 1000, .output = 500}, {}, standard, 7'500'000},
      // 200 x 2.50 + 800 x 1.25 + 100 x 10
      {"openai", "gpt-4o", {.input = 200, .cache_read = 800, .output = 100}, {}, standard, 2'500'000},
      // half of it in a batch
      {"openai", "gpt-4o", {.input = 1000, .output = 500}, {}, batch, 3'750'000},
      // 1,000 x 4.25 + 100 x 2.125 + 10 x 17
      {"openai", "gpt-4o", {.input = 1000, .cache_read = 100, .output = 10}, {}, priority, 4'632'500},
      // 1,000 x 1.25 + 1,000 x 0.13 + 100 x 7.50
      {"openai", "gpt-5.4", {.input = 1000, .cache_read = 1000, .output = 100}, {}, flex, 2'130'000},
      // 272,000 x 2.50 + 1,000 x 15, and one token more: 272,001 x 5 + 1,000 x 22.50
      {"openai", "gpt-5.4", {.input = 272'000, .output = 1000}, {}, standard, 695'000'000},
      {"openai", "gpt-5.4", {.input = 272'001, .output = 1000}, {}, standard, 1'382'505'000},
      // 400 x 2.50 + 600 x 40 of audio + 100 x 10 + 200 x 80 of audio
      {"openai",
       "gpt-4o-audio-preview",
       {.input = 1000, .output = 300, .audio_input = 600, .audio_output = 200},
       {},
       standard,
       42'000'000},
      // 60 x 5 + 40 x 10 of a picture + 4,160 x 40: all that it says is pictures
      {"openai", "gpt-image-1", {.input = 100, .output = 4160, .image_input = 40}, {}, standard, 167'100'000},
      {"openai",
       "gpt-image-1",
       {.input = 100, .output = 4160, .image_input = 40, .image_output = 4160},
       {.images = 1},
       standard,
       167'100'000},
      // 1,000 x 0.02, output has no price
      {"openai", "text-embedding-3-small", {.input = 1000}, {}, standard, 20'000},
      // 12.345 s x $0.0001
      {"openai", "whisper-1", {}, {.audio_ms = 12'345}, standard, 1'234'500},
      // 1,000 x 3 + 10,000 x 0.30 + 2,000 x 3.75 + 1,000 x 6 + 500 x 15
      {"anthropic",
       "claude-sonnet-4-5",
       {.input = 1000, .cache_read = 10'000, .cache_write_5m = 2000, .cache_write_1h = 1000, .output = 500},
       {},
       standard,
       27'000'000},
      // What is read from the cache counts for the threshold: 1,000 x 6 + 199,001 x 0.60 + 100 x 22.50
      {"anthropic",
       "claude-sonnet-4-5",
       {.input = 1000, .cache_read = 199'001, .output = 100},
       {},
       standard,
       127'650'600},
      // 1,000 x 1.25 + (200 + 100) x 10: thoughts are output
      {"gemini", "gemini-2.5-pro", {.input = 1000, .output = 100, .reasoning = 200}, {}, standard, 4'250'000},
      // what a tool brought is input: (900 + 100) x 1.25 + 100 x 10
      {"gemini", "gemini-2.5-pro", {.input = 900, .tool_input = 100, .output = 100}, {}, standard, 2'250'000},
      // 200,001 x 2.50 + 10 x 15
      {"gemini", "models/gemini-2.5-pro", {.input = 200'001, .output = 10}, {}, standard, 500'152'500},
      // 700 x 0.30 + 300 x 1 of audio + 10 x 2.50
      {"gemini", "gemini-2.5-flash", {.input = 1000, .output = 10, .audio_input = 300}, {}, standard, 535'000},
      // three pictures at $0.04
      {"gemini", "imagen-4.0-generate-001", {}, {.images = 3}, standard, 120'000'000},
      // three search units at $0.002
      {"cohere", "rerank-v3.5", {}, {.search_units = 3}, standard, 6'000'000},
      // what Cohere bills, not what passed: 900 x 0.15 + 90 x 0.60
      {"cohere",
       "command-r-08-2024",
       {.input = 1000, .output = 100, .billed_input = 900, .billed_output = 90},
       {},
       standard,
       189'000},
      // 256,000 x 0.05 + 100 x 0.40; one token more: 256,001 x 0.25 + 100 x 2
      {"qwen", "qwen-flash", {.input = 256'000, .output = 100}, {}, standard, 12'840'000},
      {"qwen", "qwen-flash", {.input = 256'001, .output = 100}, {}, standard, 64'200'250},
      // thoughts with a price of their own: 1,000 x 0.40 + 100 x 4 + 100 x 1.20
      {"qwen", "qwen-plus-latest", {.input = 1000, .output = 100, .reasoning = 100}, {}, standard, 920'000},
      // 1,000 x 0.28 + 9,000 x 0.028 + 100 x 0.42
      {"deepseek", "deepseek-chat", {.input = 1000, .cache_read = 9000, .output = 100}, {}, standard, 574'000},
      // a region's tenth more: 1,000 x 3.30 + 100 x 16.50
      {"bedrock",
       "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
       {.input = 1000, .output = 100},
       {},
       standard,
       4'950'000},
      // 1,000 x 0.59 + 1,000 x 0.79
      {"groq", "llama-3.3-70b-versatile", {.input = 1000, .output = 1000}, {}, standard, 1'380'000},
      // 1,000 x 3.75 + 100 x 15: tuned
      {"openai", "ft:gpt-4o-2024-08-06:acme::abc", {.input = 1000, .output = 100}, {}, standard, 5'250'000},
  };
  return all;
}

TEST(Cost, IsWhatTheVendorsListSays) {
  for (const Bill& bill : bills()) {
    const auto row = Catalogue::built_in().find(bill.vendor, bill.model);
    ASSERT_TRUE(row) << bill.model;
    const Cost got = cost(row->price, bill.usage, bill.units, bill.lane);
    EXPECT_EQ(got.nano_dollars, bill.nano_dollars) << bill.model;
    EXPECT_TRUE(got.known()) << bill.model << ' ' << got.unknown;
  }
}

TEST(Cost, IsRoundedOnce) {
  const Price half = price("input=0.0005 output=0.0005");  // half a nano-dollar a token
  EXPECT_EQ(cost(half, {.input = 1, .output = 1}).nano_dollars, 1);
  EXPECT_EQ(cost(half, {.input = 1, .output = 0}).nano_dollars, 1);
  EXPECT_EQ(cost(half, {.input = 1, .output = 2}).nano_dollars, 2);
  const Price fine = price("input=0.01875 output=0");
  EXPECT_EQ(cost(fine, {.input = 3, .output = 0}).nano_dollars, 56);
  EXPECT_EQ(cost(fine, {.input = 2, .output = 0}).nano_dollars, 38);
  EXPECT_EQ(cost(price("input=1000000 output=0"), {.input = 9'000'000'000'000'000'000, .output = 0}).nano_dollars,
            std::numeric_limits<std::int64_t>::max());
}

TEST(Cost, WhatIsNotKnownIsNotZero) {
  const Price plain = price("input=1 output=2");
  // A count that costs was not told.
  EXPECT_FALSE(cost(plain, {.output = 5}).knows(Charge::input));
  EXPECT_FALSE(cost(plain, {.input = 5}).knows(Charge::output));
  EXPECT_FALSE(cost(plain, {}).known());
  EXPECT_FALSE(cost(price("image=0.04"), {}).known());
  EXPECT_TRUE(cost(price("input=1 output=0"), {.input = 5}).known());
  EXPECT_TRUE(cost(price("input=1"), {.input = 5}).known());
  // A price is not known.
  const Cost cached = cost(plain, {.input = 10, .cache_read = 10, .output = 10});
  EXPECT_FALSE(cached.knows(Charge::cache_read));
  EXPECT_TRUE(cached.knows(Charge::input));
  EXPECT_EQ(cached.nano_dollars, 30'000);
  EXPECT_TRUE(cost(plain, {.input = 10, .cache_read = 0, .output = 10}).known());
  EXPECT_FALSE(cost(plain, {.input = 10, .cache_write_1h = 1, .output = 10}).known());
  EXPECT_FALSE(cost(Price(), {.input = 10, .output = 10}).known());
  // Pictures and speech that a model of texts makes.
  EXPECT_FALSE(cost(plain, {.input = 10, .output = 10, .image_output = 10}).known());
  EXPECT_FALSE(cost(plain, {.input = 10, .output = 10, .audio_output = 1}).known());
  // What is heard and seen costs as text where nothing else is said.
  EXPECT_EQ(cost(plain, {.input = 10, .output = 0, .audio_input = 4, .image_input = 3}).nano_dollars, 10'000);
}

TEST(Cost, ALaneOrAThresholdIsNeverGuessed) {
  const Price some = price("input=1 output=2 cache_read=0.1 batch.input=0.5 batch.output=1 input>1000=3 output>1000=4");
  EXPECT_FALSE(cost(some, {.input = 10, .output = 10}, {}, Lane::priority).known());
  EXPECT_TRUE(cost(some, {.input = 10, .output = 10}, {}, Lane::batch).known());
  EXPECT_FALSE(cost(some, {.input = 10, .cache_read = 5, .output = 10}, {}, Lane::batch).known());
  EXPECT_TRUE(cost(some, {.input = 1001, .output = 10}).known());
  EXPECT_FALSE(cost(some, {.input = 1000, .cache_read = 1, .output = 10}).known());
  EXPECT_TRUE(cost(some, {.input = 999, .cache_read = 1, .output = 10}).known());
}

TEST(Cost, MediaAreNeverMoreThanWhatThereIs) {
  const Price p = price("input=1 output=1 audio_input=10 cache_read=0.1");
  // 100 plain of 1,000, and 500 of all are audio: at most 100 of them were not cached.
  EXPECT_EQ(cost(p, {.input = 100, .cache_read = 900, .output = 0, .audio_input = 500}).nano_dollars,
            100 * 10'000 + 900 * 100);
  EXPECT_EQ(cost(p, {.input = -5, .output = -5}).nano_dollars, 0);
}

TEST(Cost, WhatIsPricedByThePieceIsNotCountedInTokens) {
  EXPECT_EQ(cost(price("image=0.04"), {.input = 10, .output = 1000}, {.images = 2}),
            (Cost{.nano_dollars = 80'000'000, .unknown = 0}));
  EXPECT_EQ(cost(price("audio_second=0.0001"), {}, {.audio_ms = 1}).nano_dollars, 100);
  EXPECT_FALSE(cost(price("audio_second=0.0001"), {.input = 3}).known());
}

TEST(Price, IsWrittenAsItIsRead) {
  const std::string text =
      "input=2.5 cache_read=1.25 output=10 search_unit=0.002 image=0.04 input>200000=5 batch.input=1.25 "
      "flex.output=0.000000001 priority.input>272000=0";
  EXPECT_EQ(write_price(price(text)), text);
  EXPECT_EQ(write_price(price("output=1  input=2 ")), "input=2 output=1");
  EXPECT_EQ(write_price(price("")), "");
  for (const char* wrong :
       {"input", "input=", "input=x", "inputs=1", "fast.input=1", "input>x=1", "input>-1=1", "=1"}) {
    const auto got = read_price(wrong);
    ASSERT_FALSE(got) << wrong;
    EXPECT_THAT(got.error()->message, HasSubstr(wrong));
  }
}

TEST(Price, TheLastRateOfAKindCounts) {
  Price p;
  p.set({.charge = Charge::input, .nano_per_million = 1});
  p.set({.charge = Charge::input, .nano_per_million = 2});
  EXPECT_EQ(p.rates().size(), 1);
  EXPECT_EQ(p.rate(Charge::input), 2);
}

TEST(Lane, IsToldByTheAnswersWord) {
  EXPECT_EQ(lane_of("priority"), Lane::priority);
  EXPECT_EQ(lane_of("flex"), Lane::flex);
  EXPECT_EQ(lane_of("batch"), Lane::batch);
  for (const char* word : {"default", "standard", "on_demand", "auto", ""}) EXPECT_EQ(lane_of(word), Lane::standard);
}

}  // namespace
}  // namespace sluice
