// SPDX-License-Identifier: MIT
#include "dialects/model_page.h"

#include <gtest/gtest.h>

#include "dialects/registry.h"

namespace sluice {
namespace {

constexpr PageWords both = {.size = "limit", .after = "after_id", .before = "before_id"};

std::vector<ModelRow> rows_of(std::size_t count) {
  std::vector<ModelRow> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({.id = "org/m " + std::to_string(i)});
  return out;
}

std::string page(std::span<const ModelRow> rows, std::string_view query, const PageWords& words = both) {
  const auto got = model_page(rows, words, query);
  if (!got) return "refused: " + got.error()->param;
  std::string out;
  for (const ModelRow& row : got->rows) out += row.id.substr(6) + ' ';
  return out + (got->more ? "more" : "end");
}

TEST(ModelPage, IsWhatWasAskedFor) {
  const auto rows = rows_of(5);
  EXPECT_EQ(page(rows, ""), "0 1 2 3 4 end");
  EXPECT_EQ(page(rows, "limit=2"), "0 1 more");
  EXPECT_EQ(page(rows, "x=1&limit=2&after_id=org%2Fm+1"), "2 3 more");
  EXPECT_EQ(page(rows, "limit=2&after_id=org/m%202"), "3 4 end");
  EXPECT_EQ(page(rows, "after_id=org/m%204"), "end");
  EXPECT_EQ(page(rows, "limit=2&before_id=org/m%204"), "2 3 more");
  EXPECT_EQ(page(rows, "limit=2&before_id=org/m%202"), "0 1 end");
  EXPECT_EQ(page(rows, "before_id=org/m%200"), "end");
  EXPECT_EQ(page(rows, "limit=&after_id=&before_id="), "0 1 2 3 4 end");
  EXPECT_EQ(page({}, "limit=1"), "end");
  EXPECT_EQ(page(rows, "limit=2", {}), "0 1 2 3 4 end");
  const auto lots = rows_of(1001);
  EXPECT_EQ(model_page(lots, both, "limit=5000")->rows.size(), 1000u);
  EXPECT_EQ(model_page(lots, both, "")->rows.size(), 1000u);
  for (const char* bad : {"limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=99999999999999999999", "limit=%zz"})
    EXPECT_EQ(page(rows, bad), "refused: limit") << bad;
  EXPECT_EQ(page(rows, "after_id=gone"), "refused: after_id");
  EXPECT_EQ(page(rows, "before_id=gone"), "refused: before_id");
  EXPECT_EQ(page(rows, "after_id=a&before_id=b"), "refused: before_id");
}

// Whatever its length, all pages together are the list.
TEST(ModelPage, TurnedToTheEndGivesEveryModelOnce) {
  const auto rows = rows_of(7);
  for (const Dialect* dialect : dialects()) {
    const PageWords words = dialect->page_words();
    if (words.size.empty()) continue;
    for (std::size_t size = 1; size <= rows.size() + 1; ++size) {
      std::string seen, query, next;
      do {
        query = std::string(words.size) + '=' + std::to_string(size);
        if (!next.empty()) query += '&' + std::string(words.after) + '=' + next;
        const auto got = model_page(rows, words, query);
        ASSERT_TRUE(got);
        ASSERT_LE(got->rows.size(), size);
        for (const ModelRow& row : got->rows) seen += row.id.substr(6);
        next = got->rows.back().id;
        const std::string body = dialect->write_models(*got, false);
        EXPECT_EQ(body.contains("\"has_more\":true") || body.contains("age_token\"") || body.contains("nextPageToken"),
                  got->more)
            << body;
        if (!got->more) break;
      } while (seen.size() <= rows.size());
      EXPECT_EQ(seen, "0123456") << size;
    }
  }
}

}  // namespace
}  // namespace sluice
