// SPDX-License-Identifier: MIT
#include "store/sqlite_ledger.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/scratch_test.h"

namespace sluice {
namespace {

constexpr std::int64_t hour = 3'600'000, day = 24 * hour;
constexpr std::int64_t noon = 1'793'016'000'000 / day * day + 12 * hour;

class LedgerFile : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.path() + "/ledger.db"; }
  [[nodiscard]] std::unique_ptr<SqliteLedger> open() const {
    auto opened = SqliteLedger::open(path(), false);
    EXPECT_TRUE(opened) << opened.error()->detail;
    return std::move(*opened);
  }
  std::size_t write(const std::vector<LedgerRow>& rows) const {
    const auto written = store->write(rows);
    EXPECT_TRUE(written) << written.error()->detail;
    return written.value_or(0);
  }
  std::vector<UsageSum> usage(UsageQuestion::By by, std::int64_t since = 0, std::int64_t until = 0) const {
    auto told = store->usage({.by = by, .since_ms = since, .until_ms = until});
    EXPECT_TRUE(told) << told.error()->detail;
    return told.value_or(std::vector<UsageSum>());
  }

 private:
  const Scratch folder_;

 protected:
  std::unique_ptr<SqliteLedger> store = open();
};

LedgerRow call(const std::string& id, std::int64_t at = noon, const std::string& key = "alice") {
  LedgerRow row{.id = id, .attempt = 1, .unix_ms = at, .key = key, .groups = "acme/research", .tags = "a,b"};
  row.asked = "smart";
  row.model = "gpt-4o";
  row.backend = "openai";
  row.price = "input=2.5 output=10";
  row.formula_version = 1;
  row.exact.set(Bucket::input, 100);
  row.exact.set(Bucket::cache_read, 0);
  row.estimated.set(Bucket::output, 10);
  row.nano_dollars = 350'000;
  return row;
}

LedgerRow whole(const LedgerRow& of, RowState state = RowState::complete) {
  LedgerRow row = of;
  row.attempt = 0;
  row.state = state;
  row.exact = row.estimated = Buckets();
  row.nano_dollars = 0;
  row.price.clear();
  return row;
}

std::vector<LedgerRow> exchange(const std::string& id, std::int64_t at = noon, const std::string& key = "alice") {
  return {call(id, at, key), whole(call(id, at, key))};
}

TEST_F(LedgerFile, CountsARowOnceHoweverOftenItComes) {
  EXPECT_EQ(write(exchange("r1")), 2U);
  EXPECT_EQ(write(exchange("r1")), 0U);
  store = open();
  EXPECT_EQ(write(exchange("r1")), 0U);
  EXPECT_EQ(write(exchange("r2")), 2U);
  const auto sums = usage(UsageQuestion::By::model);
  ASSERT_EQ(sums.size(), 1U);
  EXPECT_EQ(sums[0].what, "gpt-4o");
  EXPECT_EQ(sums[0].requests, 2);
  EXPECT_EQ(sums[0].calls, 2);
  EXPECT_EQ(sums[0].failed, 0);
  EXPECT_EQ(sums[0].exact[static_cast<std::size_t>(Bucket::input)], 200);
  EXPECT_EQ(sums[0].estimated[static_cast<std::size_t>(Bucket::output)], 20);
  EXPECT_EQ(sums[0].nano_dollars, 700'000);
}

TEST_F(LedgerFile, GivesBackACallAsItWasWritten) {
  LedgerRow row = call("r1");
  row.mirror_of = "r0";
  row.served = "gpt-4o-2024";
  row.dialect = "anthropic";
  row.operation = "chat";
  row.lane = "priority";
  row.state = RowState::partial;
  row.stream = row.hedge = row.mirror = true;
  row.status = 200;
  row.fault = "client_gone";
  row.took_ms = 7;
  row.first_token_ms = 3;
  row.bytes_in = 8;
  row.bytes_out = 9;
  row.unknown = 5;
  write({row, whole(row)});
  std::vector<LedgerRow> read;
  ASSERT_TRUE(store->calls(noon - 1, [&](const LedgerRow& one) { read.push_back(one); }));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0], row);
  ASSERT_TRUE(store->calls(noon + 1, [&](const LedgerRow& one) { read.push_back(one); }));
  EXPECT_EQ(read.size(), 1U);
}

TEST_F(LedgerFile, KnowsWhatWasSettled) {
  const auto settled = [&](const std::string& id, std::int64_t at) {
    const auto told = store->settled(at, id);
    EXPECT_TRUE(told);
    return told.value_or(false);
  };
  EXPECT_FALSE(settled("r1", noon));  // no table yet
  write(exchange("r1"));
  write({call("r2"), whole(call("r3"), RowState::crashed)});
  EXPECT_TRUE(settled("r1", noon));
  EXPECT_FALSE(settled("r1", noon + 1));
  EXPECT_FALSE(settled("r2", noon));
  EXPECT_FALSE(settled("r3", noon));
}

TEST_F(LedgerFile, AddsOnlyTheDifferenceOfARevision) {
  write(exchange("r1"));
  LedgerRow again = call("r1");
  again.revision = 1;
  again.nano_dollars = 150'000;
  again.price = "input=1 output=5";
  EXPECT_EQ(write({again}), 1U);
  EXPECT_EQ(write({again}), 0U);
  again.revision = 2;
  again.nano_dollars = 200'000;
  write({again});
  const auto sums = usage(UsageQuestion::By::model);
  EXPECT_EQ(sums[0].nano_dollars, 200'000);
  EXPECT_EQ(sums[0].calls, 1);
  std::vector<LedgerRow> read;
  ASSERT_TRUE(store->calls(0, [&](const LedgerRow& one) { read.push_back(one); }));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].revision, 2);
}

TEST_F(LedgerFile, SumsByWhateverIsAskedFor) {
  write(exchange("r1", noon, "alice"));
  write(exchange("r2", noon + hour, "bob"));
  LedgerRow failed = call("r3", noon + day, "bob");
  failed.unknown = 1;
  write({failed, whole(failed, RowState::cancelled)});
  using By = UsageQuestion::By;
  EXPECT_EQ(usage(By::key).size(), 2U);
  EXPECT_EQ(usage(By::key)[0].what, "bob");
  EXPECT_EQ(usage(By::key)[0].unpriced, 1);
  EXPECT_EQ(usage(By::key)[0].failed, 1);
  EXPECT_EQ(usage(By::group)[0].what, "acme/research");
  EXPECT_EQ(usage(By::backend)[0].calls, 3);
  EXPECT_EQ(usage(By::day).size(), 2U);
  EXPECT_LT(usage(By::day)[0].what, usage(By::day)[1].what);
  EXPECT_EQ(usage(By::hour).size(), 3U);
  EXPECT_EQ(usage(By::tag).size(), 2U);
  EXPECT_EQ(usage(By::tag)[0].calls, 3);
  // Every way of asking adds up to the same.
  for (const By by : {By::model, By::key, By::group, By::backend, By::day, By::hour}) {
    std::int64_t cost = 0;
    for (const UsageSum& sum : usage(by)) cost += sum.nano_dollars;
    EXPECT_EQ(cost, 3 * 350'000);
  }
}

TEST_F(LedgerFile, TakesWholeHoursOfTheTimeThatIsAskedFor) {
  for (int i = 0; i < 96; ++i) write(exchange("r" + std::to_string(i), noon + i * hour));
  using By = UsageQuestion::By;
  for (const auto& [from, to] : {std::pair(0, 96), {1, 95}, {3, 5}, {11, 13}, {12, 36}, {5, 60}}) {
    const auto sums = usage(By::model, noon + from * hour, noon + to * hour);
    ASSERT_EQ(sums.size(), 1U);
    EXPECT_EQ(sums[0].calls, to - from) << from << " to " << to;
    EXPECT_EQ(usage(By::hour, noon + from * hour, noon + to * hour).size(), static_cast<std::size_t>(to - from));
  }
}

TEST_F(LedgerFile, ForgetsWholeMonthsAndFineSumsSooner) {
  const std::int64_t old = noon - 100 * day;
  write(exchange("old", old));
  write(exchange("new", noon));
  ASSERT_TRUE(store->forget(noon - 400 * day, noon));
  EXPECT_EQ(usage(UsageQuestion::By::hour).size(), 1U);
  EXPECT_EQ(usage(UsageQuestion::By::day).size(), 2U);
  ASSERT_TRUE(store->forget(noon - 50 * day, noon));
  EXPECT_EQ(usage(UsageQuestion::By::day).size(), 1U);
  std::vector<LedgerRow> read;
  ASSERT_TRUE(store->calls(0, [&](const LedgerRow& one) { read.push_back(one); }));
  EXPECT_EQ(read.size(), 1U);
  EXPECT_EQ(write(exchange("again", old)), 2U);  // a month that comes again has a table again
}

TEST_F(LedgerFile, LeavesNothingOfAWriteThatFailed) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other,
                         "CREATE TRIGGER no BEFORE INSERT ON sums_day WHEN new.key = 'bad' "
                         "BEGIN SELECT RAISE(ABORT, 'no'); END",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  auto rows = exchange("r1");
  const auto bad = exchange("r2", noon, "bad");
  rows.insert(rows.end(), bad.begin(), bad.end());
  EXPECT_FALSE(store->write(rows));
  EXPECT_TRUE(usage(UsageQuestion::By::model).empty());
  EXPECT_EQ(write(exchange("r1")), 2U);
}

TEST_F(LedgerFile, OfANewerVersionIsNotTouched) {
  store.reset();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_FALSE(SqliteLedger::open(path(), true));
}

}  // namespace
}  // namespace sluice
