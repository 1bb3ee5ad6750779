// SPDX-License-Identifier: MIT
#include "ledger/books.h"

#include <gtest/gtest.h>

#include "ledger/sample_entries_test.h"

namespace sluice {
namespace {

using samples::bytes;

TEST(Books, MakeOneRowOfEachCallAndOneOfTheExchange) {
  Books books;
  std::vector<LedgerRow> rows;
  EXPECT_TRUE(books.take(bytes(samples::intent("r", 1)), 1, rows));
  EXPECT_TRUE(books.take(bytes(samples::intent("r", 2)), 1, rows));
  EXPECT_TRUE(rows.empty());
  EXPECT_TRUE(books.wanted(1));
  EXPECT_TRUE(books.take(samples::settled("r", 2), 2, rows));
  EXPECT_FALSE(books.wanted(1));
  EXPECT_EQ(books.open(), 0U);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].attempt, 1);
  EXPECT_EQ(rows[0].state, RowState::upstream_error);
  EXPECT_EQ(rows[0].fault, "upstream_failed");
  EXPECT_EQ(rows[0].nano_dollars, 0);
  EXPECT_EQ(rows[0].unknown, 0U);
  EXPECT_EQ(rows[1].attempt, 2);
  EXPECT_EQ(rows[1].nano_dollars, 200 * 2'500 + 50 * 10'000);  // 200 x 2.5 $/M + 50 x 10 $/M
  EXPECT_EQ(rows[1].price, "input=2.5 output=10");
  EXPECT_EQ(rows[1].formula_version, formula_version);
  EXPECT_EQ(rows[2].attempt, 0);
  EXPECT_EQ(rows[2].key, "alice");
  EXPECT_EQ(rows[2].model, "gpt-4o");
  EXPECT_EQ(rows[2].nano_dollars, 0);
}

TEST(Books, OfACrashCloseWhatIsOpenByTheLastCheckpoint) {
  Books books;
  std::vector<LedgerRow> rows;
  books.take(bytes(samples::intent("r", 1)), 1, rows);
  Checkpoint failed{.id = "r", .attempt = 1, .outcome = RowState::upstream_error, .status = 503};
  failed.exact.set(Bucket::input, 0);
  books.take(bytes(failed), 1, rows);
  books.take(bytes(samples::intent("r", 2)), 1, rows);
  for (const std::int64_t seen : {10, 25}) {
    Checkpoint running{.id = "r", .attempt = 2, .took_ms = seen * 100};
    running.estimated.set(Bucket::output, seen);
    books.take(bytes(running), 1, rows);
  }
  ASSERT_TRUE(rows.empty());
  books.close_crashed(rows);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].state, RowState::upstream_error);  // it had ended before the crash
  EXPECT_EQ(rows[0].nano_dollars, 0);
  EXPECT_EQ(rows[1].state, RowState::crashed);
  EXPECT_EQ(rows[1].estimated.get(Bucket::input), 100);
  EXPECT_EQ(rows[1].estimated.get(Bucket::output), 25);
  EXPECT_EQ(rows[1].nano_dollars, 100 * 2'500 + 25 * 10'000);
  EXPECT_EQ(rows[2].attempt, 0);
  EXPECT_EQ(rows[2].state, RowState::crashed);
  EXPECT_EQ(rows[2].took_ms, 2'500);
}

TEST(Books, TakeTheInputOfACrashedCallAsItsVendorToldIt) {
  Books books;
  std::vector<LedgerRow> rows;
  books.take(bytes(samples::intent("r", 1)), 1, rows);
  Checkpoint running{.id = "r", .attempt = 1};
  running.exact.set(Bucket::input, 77);
  running.estimated.set(Bucket::output, 5);
  books.take(bytes(running), 1, rows);
  books.close_crashed(rows);
  EXPECT_EQ(rows[0].exact.get(Bucket::input), 77);
  EXPECT_EQ(rows[0].estimated.get(Bucket::input), std::nullopt);
  EXPECT_EQ(rows[0].nano_dollars, 77 * 2'500 + 5 * 10'000);
}

TEST(Books, WantASegmentAsLongAsSomethingOfItIsOpen) {
  Books books;
  std::vector<LedgerRow> rows;
  books.take(bytes(samples::intent("a", 1)), 1, rows);
  books.take(bytes(samples::intent("b", 1)), 1, rows);
  books.take(bytes(samples::intent("b", 2)), 2, rows);
  books.take(samples::settled("a", 1), 2, rows);
  EXPECT_TRUE(books.wanted(1));
  books.take(samples::settled("b", 2), 3, rows);
  EXPECT_FALSE(books.wanted(1));
  EXPECT_FALSE(books.wanted(2));
}

// Were it given up, a crash would know of nothing but the intent.
TEST(Books, WantTheSegmentOfTheLastCheckpointToo) {
  Books books;
  std::vector<LedgerRow> rows;
  books.take(bytes(samples::intent("a", 1)), 1, rows);
  const std::string running = bytes(Checkpoint{.id = "a", .attempt = 1});
  books.take(running, 2, rows);
  EXPECT_TRUE(books.wanted(2));
  books.take(running, 3, rows);
  books.take(running, 3, rows);
  EXPECT_TRUE(books.wanted(1));
  EXPECT_FALSE(books.wanted(2));
  EXPECT_TRUE(books.wanted(3));
  books.take(samples::settled("a", 1), 4, rows);
  EXPECT_FALSE(books.wanted(1));
  EXPECT_FALSE(books.wanted(3));
}

TEST(Books, CloseAnExchangeByTheLastPartOfItsSettlement) {
  Books books;
  std::vector<LedgerRow> rows;
  for (int i = 1; i <= 3; ++i) books.take(bytes(samples::intent("r", i)), 1, rows);
  const auto part = [&](const std::vector<CallLine>& lines, bool more) {
    Settlement settlement = samples::settlement("r", static_cast<std::uint32_t>(lines.size()));
    settlement.more = more;
    std::string out = bytes(settlement);
    for (const CallLine& line : lines) out += bytes(line);
    EXPECT_TRUE(books.take(out, 1, rows));
  };
  CallLine answered = samples::call(2, RowState::complete);
  answered.callee.model = "the-one-that-answered";
  part({samples::call(1, RowState::upstream_error), answered}, true);
  EXPECT_EQ(rows.size(), 2U);
  EXPECT_EQ(books.open(), 1U);
  part({samples::call(3, RowState::cancelled)}, false);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(books.open(), 0U);
  EXPECT_EQ(rows[3].attempt, 0);
  EXPECT_EQ(rows[3].model, "the-one-that-answered");
}

TEST(Books, SayThatATextIsLostAndKeepTheRest) {
  Books books;
  std::vector<LedgerRow> rows;
  const std::string endless(most_entry_text + 1, 'a');
  Settlement settlement = samples::settlement("r", 1);
  CallLine line = samples::call(1, RowState::complete);
  line.callee.price = endless;
  EXPECT_FALSE(books.take(bytes(settlement) + bytes(line), 1, rows));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].price, "");
  EXPECT_NE(rows[0].unknown, 0U);
  EXPECT_EQ(rows[0].exact.get(Bucket::output), 50);
}

TEST(Pricer, SaysUnknownWhereAPriceOrACountIs) {
  Pricer pricer;
  LedgerRow row;
  row.exact.set(Bucket::input, 10);
  pricer.price(row);
  EXPECT_NE(row.unknown, 0U);  // no price
  row.price = "input=2.5 output=10";
  pricer.price(row);
  EXPECT_EQ(row.nano_dollars, 25'000);
  LedgerRow silent;
  silent.price = row.price;
  pricer.price(silent);
  EXPECT_NE(silent.unknown, 0U);  // no count
  LedgerRow half;
  half.price = row.price;
  half.exact.set(Bucket::input, 0);
  pricer.price(half);
  EXPECT_NE(half.unknown, 0U);  // no count of its output
  LedgerRow nothing;
  nothing.exact.set(Bucket::input, 0);
  nothing.exact.set(Bucket::output, 0);
  pricer.price(nothing);
  EXPECT_EQ(nothing.unknown, 0U);
}

// Whatever a vendor says: nothing is negative, and the disjoint buckets are the totals.
TEST(Buckets, AddUpToTheTotalsAndAreNeverNegative) {
  for (std::int64_t seed = 0; seed < 2'000; ++seed) {
    const auto pick = [&](std::int64_t salt) -> std::optional<std::int64_t> {
      const std::int64_t x = (seed * 7919 + salt * 104'729) % 1'009;
      return x % 5 == 0 ? std::nullopt : std::optional(x % 7 == 0 ? -x : x * x);
    };
    const Usage usage{.input = pick(1),
                      .cache_read = pick(2),
                      .cache_write_5m = pick(3),
                      .cache_write_1h = pick(4),
                      .tool_input = pick(5),
                      .output = pick(6),
                      .reasoning = pick(7)};
    const Buckets buckets(usage, {});
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < disjoint_buckets; ++i) {
      const auto count = buckets.get(static_cast<Bucket>(i));
      EXPECT_GE(count.value_or(0), 0);
      sum += count.value_or(0);
    }
    EXPECT_EQ(sum, buckets.total_input() + buckets.total_output());
    EXPECT_EQ(Buckets(buckets.usage(), buckets.units()), buckets);
  }
}

}  // namespace
}  // namespace sluice
