// Long strings against a plain walk over their bytes, with escapes and faults at every place of a block.
// SPDX-License-Identifier: MIT
#include "base/json_long.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/json.h"

namespace sluice::json {
namespace {

// What over_text() must pass at the least and at the most: everything up to a quote or to what wants care.
std::size_t plain_walk(std::string_view text, bool& escaped) {
  constexpr std::string_view seconds = "\"\\/bfnrt";
  std::size_t at = 0;
  while (at < text.size() && text[at] != '"' && static_cast<unsigned char>(text[at]) >= 0x20) {
    if (text[at] == '\\') {
      if (at + 1 >= text.size() || !seconds.contains(text[at + 1])) break;
      escaped = true;
      ++at;
    }
    ++at;
  }
  return at;
}

TEST(JsonLong, StopsWhereAPlainWalkStops) {
  std::mt19937 random(7);
  constexpr std::string_view alphabet = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  \\\\\\\"nu\x1f\xc3";
  for (int round = 0; round < 20'000; ++round) {
    std::string text(200, 'x');
    const std::size_t every = 1 + (random() % 90);
    for (std::size_t i = random() % every; i < text.size(); i += every) text[i] = alphabet[random() % alphabet.size()];
    bool walked = false, jumped = false;
    const std::size_t stop = plain_walk(text, walked);
    const auto went = static_cast<std::size_t>(over_text(text.data(), text.data() + text.size(), jumped) - text.data());
    ASSERT_LE(went, stop) << text;
    if (went == stop) {
      ASSERT_EQ(jumped, walked) << text;
    } else {  // only for want of room, and never inside an escape
      ASSERT_LE(text.size() - went, 65U) << text;
      bool again = false;
      ASSERT_EQ(went + plain_walk(std::string_view(text).substr(went), again), stop) << text;
    }
  }
}

TEST(JsonLong, CountsWhatMustBeEscaped) {
  std::string text;
  std::size_t expected = 0;
  for (int i = 0; i < 1000; ++i) {
    text += static_cast<char>(i % 256);
    expected += i % 256 < 0x20 || i % 256 == '"' || i % 256 == '\\' ? 1 : 0;
    ASSERT_EQ(count_escapes(text), expected);
  }
}

TEST(JsonLong, EveryCharacterAtEveryPlaceComesBack) {
  for (std::size_t place = 0; place < 140; ++place) {
    for (const std::string_view one : {"\"", "\\", "\n", "\t", "\x01", "/", "\\\\", "\"\"", "é", "\U0001f600"}) {
      std::string text(300, 'x');
      text.replace(place, one.size(), one);
      text.replace(place + 130, one.size(), one);
      Document doc;
      const std::string written = json::quote(text);
      const auto root = doc.parse(written);
      ASSERT_TRUE(root) << written;
      ASSERT_EQ(root->text(), text);
    }
  }
}

TEST(JsonLong, FaultsAreFoundAtEveryPlace) {
  for (std::size_t place = 1; place < 280; ++place) {
    for (const std::string_view fault : {"\x1f", "\\x", "\\u12g4", "\\u12"}) {
      std::string text = '"' + std::string(300, 'x') + '"';
      text.replace(place, fault.size(), fault);
      Document doc;
      ASSERT_FALSE(doc.parse(text)) << text;
      ASSERT_FALSE(valid(text)) << text;
    }
  }
}

}  // namespace
}  // namespace sluice::json
