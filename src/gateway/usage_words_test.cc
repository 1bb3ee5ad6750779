// SPDX-License-Identifier: MIT
#include "gateway/usage_words.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr std::int64_t now_ms = 1'796'000'000'000;  // 2026-11-30

TEST(UsageWords, AreReadAsTimesAndWhatIsSummed) {
  const auto usual = read_usage_words({}, now_ms);
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->by, UsageQuestion::By::model);
  EXPECT_EQ(usual->since_ms, now_ms - 30LL * 86'400'000);
  EXPECT_EQ(usual->until_ms, now_ms + 1);
  const auto days = read_usage_words({.by = "tag", .since = "2026-11-01", .until = "2026-11-03"}, now_ms);
  ASSERT_TRUE(days);
  EXPECT_EQ(days->by, UsageQuestion::By::tag);
  EXPECT_EQ(days->until_ms - days->since_ms, 2LL * 86'400'000);
  const auto minutes = read_usage_words({.by = "minute", .since = "90m"}, now_ms);
  ASSERT_TRUE(minutes);
  EXPECT_EQ(minutes->by, UsageQuestion::By::minute);
}

TEST(UsageWords, NameWhatIsWrong) {
  const auto param = [](const UsageWords& words) {
    const auto read = read_usage_words(words, now_ms);
    return read ? std::string() : read.error()->param;
  };
  EXPECT_EQ(param({.by = "colour"}), "by");
  EXPECT_EQ(param({.since = "yesterday"}), "since");
  EXPECT_EQ(param({.since = "2026-02-30"}), "since");
  EXPECT_EQ(param({.since = "2026-11-01x"}), "since");
  EXPECT_EQ(param({.until = "never"}), "until");
}

TEST(UsageWords, ComeBackAsTheyWereWritten) {
  UsageSum sum{.what = "a \"name\"", .requests = 1, .calls = 2, .failed = 3, .nano_dollars = 4, .unpriced = 5};
  for (std::size_t i = 0; i < disjoint_buckets; ++i) {
    sum.exact.at(i) = static_cast<std::int64_t>(10 + i);
    sum.estimated.at(i) = static_cast<std::int64_t>(100 + i);
  }
  const std::vector sums = {sum, UsageSum{}};
  const auto read = read_usage("key", write_usage("key", {}, sums));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, sums);
  EXPECT_FALSE(read_usage("key", "{}"));
  EXPECT_FALSE(read_usage("key", "no"));
}

}  // namespace
}  // namespace sluice
