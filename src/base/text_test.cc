// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "base/secret.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST(Durations, NeedAUnit) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
  for (const auto* bad : {"", "5", "5x", "-1s", "1.5s", "s", "99999999999999h", "1s2"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Sizes, KnowBothFamiliesOfUnits) {
  EXPECT_EQ(parse_size("32MiB"), 32u << 20);
  EXPECT_EQ(parse_size("64 kb"), 64'000u);
  EXPECT_EQ(parse_size("512"), 512u);
  for (const auto* bad : {"", "x", "1TB", "-1", "99999999999GiB"}) EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Dates, AreWrittenAndReadAsTheStandardsSay) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_FALSE(parse_http_date("Sun, 31 Feb 1994 08:49:37 GMT"));
  EXPECT_EQ(rfc3339(784111777'120), "1994-11-06T08:49:37.120Z");
  EXPECT_EQ(go_duration(milliseconds(120)), "120ms");
  EXPECT_EQ(go_duration(milliseconds(360'000)), "6m0s");
  EXPECT_EQ(go_duration(milliseconds(1500)), "1.5s");
  EXPECT_EQ(go_duration(milliseconds(0)), "0s");
}

TEST(Base64, RoundTripsAndIsStrict) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(base64_decode(base64(bytes)), bytes);
    EXPECT_EQ(base64url_decode(base64url(bytes)), bytes);
  }
  EXPECT_EQ(base64("ab"), "YWI=");
  for (const auto* bad : {"YWI", "YW=I", "Y", "YWJ=", "YW I", "===="}) EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(Wildcards, MatchAnyRun) {
  EXPECT_TRUE(wildcard_match("gpt-*", "gpt-4o"));
  EXPECT_TRUE(wildcard_match("*", ""));
  EXPECT_TRUE(wildcard_match("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(wildcard_match("gpt-4", "gpt-4o"));
  EXPECT_FALSE(wildcard_match("a*c", "ab"));
}

TEST(Closest, FindsTypingMistakes) {
  const std::array<std::string_view, 4> names = {"timeouts", "models", "api_key", "base_url"};
  EXPECT_EQ(closest("timeut", names).front(), "timeouts");
  EXPECT_EQ(closest("apikey", names).front(), "api_key");
  EXPECT_TRUE(closest("zzzzzzzz", names).empty());
}

TEST(PercentDecode, RefusesControlsAndBrokenEscapes) {
  EXPECT_EQ(percent_decode("a%2Fb%3ac"), "a/b:c");
  for (const auto* bad : {"%", "%2", "%zz", "a%00", "a%0a", "a\nb"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(Lists, AreSearchedByToken) {
  EXPECT_TRUE(list_has("gzip, Deflate;q=0.5 , br", "deflate"));
  EXPECT_FALSE(list_has("gzipx", "gzip"));
}

TEST(Secrets, CompareWithoutConversion) {
  const Secret secret("sk-1");
  EXPECT_TRUE(secret.equals("sk-1"));
  EXPECT_FALSE(secret.equals("sk-2"));
  EXPECT_FALSE(secret.equals("sk-11"));
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
}

TEST(Secrets, AreTakenOutOfOthersWords) {
  std::string said = "bad key sk-12345678, not sk-1234567; sk-12345678";
  Secret("sk-12345678").erase_from(said);
  EXPECT_EQ(said, "bad key [key], not sk-1234567; [key]");
  Secret("key").erase_from(said);
  EXPECT_EQ(said, "bad key [key], not sk-1234567; [key]");
}

TEST(Dates, OfRfc3339AreReadAsTheyAreWritten) {
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{784111777'120}, std::int64_t{1'796'000'000'001}}) {
    EXPECT_EQ(parse_rfc3339(rfc3339(ms)), ms);
  }
  EXPECT_EQ(parse_rfc3339("2026-05-04T20:01:02.264968Z"), 1777924862'264);
  EXPECT_EQ(parse_rfc3339("2026-05-04T22:01:02+02:00"), 1777924862'000);
  EXPECT_FALSE(parse_rfc3339("2026-05-04T20:01:02"));
  EXPECT_FALSE(parse_rfc3339("2026-05-04"));
}

TEST(Text, AFingerprintTellsEveryChangeAndIsTheSameForEver) {
  std::set<std::uint64_t> seen;
  std::size_t texts = 0;
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'a');
    seen.insert(fingerprint(text));
    ++texts;
    for (std::size_t at = 0; at < size; ++at) {
      for (const char other : {'b', 'A', '\0', '\xff'}) {
        text[at] = other;
        seen.insert(fingerprint(text));
        ++texts;
      }
      text[at] = 'a';
    }
  }
  EXPECT_EQ(seen.size(), texts);
  EXPECT_EQ(fingerprint(""), 0x0000000000000000ULL);
  EXPECT_EQ(fingerprint("lighthouse"), 0xe7776e246758bba7ULL);
  std::string image;
  for (int i = 0; i < 1000; ++i) image += "iVBORw0KGgo=";
  EXPECT_EQ(fingerprint(image), 0x0cda18394f719ca0ULL);
  const std::string unaligned = ' ' + image;
  EXPECT_EQ(fingerprint(std::string_view(unaligned).substr(1)), fingerprint(image));
}

TEST(Text, ContainsFindsANeedleAtEveryPlace) {
  for (const std::string_view needle : {"x", "ab", "\"item_reference"}) {
    for (std::size_t size = needle.size(); size < 300; size += 7) {
      const std::string without(size, 'a');
      EXPECT_FALSE(contains(without, needle)) << size;
      for (std::size_t at = 0; at + needle.size() <= size; ++at) {
        std::string with = without;
        with.replace(at, needle.size(), needle);
        EXPECT_TRUE(contains(with, needle)) << size << ' ' << at;
        with[at + needle.size() - 1] = 'a';
        if (needle.size() > 2) EXPECT_TRUE(!contains(with, needle)) << size << ' ' << at;
      }
    }
  }
  EXPECT_FALSE(contains("", "x"));
}

}  // namespace
}  // namespace sluice
