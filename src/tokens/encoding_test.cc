// Tokens, against tiktoken's: testdata/tiktoken.txt is made by it (tests/harness/tokens.py), whole texts and single
// pieces of any bytes. More texts through the real binary: tests/test_tokens.py. SPDX-License-Identifier: MIT
#include "tokens/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "tokens/letters.h"
#include "tokens/merge.h"
#include "tokens/pieces.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using Tokens = std::vector<std::uint32_t>;

const Vocabulary& vocabulary(Encoding encoding) {
  return vocabularies[static_cast<std::size_t>(encoding)];
}

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    out += static_cast<char>(byte);
  }
  return out;
}

// The bytes of every token, as the table makes them of others.
class Bytes {
 public:
  explicit Bytes(Encoding encoding) {
    const Vocabulary& words = vocabulary(encoding);
    for (std::size_t i = 0; i < 256; ++i) known_[words.bytes[i]] = std::string(1, static_cast<char>(i));
    for (const std::uint64_t cell : words.cells) {
      if (cell != ~std::uint64_t(0)) halves_[cell & 0x3ffffU] = {Token(cell >> 36U), Token(cell >> 18U & 0x3ffffU)};
    }
  }
  const std::string& of(Token token) {
    if (const auto found = known_.find(token); found != known_.end()) return found->second;
    const auto [left, right] = halves_.at(token);
    const std::string text = of(left) + of(right);
    return known_[token] = text;
  }
  [[nodiscard]] std::size_t size() const { return halves_.size() + 256; }

 private:
  std::map<Token, std::string> known_;
  std::map<Token, std::pair<Token, Token>> halves_;
};

TEST(Encoding, SplitsAsEverybodyKnows) {
  EXPECT_THAT(encode("hello world", Encoding::o200k), ElementsAre(24912, 2375));
  EXPECT_THAT(encode("hello world", Encoding::cl100k), ElementsAre(15339, 1917));
  EXPECT_THAT(encode("tiktoken is great!", Encoding::cl100k), ElementsAre(83, 1609, 5963, 374, 2294, 0));
  EXPECT_THAT(encode("", Encoding::o200k), ElementsAre());
  EXPECT_EQ(count_tokens("hello world", Encoding::o200k), 2);
}

TEST(Encoding, SpecialTokensAreText) {
  EXPECT_GT(count_tokens("<|endoftext|>", Encoding::o200k), 3);
}

// "encoding kind hex ids…"
TEST(Encoding, AreTheTokensOfTiktoken) {
  std::ifstream in(SLUICE_SOURCE_DIR "/src/tokens/testdata/tiktoken.txt");
  int lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name, kind, hex;
    words >> name >> kind >> hex;
    const Tokens expected{std::istream_iterator<std::uint32_t>(words), {}};
    const Encoding encoding = name == "o200k" ? Encoding::o200k : Encoding::cl100k;
    const std::string text = unhex(hex == "-" ? "" : hex);
    Merge merge(vocabulary(encoding));
    EXPECT_EQ(kind == "piece" ? merge.tokens(text) : encode(text, encoding), expected) << line.substr(0, 200);
    ++lines;
  }
  EXPECT_GE(lines, 380);
}

TEST(Vocabulary, HoldsEveryTokenOnce) {
  for (const auto& [encoding, size] : {std::pair(Encoding::o200k, 199'998), std::pair(Encoding::cl100k, 100'256)}) {
    Bytes bytes(encoding);
    EXPECT_EQ(bytes.size(), static_cast<std::size_t>(size));
    Merge merge(vocabulary(encoding));
    for (Token token = 0; token < static_cast<Token>(size); ++token) {
      const std::string text = bytes.of(token);
      ASSERT_THAT(merge.tokens(text), ElementsAre(token));
    }
  }
}

std::string any_bytes(std::mt19937& random, std::size_t size, std::string_view alphabet) {
  std::string out;
  while (out.size() < size) {
    out += alphabet.empty() ? static_cast<char>(random() % 256) : alphabet[random() % alphabet.size()];
  }
  return out;
}

// By the rule itself.
Tokens merged_plainly(const Vocabulary& words, std::string_view piece) {
  Tokens out;
  for (const char c : piece) out.push_back(words.bytes[static_cast<unsigned char>(c)]);
  for (;;) {
    Token lowest = no_token;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < out.size(); ++i) {
      if (const Token merged = words.merged(out[i], out[i + 1]); merged < lowest) lowest = merged, at = i;
    }
    if (lowest == no_token) return out;
    out[at] = lowest;
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

TEST(Merge, IsTheSameForShortAndLongPieces) {
  std::mt19937 random(7);
  for (const std::string_view alphabet : {"", "a", "ab", "abcdefgh", " ", "\n\t ", "etaoinshrdlu", "0123456789"}) {
    for (const std::size_t size : std::initializer_list<std::size_t>{1, 2, 3, 7, 39, 40, 41, 60, 200, 700}) {
      const std::string piece = any_bytes(random, size, alphabet);
      for (const Encoding encoding : {Encoding::o200k, Encoding::cl100k}) {
        Merge merge(vocabulary(encoding));
        EXPECT_EQ(merge.tokens(piece), merged_plainly(vocabulary(encoding), piece)) << size << ' ' << alphabet;
      }
    }
  }
}

TEST(Encoding, LosesNoByteOfAnything) {
  std::mt19937 random(11);
  for (const Encoding encoding : {Encoding::o200k, Encoding::cl100k}) {
    Bytes bytes(encoding);
    for (int i = 0; i < 300; ++i) {
      const std::string text =
          any_bytes(random, random() % 300, i % 2 == 0 ? "" : "aA \n'\xc3\xa9\xe4\xb8\xad\xcc\x81s!1");
      std::string back;
      for (const Token token : encode(text, encoding)) back += bytes.of(token);
      EXPECT_EQ(back, text);
    }
  }
}

// What has no cut must not take the square of its length: that would be minutes for each.
TEST(Encoding, TakesLongRunsInTheirStride) {
  for (const std::string_view unit : {"a", "A", " ", "!", "\xe4\xb8\xad", "A\xcc\x81", "\xff", " \n"}) {
    std::string text;
    while (text.size() < 3 * longest_piece) text += unit;
    for (const Encoding encoding : {Encoding::o200k, Encoding::cl100k}) {
      const std::int64_t count = count_tokens(text, encoding);
      EXPECT_GT(count, 1'000) << unit;
      EXPECT_LE(count, std::ssize(text)) << unit;
    }
  }
}

std::vector<std::string> pieces(std::string_view text, Encoding encoding) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = piece_end(text, at, encoding);
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

TEST(Pieces, AreCutAsTheExpressionsSay) {
  EXPECT_THAT(pieces("HTTPServer's  url=/a/b\n\n  x 12345", Encoding::o200k),
              ElementsAre("HTTPServer's", " ", " url", "=/", "a", "/b", "\n\n", " ", " x", " ", "123", "45"));
  EXPECT_THAT(pieces("HTTPServer's\n  x", Encoding::cl100k), ElementsAre("HTTPServer", "'s", "\n", " ", " x"));
  // What is both capital and small goes to the small ones, when one is needed there.
  EXPECT_THAT(pieces("\xe4\xb8\xad"
                     "AB",
                     Encoding::o200k),
              ElementsAre("\xe4\xb8\xad", "AB"));
  EXPECT_THAT(pieces("A\xcc\x81"
                     "BC",
                     Encoding::o200k),
              ElementsAre("A\xcc\x81", "BC"));
  EXPECT_THAT(pieces("\xcc\x81"
                     "AB",
                     Encoding::o200k),
              ElementsAre("\xcc\x81", "AB"));
  // White space at the end of all.
  EXPECT_THAT(pieces("x\n  ", Encoding::o200k), ElementsAre("x", "\n", "  "));
  EXPECT_THAT(pieces("x\n  ", Encoding::cl100k), ElementsAre("x", "\n  "));
  // The long s is one, too.
  EXPECT_THAT(pieces("it'\xc5\xbf 'S", Encoding::o200k), ElementsAre("it'\xc5\xbf", " '", "S"));
}

TEST(Letters, AreReadFromUtf8) {
  const auto at = [](std::string_view text) { return sign_at(text, 0); };
  EXPECT_EQ(at("a").letter, Letter::lower);
  EXPECT_EQ(at("\xc3\x89").letter, Letter::upper);
  EXPECT_EQ(at("\xe4\xb8\xad").letter, Letter::other);
  EXPECT_EQ(at("\xcc\x81").letter, Letter::mark);
  EXPECT_EQ(at("\xd9\xa3").letter, Letter::number);
  EXPECT_EQ(at("\xc2\xa0").letter, Letter::space);
  EXPECT_EQ(at("\xf0\x9f\x98\x80").size, 4);
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe4\xb8", "\xff"})
    EXPECT_EQ(at(bad).size, 1) << bad;
}

}  // namespace
}  // namespace sluice
