// SPDX-License-Identifier: MIT
#include "store/usage_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <ranges>
#include <tuple>
#include <unordered_map>

namespace sluice {
namespace {

constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 24 * hour;
constexpr std::int64_t minutes_kept = 2 * day, hours_kept = 92 * day;
constexpr std::int64_t forever = 253'402'300'800'000;  // the year 10000

// From the finest; each begins where one of the next begins.
enum Level : std::uint8_t { by_minute, by_hour, by_day, by_month };
constexpr std::array<const char*, 4> tables = {"sums_minute", "sums_hour", "sums_day", "sums_month"};
constexpr std::array levels = {by_minute, by_hour, by_day, by_month};

// Part of the tables' format.
enum Kind : std::uint8_t { of_all, of_model, of_key, of_group, of_backend, of_tag };

std::int64_t month_of(std::int64_t unix_ms, int months_on) {
  using namespace std::chrono;
  const year_month_day date{floor<days>(sys_time<milliseconds>(milliseconds(unix_ms)))};
  const sys_days first = year_month_day(date.year() / date.month() / 1) + months(months_on);
  return duration_cast<milliseconds>(first.time_since_epoch()).count();
}

std::int64_t start_of(std::int64_t unix_ms, Level level) {
  if (level == by_month) return month_of(unix_ms, 0);
  const std::int64_t step = level == by_minute ? minute : level == by_hour ? hour : day;
  return unix_ms - ((unix_ms % step) + step) % step;
}

std::int64_t next_start(std::int64_t unix_ms, Level level) {
  const std::int64_t start = start_of(unix_ms, level);
  if (start == unix_ms) return start;
  if (level == by_month) return month_of(start, 1);
  return start + (level == by_minute ? minute : level == by_hour ? hour : day);
}

// "requests, calls, …" in their order.
const std::string& sum_names() {
  static const std::string names = [] {
    std::string out = "requests, calls, failed";
    for (const char* of : {"", "estimated_"}) {
      for (std::size_t i = 0; i < disjoint_buckets; ++i) out += fmt::format(", {}{}", of, name(static_cast<Bucket>(i)));
    }
    return out + ", nano_dollars, unpriced";
  }();
  return names;
}

// `form` once per summed column, its name for every {0}.
std::string each_sum(std::string_view form) {
  std::string out;
  for (const auto part : std::views::split(sum_names(), std::string_view(", "))) {
    if (!out.empty()) out += ", ";
    out += fmt::format(fmt::runtime(form), std::string_view(part.begin(), part.end()));
  }
  return out;
}

// Adds a row's worth to its sums.
const std::string& add_statement(Level level) {
  static const auto all = [] {
    std::array<std::string, tables.size()> out;
    std::ranges::transform(tables, out.begin(), [](const char* table) {
      return fmt::format("INSERT INTO {} VALUES(?,?,?, {}) ON CONFLICT DO UPDATE SET {}", table, each_sum("?"),
                         each_sum("{0} = {0} + excluded.{0}"));
    });
    return out;
  }();
  return all.at(level);
}

void add_to(Sums& sums, const Sums& more) {
  std::ranges::transform(sums, more, sums.begin(), std::plus());
}

}  // namespace

std::string usage_sum_tables() {
  std::string sql;
  for (const char* table : tables) {
    sql += fmt::format(
        "CREATE TABLE IF NOT EXISTS {}(kind INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL, {}, "
        "PRIMARY KEY(kind, at, what)) WITHOUT ROWID;",
        table, each_sum("{0} INTEGER NOT NULL"));
  }
  return sql;
}

// --- writing ---------------------------------------------------------------------------------------------------------

void AddedSums::add(Place place, const Sums& counted) {
  add_to(minutes_.try_emplace(std::move(place)).first->second, counted);
}

void AddedSums::add(const LedgerRow& row, const Sums& counted) {
  const std::int64_t at = start_of(row.unix_ms, by_minute);
  add({of_all, at, ""}, counted);
  add({of_model, at, row.model}, counted);
  add({of_key, at, row.key}, counted);
  add({of_group, at, row.groups}, counted);
  add({of_backend, at, row.backend}, counted);
  for (const auto part : std::views::split(row.tags, ',')) {
    if (!part.empty()) add({of_tag, at, std::string(part.begin(), part.end())}, counted);
  }
}

Result<void> AddedSums::write(Sqlite& db) const {
  Cells cells = minutes_;
  for (const Level level : levels) {
    if (level != by_minute) {
      Cells coarser;
      for (const auto& [place, sums] : cells)
        add_to(coarser.try_emplace({place.kind, start_of(place.at, level), place.what}).first->second, sums);
      cells = std::move(coarser);
    }
    for (const auto& [place, sums] : cells) {
      Query query = db.query(add_statement(level));
      query.bind(static_cast<std::int64_t>(place.kind)).bind(place.at).bind(place.what);
      for (const std::int64_t number : sums) query.bind(number);
      TRY_VOID(query.run());
    }
  }
  return {};
}

// A level is cut where one of the next begins, which therefore holds all of it or is not needed.
Result<void> forget_sums(Sqlite& db, std::int64_t before_ms, std::int64_t now_ms) {
  const std::array<std::int64_t, 4> from = {std::max(before_ms, now_ms - minutes_kept),
                                            std::max(before_ms, now_ms - hours_kept), before_ms, before_ms};
  for (const Level level : levels) {
    const Level cut = std::min(static_cast<Level>(level + 1), by_month);
    // By kind, so that the index is used and not every row looked at.
    for (int kind = of_all; kind <= of_tag; ++kind) {
      Query query = db.query(fmt::format("DELETE FROM {} WHERE kind = ? AND at < ?", tables.at(level)));
      TRY_VOID(query.bind(static_cast<std::int64_t>(kind)).bind(start_of(from.at(level), cut)).run());
    }
  }
  return {};
}

// --- reading ---------------------------------------------------------------------------------------------------------

namespace {

struct Range {
  Level level;
  std::int64_t from, to;
};

// All of a time by the coarsest that fit into it, its edges by finer ones.
void cover(Level level, std::int64_t from, std::int64_t to, std::vector<Range>& out) {
  if (from >= to) return;
  if (level == by_minute) return out.push_back({level, from, to});
  const auto finer = static_cast<Level>(level - 1);
  const std::int64_t first = next_start(from, level), last = start_of(to, level);
  if (first >= last) return cover(finer, from, to, out);
  cover(finer, from, first, out);
  out.push_back({level, first, last});
  cover(finer, last, to, out);
}

// Since when a level holds everything.
Result<std::int64_t> complete_since(Sqlite& db, Level level) {
  Query query = db.query(fmt::format("SELECT at FROM {} WHERE kind = ? ORDER BY at LIMIT 1", tables.at(level)));
  const std::int64_t first = query.bind(std::int64_t{of_all}).step() ? query.number(0) : forever;
  TRY_VOID(query.well());
  return start_of(first, static_cast<Level>(level + 1));
}

// What of the sums answers a question. Its edges fall between the finest that are kept.
Result<std::vector<Range>> ranges_of(Sqlite& db, const UsageQuestion& question, Level coarsest) {
  TRY(const std::int64_t minutes, complete_since(db, by_minute));
  TRY(const std::int64_t hours, complete_since(db, by_hour));
  const auto finest = [&](std::int64_t at) { return at >= minutes ? by_minute : at >= hours ? by_hour : by_day; };
  const std::int64_t until = question.until_ms > 0 ? question.until_ms : forever;
  std::vector<Range> out;
  cover(coarsest, start_of(question.since_ms, finest(question.since_ms)), next_start(until, finest(until - 1)), out);
  return out;
}

std::string label(std::int64_t at, Level level) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(start_of(at, level))};
  const year_month_day date{floor<days>(time)};
  std::string of_day = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  if (level == by_day) return of_day;
  const hh_mm_ss of_time{time - floor<days>(time)};
  return fmt::format("{}T{:02}:{:02}Z", of_day, of_time.hours().count(), of_time.minutes().count());
}

UsageSum named(const std::string& what, const Sums& sums) {
  UsageSum out{.what = what};
  const auto* at = sums.begin();
  out.requests = *at++;
  out.calls = *at++;
  out.failed = *at++;
  for (std::int64_t& tokens : out.exact) tokens = *at++;
  for (std::int64_t& tokens : out.estimated) tokens = *at++;
  out.nano_dollars = *at++;
  out.unpriced = *at;
  return out;
}

}  // namespace

Result<std::vector<UsageSum>> read_sums(Sqlite& db, const UsageQuestion& question) {
  using By = UsageQuestion::By;
  Kind kind = of_all;
  Level coarsest = by_month;
  switch (question.by) {
    case By::model: kind = of_model; break;
    case By::key: kind = of_key; break;
    case By::group: kind = of_group; break;
    case By::backend: kind = of_backend; break;
    case By::tag: kind = of_tag; break;
    case By::day: coarsest = by_day; break;
    case By::hour: coarsest = by_hour; break;
    case By::minute: coarsest = by_minute; break;
  }
  TRY(const auto ranges, ranges_of(db, question, coarsest));
  std::unordered_map<std::string, Sums> found;
  for (const Range& range : ranges) {
    Query query = db.query(fmt::format("SELECT at, what, {} FROM {} WHERE kind = ? AND at >= ? AND at < ?", sum_names(),
                                       tables.at(range.level)));
    query.bind(std::int64_t{kind}).bind(range.from).bind(range.to);
    while (query.step()) {
      const std::string what = kind == of_all ? label(query.number(0), coarsest) : query.text(1);
      Sums& sums = found.try_emplace(what).first->second;
      for (std::size_t i = 0; i < sum_columns; ++i) sums.at(i) += query.number(static_cast<int>(i) + 2);
    }
    TRY_VOID(query.well());
  }
  std::vector<UsageSum> out;
  out.reserve(found.size());
  for (const auto& [what, sums] : found) out.push_back(named(what, sums));
  std::ranges::sort(out, [&](const UsageSum& a, const UsageSum& b) {
    if (kind == of_all) return a.what < b.what;
    return std::tie(b.nano_dollars, b.calls, a.what) < std::tie(a.nano_dollars, a.calls, b.what);
  });
  return out;
}

}  // namespace sluice
