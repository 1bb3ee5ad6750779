// SPDX-License-Identifier: MIT
#include "base/json_skip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/json.h"

namespace sluice::json {
namespace {

// The same, a byte at a time. A backslash escapes a quote anywhere; no valid text has one outside of strings.
Skipped plainly(std::string_view text, std::size_t at, int depth) {
  const int base = depth;
  bool in_string = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      if (at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\')) ++at;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (static_cast<unsigned char>(c) < 0x20) return {at, "a control character inside a string"};
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return {at, "nesting deeper than 128"};
    } else if (c == ']' || c == '}') {
      if (--depth == base) return {at + 1};
    }
  }
  return {text.size(), in_string ? "a string without its closing quote" : "the text ends too early"};
}

void expect_same(std::string_view text, std::size_t at = 0, int depth = 1) {
  const Skipped want = plainly(text, at, depth);
  const Skipped got = skip_nested(text, at, depth);
  ASSERT_EQ(got.at, want.at) << text;
  ASSERT_EQ(std::string_view(got.fault ? got.fault : ""), want.fault ? want.fault : "") << text;
}

TEST(JsonSkip, AgreesWithTheLoopAtEveryOffsetInABlock) {
  const std::string value =
      R"([{"a":"\"]\\","b\\\"}":{"c":[[],{}]}}, "[[[", "\\\\\\\\", "\\\"", true, {"\n":"Z\"é"}, [1,-2.5e3]])";
  for (std::size_t before = 0; before < 130; ++before) {
    // In front of the value, inside it as white space, and inside its first string.
    expect_same(std::string(before, ' ') + value + ",{}", before);
    expect_same("[" + std::string(before, ' ') + value + "]]");
    expect_same("[\"" + std::string(before, 'x') + "\"," + value + "]}");
  }
}

TEST(JsonSkip, CountsBackslashesAcrossBlocks) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (std::size_t slashes = 0; slashes < 140; ++slashes) {
      const std::string text = "[\"" + std::string(before, 'x') + std::string(slashes, '\\') + "\"]\"]";
      expect_same(text);
      expect_same(text + "]");
    }
  }
}

TEST(JsonSkip, AgreesWithTheLoopOnAnyText) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (const std::string_view letters :
       {R"("\[]{} a)", R"("\\\\\\a)", "[\"]\n \"aaaaaaaaaaaaaaa", R"([{]}"\)", R"("aaaaaaaaaaaaaaaaaaaa\]})"}) {
    for (int round = 0; round < 20'000; ++round) {
      std::string text = "[";
      for (std::size_t size = below(300); size > 0; --size) text += letters[below(letters.size())];
      expect_same(text, 0, static_cast<int>(below(4)));
    }
  }
}

TEST(JsonSkip, RefusesEveryCut) {
  const std::string value =
      R"([{"text":"He said \"no\".\\","of":[1,{"a":[]}]},{"text":"[}"}," and a longer tail \u00e9"])";
  ASSERT_EQ(skip_nested(value, 0, 0).at, value.size());
  for (std::size_t size = 1; size < value.size(); ++size) {
    const Skipped cut = skip_nested(std::string_view(value).substr(0, size), 0, 0);
    EXPECT_TRUE(cut.fault) << size;
    EXPECT_EQ(cut.at, size);
  }
  EXPECT_STREQ(skip_nested("[\"a", 0, 0).fault, "a string without its closing quote");
  EXPECT_STREQ(skip_nested("[\"a\"", 0, 0).fault, "the text ends too early");
}

TEST(JsonSkip, RefusesControlCharactersInStringsOnly) {
  for (const char c : {'\0', '\n', '\x1f'}) {
    const std::string control(1, c);
    for (std::size_t before = 0; before < 70; ++before) {
      const std::string text = "[\"" + std::string(before, 'x') + control + "\"]";
      EXPECT_STREQ(skip_nested(text, 0, 0).fault, "a control character inside a string");
      EXPECT_EQ(skip_nested(text, 0, 0).at, before + 2);
      EXPECT_FALSE(skip_nested("[\"" + std::string(before, 'x') + "\"," + control + "1]", 0, 0).fault);
    }
  }
  EXPECT_FALSE(skip_nested("[\"\x7f\xc3\xa9 \"]", 0, 0).fault);
  EXPECT_EQ(skip_nested("[1],\"\n\"", 0, 0).at, 3u) << "what stands behind is not looked at";
}

TEST(JsonSkip, NestsTo128AndNoFurther) {
  for (const std::size_t spread : {1, 3, 64, 65}) {  // bytes from bracket to bracket
    std::string open, close;
    for (int i = 0; i < max_depth; ++i) {
      open += "[" + std::string(spread - 1, ' ');
      close += "]" + std::string(spread - 1, ' ');
    }
    EXPECT_FALSE(skip_nested(open + close, 0, 0).fault) << spread;
    EXPECT_STREQ(skip_nested(open + close, 0, 1).fault, "nesting deeper than 128") << spread;
    EXPECT_EQ(skip_nested(open + "{" + close, 0, 0).at, open.size()) << spread;
    EXPECT_STREQ(skip_nested(open + "{" + close, 0, 0).fault, "nesting deeper than 128") << spread;
  }
}

}  // namespace
}  // namespace sluice::json
