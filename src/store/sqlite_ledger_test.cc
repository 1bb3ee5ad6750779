// SPDX-License-Identifier: MIT
#include "store/sqlite_ledger.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <map>
#include <span>

#include "base/scratch_test.h"
#include "store/many_rows_test.h"

namespace sluice {
namespace {

constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 24 * hour;
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

TEST_F(LedgerFile, CountsWholeMinutesAsLongAsTheseAreKept) {
  for (int i = 0; i < 180; ++i) write(exchange("r" + std::to_string(i), noon + i * minute));
  using By = UsageQuestion::By;
  for (const auto& [from, to] : {std::pair(0, 180), {1, 2}, {59, 61}, {30, 150}, {60, 120}}) {
    const auto sums = usage(By::minute, noon + from * minute + 7, noon + to * minute - 7);
    EXPECT_EQ(sums.size(), static_cast<std::size_t>(to - from));
    EXPECT_EQ(usage(By::key, noon + from * minute + 7, noon + to * minute - 7)[0].calls, to - from);
  }
  EXPECT_TRUE(usage(By::minute)[61].what.ends_with("T13:01Z"));
}

// Where the hours of a day are gone, the day counts whole, also when that is the last one asked for.
TEST_F(LedgerFile, CountsTheWholeDayWhereItsHoursAreForgotten) {
  write(exchange("r1", noon));
  write(exchange("r2", noon + day));
  using By = UsageQuestion::By;
  ASSERT_TRUE(store->forget(0, noon + 200 * day));
  EXPECT_TRUE(usage(By::hour).empty());
  EXPECT_EQ(usage(By::key)[0].calls, 2);
  EXPECT_EQ(usage(By::key, noon + day - 2 * hour, noon + day + hour)[0].calls, 1);
  EXPECT_EQ(usage(By::key, noon - hour, noon + day - hour)[0].calls, 2);
}

// The one law of sums: they are what the rows of that time add up to, however it is asked and whatever is forgotten.
class ManyYears : public LedgerFile {
 protected:
  static constexpr std::int64_t to = noon + 10 * hour + 17 * minute, from = to - 400 * day;
  void SetUp() override {
    ManyRows source({.exchanges = 2'000, .from_ms = from, .to_ms = to, .keys = 5, .groups = 2, .models = 3, .tags = 3});
    while (source.next(rows_)) {
    }
    // The last days hold as many, so that there is something to be told apart.
    std::vector<LedgerRow> late;
    ManyRows more({.exchanges = 2'000, .from_ms = to - 3 * day, .to_ms = to, .keys = 5, .groups = 2, .models = 3});
    while (more.next(late)) {
    }
    for (LedgerRow& row : late) {
      row.id += "-late";
      rows_.push_back(std::move(row));
    }
    for (std::size_t at = 0; at < rows_.size(); at += 500) {
      const auto some = std::span(rows_).subspan(at, std::min<std::size_t>(500, rows_.size() - at));
      ASSERT_TRUE(store->write(some));
    }
  }
  struct Kept {
    std::int64_t minutes = 0, hours = 0, days = 0;  // since when
  };
  using By = UsageQuestion::By;
  static constexpr std::array all = {By::model, By::key, By::group, By::backend,
                                     By::tag,   By::day, By::hour,  By::minute};
  void expect_the_law(const Kept& kept) const {
    for (const std::int64_t since : {from - day, from + 100 * day + 5 * hour, to - 93 * day + hour, to - 40 * day + 1,
                                     to - 2 * day - 90 * minute, to - 50 * minute}) {
      for (const std::int64_t until : {from + 120 * day + 3 * hour, to - 60 * day - minute, to - day, to + minute}) {
        for (const By by : all) {
          if (since >= until) continue;
          EXPECT_EQ(usage(by, since, until), added_up(kept, by, since, until))
              << "by " << static_cast<int>(by) << " since " << since << " until " << until;
        }
      }
    }
  }
  std::vector<LedgerRow> rows_;

 private:
  static std::int64_t down(std::int64_t at, std::int64_t step) { return at / step * step; }
  static std::int64_t step(const Kept& kept, std::int64_t at) {
    return at >= kept.minutes ? minute : at >= kept.hours ? hour : day;
  }
  static std::string time(std::int64_t at, const char* form) {
    const std::time_t seconds = at / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> out{};
    return {out.data(), std::strftime(out.data(), out.size(), form, &parts)};
  }
  static std::vector<std::string> what(const LedgerRow& row, By by) {
    switch (by) {
      case By::model: return {row.model};
      case By::key: return {row.key};
      case By::group: return {row.groups};
      case By::backend: return {row.backend};
      case By::day: return {time(row.unix_ms, "%Y-%m-%d")};
      case By::hour: return {time(row.unix_ms, "%Y-%m-%dT%H:00Z")};
      case By::minute: return {time(row.unix_ms, "%Y-%m-%dT%H:%MZ")};
      case By::tag: break;
    }
    const std::size_t comma = row.tags.find(',');
    if (row.tags.empty()) return {};
    if (comma == std::string::npos) return {row.tags};
    return {row.tags.substr(0, comma), row.tags.substr(comma + 1)};
  }
  [[nodiscard]] std::vector<UsageSum> added_up(const Kept& kept, By by, std::int64_t since, std::int64_t until) const {
    std::int64_t first = std::max(down(since, step(kept, since)), kept.days);
    if (by == By::hour) first = std::max(first, kept.hours);
    if (by == By::minute) first = std::max(first, kept.minutes);
    const std::int64_t last = down(until - 1, step(kept, until - 1)) + step(kept, until - 1);
    std::map<std::string, UsageSum> sums;
    for (const LedgerRow& row : rows_) {
      if (row.unix_ms < first || row.unix_ms >= last) continue;
      for (const std::string& word : what(row, by)) {
        UsageSum& sum = sums[word];
        sum.what = word;
        if (row.attempt == 0) {
          ++sum.requests;
          sum.failed += row.state == RowState::complete ? 0 : 1;
          continue;
        }
        ++sum.calls;
        for (std::size_t i = 0; i < disjoint_buckets; ++i) {
          sum.exact.at(i) += row.exact.get(static_cast<Bucket>(i)).value_or(0);
          sum.estimated.at(i) += row.estimated.get(static_cast<Bucket>(i)).value_or(0);
        }
        sum.nano_dollars += row.nano_dollars;
        sum.unpriced += row.unknown != 0 ? 1 : 0;
      }
    }
    std::vector<UsageSum> out;
    out.reserve(sums.size());
    for (auto& [word, sum] : sums) out.push_back(std::move(sum));
    if (by != By::day && by != By::hour && by != By::minute) {
      std::ranges::stable_sort(out, [](const UsageSum& a, const UsageSum& b) {
        return std::pair(b.nano_dollars, b.calls) < std::pair(a.nano_dollars, a.calls);
      });
    }
    return out;
  }
};

TEST_F(ManyYears, AreSummedExactly) {
  expect_the_law({});
}

TEST_F(ManyYears, AreSummedExactlyAfterSomeOfItIsForgotten) {
  ASSERT_TRUE(store->forget(0, to));
  Kept kept{.minutes = (to - 2 * day) / hour * hour, .hours = (to - 92 * day) / day * day};
  expect_the_law(kept);
  ASSERT_TRUE(store->forget(to - 350 * day, to));
  using namespace std::chrono;
  const year_month_day date{floor<days>(sys_time<milliseconds>(milliseconds(to - 350 * day)))};
  kept.days = duration_cast<milliseconds>(sys_days(date.year() / date.month() / 1).time_since_epoch()).count();
  expect_the_law(kept);
}

TEST_F(ManyYears, AreReportedWithoutALookAtARow) {
  const auto ask = [&] {
    std::vector<std::vector<UsageSum>> out;
    out.reserve(std::size(all));
    for (const By by : all) out.push_back(usage(by, from + 3 * hour, to - 5 * minute));
    return out;
  };
  const auto before = ask();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  std::string drop;
  const auto name = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += std::string("DROP TABLE ") + values[0] + ';';
    return 0;
  };
  ASSERT_EQ(sqlite3_exec(other, "SELECT name FROM sqlite_master WHERE name GLOB 'rows_*' AND type = 'table'", name,
                         &drop, nullptr),
            SQLITE_OK);
  EXPECT_NE(drop, "");
  ASSERT_EQ(sqlite3_exec(other, drop.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(ask(), before);
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
                         "CREATE TRIGGER no BEFORE INSERT ON sums_day WHEN new.what = 'bad' "
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
