// SPDX-License-Identifier: MIT
#include "store/sqlite_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <tuple>

namespace sluice {
namespace {

constexpr std::int64_t version = 1;  // of the tables

std::string bucket_columns(std::string_view form) {
  std::string out;
  for (const char* of : {"", "estimated_"}) {
    for (std::size_t i = 0; i < bucket_count; ++i)
      out += fmt::format(fmt::runtime(form), fmt::format("{}{}", of, name(static_cast<Bucket>(i))));
  }
  return out;
}

// A name holds its beginning first: rows that come at the same time stand beside each other.
std::string month_schema(std::string_view table) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {}(began_ms INTEGER NOT NULL, id TEXT NOT NULL, attempt INTEGER NOT NULL, "
      "revision INTEGER NOT NULL, mirror_of TEXT, key TEXT, groups TEXT, tags TEXT, asked TEXT, model TEXT, "
      "served TEXT, backend TEXT, dialect TEXT, operation TEXT, lane TEXT, state TEXT, stream INTEGER, hedge INTEGER, "
      "mirror INTEGER, coalesced INTEGER, status INTEGER, fault TEXT, took_ms INTEGER, first_token_ms INTEGER, "
      "bytes_in INTEGER, bytes_out INTEGER, {} nano_dollars INTEGER NOT NULL, unknown INTEGER NOT NULL, "
      "price INTEGER NOT NULL, formula_version INTEGER NOT NULL, "
      "PRIMARY KEY(began_ms, id, attempt, revision)) WITHOUT ROWID",
      table, bucket_columns("{0} INTEGER, "));
}

// The month of a time, in UTC: 202611.
int month_of(std::int64_t unix_ms) {
  using namespace std::chrono;
  const year_month_day date{floor<days>(sys_time<milliseconds>(milliseconds(unix_ms)))};
  return static_cast<int>(date.year()) * 100 + static_cast<int>(static_cast<unsigned>(date.month()));
}

// "rows_202611"
std::string table_of(std::int64_t unix_ms) {
  return fmt::format("rows_{:06}", month_of(unix_ms));
}

std::string insert_statement(std::string_view table) {
  std::string places = "?";
  for (std::size_t i = 1; i < 30 + 2 * bucket_count; ++i) places += ",?";
  return fmt::format("INSERT INTO {} VALUES({}) ON CONFLICT DO NOTHING", table, places);
}

RowState state_of(std::string_view text) {
  for (int i = 0; i < row_state_count; ++i) {
    if (name(static_cast<RowState>(i)) == text) return static_cast<RowState>(i);
  }
  return RowState::crashed;
}

}  // namespace

Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(const std::string& path, bool power_safe) {
  TRY(auto db, Sqlite::open(path));
  std::unique_ptr<SqliteLedger> out(new SqliteLedger(std::move(db)));
  TRY_VOID(out->db_->run("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 16777216;"));
  TRY_VOID(out->db_->run(power_safe ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
  TRY_VOID(out->migrate(path));
  return out;
}

Result<void> SqliteLedger::migrate(const std::string& path) {
  std::int64_t found = 0;
  {
    Query query = db_->query("PRAGMA user_version");
    if (query.step()) found = query.number(0);
    TRY_VOID(query.well());
  }
  if (found > version) {
    return fail(Fault::internal, "The ledger was written by a newer version of this program.",
                path + ": version " + std::to_string(found));
  }
  if (found == version) return {};
  std::string sql = "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS prices(id INTEGER PRIMARY KEY, text TEXT UNIQUE);";
  sql += usage_sum_tables();
  sql += fmt::format("PRAGMA user_version = {}; COMMIT;", version);
  auto made = db_->run(sql.c_str());
  if (!made) TRY_VOID(db_->roll_back());
  return made;
}

// --- writing ---------------------------------------------------------------------------------------------------------

Result<std::size_t> SqliteLedger::write(std::span<const LedgerRow> rows) {
  TRY_VOID(db_->roll_back());  // of one before that could not be ended
  TRY_VOID(db_->run("BEGIN IMMEDIATE"));
  auto written = write_all(rows);
  if (written) {
    if (auto done = db_->run("COMMIT"); !done) written = std::unexpected(std::move(done).error());
  }
  if (!written) {
    // What the transaction made is gone with it.
    prices_.clear();
    months_.clear();
    std::ignore = db_->roll_back();  // the next transaction tries it again
  }
  return written;
}

Result<std::size_t> SqliteLedger::write_all(std::span<const LedgerRow> rows) {
  AddedSums sums;
  std::size_t fresh = 0;
  for (const LedgerRow& row : rows) {
    TRY(const bool is_new, insert(row));
    if (!is_new) continue;
    ++fresh;
    TRY(const auto told, counted(row));
    if (told) sums.add(row, *told);
  }
  TRY_VOID(sums.write(*db_));
  return fresh;
}

Result<const SqliteLedger::Month*> SqliteLedger::month(std::int64_t unix_ms) {
  const int month = month_of(unix_ms);
  if (const auto found = months_.find(month); found != months_.end()) return &found->second;
  const std::string table = table_of(unix_ms);
  TRY_VOID(db_->run(month_schema(table).c_str()));
  return &months_.emplace(month, Month{.table = table, .insert = insert_statement(table)}).first->second;
}

Result<std::int64_t> SqliteLedger::price_id(const std::string& text) {
  if (const auto found = prices_.find(text); found != prices_.end()) return found->second;
  {
    Query add = db_->query("INSERT INTO prices(text) VALUES(?) ON CONFLICT DO NOTHING");
    TRY_VOID(add.bind(text).run());
  }
  Query find = db_->query("SELECT id FROM prices WHERE text = ?");
  const std::int64_t id = find.bind(text).step() ? find.number(0) : 0;
  TRY_VOID(find.well());
  return prices_[text] = id;
}

Result<bool> SqliteLedger::insert(const LedgerRow& row) {
  TRY(const Month* const month, this->month(row.unix_ms));
  TRY(const std::int64_t price, price_id(row.price));
  Query query = db_->query(month->insert);
  const std::string_view state = name(row.state);
  query.bind(row.unix_ms).bind(row.id).bind(row.attempt).bind(row.revision);
  for (const std::string* text : {&row.mirror_of, &row.key, &row.groups, &row.tags, &row.asked, &row.model, &row.served,
                                  &row.backend, &row.dialect, &row.operation, &row.lane})
    query.bind(*text);
  query.bind(state);
  for (const bool flag : {row.stream, row.hedge, row.mirror, row.coalesced})
    query.bind(static_cast<std::int64_t>(flag ? 1 : 0));
  query.bind(static_cast<std::int64_t>(row.status)).bind(row.fault).bind(row.took_ms);
  query.bind_known(row.first_token_ms < 0 ? std::nullopt : std::optional(row.first_token_ms));
  query.bind(static_cast<std::int64_t>(row.bytes_in)).bind(static_cast<std::int64_t>(row.bytes_out));
  for (const Buckets* buckets : {&row.exact, &row.estimated}) {
    for (std::size_t i = 0; i < bucket_count; ++i) query.bind_known(buckets->get(static_cast<Bucket>(i)));
  }
  query.bind(row.nano_dollars).bind(static_cast<std::int64_t>(row.unknown)).bind(price);
  query.bind(static_cast<std::int64_t>(row.formula_version));
  TRY_VOID(query.run());
  return db_->changed() > 0;
}

// What a new row adds to the sums; a revision only the difference. Nothing where that is nothing.
Result<std::optional<Sums>> SqliteLedger::counted(const LedgerRow& row) {
  Sums out{};
  std::int64_t& cost = out[sum_columns - 2];
  std::int64_t& unpriced = out[sum_columns - 1];
  if (row.attempt == 0) {
    out[0] = row.mirror ? 0 : 1;
    out[2] = row.mirror || row.state == RowState::complete ? 0 : 1;
    return out;
  }
  cost = row.nano_dollars;
  unpriced = row.unknown != 0 ? 1 : 0;
  if (row.revision > 0) {
    Query before = db_->query("SELECT nano_dollars, unknown FROM " + table_of(row.unix_ms) +
                              " WHERE began_ms = ? AND id = ? AND attempt = ? AND revision < ? "
                              "ORDER BY revision DESC LIMIT 1");
    if (before.bind(row.unix_ms).bind(row.id).bind(row.attempt).bind(row.revision).step()) {
      cost -= before.number(0);
      unpriced -= before.number(1) != 0 ? 1 : 0;
    }
    TRY_VOID(before.well());
    return out;
  }
  out[1] = 1;
  for (std::size_t i = 0; i < disjoint_buckets; ++i) {
    out.at(3 + i) = row.exact.get(static_cast<Bucket>(i)).value_or(0);
    out.at(3 + disjoint_buckets + i) = row.estimated.get(static_cast<Bucket>(i)).value_or(0);
  }
  return out;
}

Result<bool> SqliteLedger::settled(std::int64_t unix_ms, std::string_view id) {
  const std::string table = table_of(unix_ms);
  TRY(const auto tables, month_tables());
  if (std::ranges::find(tables, table) == tables.end()) return false;
  Query query =
      db_->query("SELECT 1 FROM " + table + " WHERE began_ms = ? AND id = ? AND attempt = 0 AND state <> 'crashed'");
  const bool found = query.bind(unix_ms).bind(id).step();
  TRY_VOID(query.well());
  return found;
}

// --- forgetting ------------------------------------------------------------------------------------------------------

Result<std::vector<std::string>> SqliteLedger::month_tables() {
  std::vector<std::string> out;
  Query query =
      db_->query("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'rows_[0-9]*' ORDER BY name");
  while (query.step()) out.push_back(query.text(0));
  TRY_VOID(query.well());
  return out;
}

Result<void> SqliteLedger::forget(std::int64_t before_ms, std::int64_t now_ms) {
  const std::string first = table_of(before_ms);
  TRY(const auto tables, month_tables());
  for (const std::string& table : tables) {
    if (table >= first) continue;
    months_.clear();
    TRY_VOID(db_->run(("DROP TABLE " + table).c_str()));
  }
  return forget_sums(*db_, before_ms, now_ms);
}

// --- reading ---------------------------------------------------------------------------------------------------------

Result<std::vector<UsageSum>> SqliteLedger::usage(const UsageQuestion& question) {
  TRY_VOID(db_->roll_back());
  TRY_VOID(db_->run("BEGIN"));  // all of it at one moment
  auto sums = read_sums(*db_, question);
  TRY_VOID(db_->roll_back());
  return sums;
}

Result<void> SqliteLedger::calls(std::int64_t since_ms, const std::function<void(const LedgerRow&)>& row) {
  TRY(const auto tables, month_tables());
  for (const std::string& table : tables) {
    if (table < table_of(since_ms)) continue;
    Query query = db_->query("SELECT r.*, p.text FROM " + table +
                             " r JOIN prices p ON p.id = r.price "
                             "WHERE began_ms >= ? AND attempt > 0 AND NOT EXISTS (SELECT 1 FROM " +
                             table +
                             " n WHERE n.began_ms = r.began_ms AND n.id = r.id AND n.attempt = r.attempt "
                             "AND n.revision > r.revision)");
    query.bind(since_ms);
    while (query.step()) {
      LedgerRow out;
      int column = 0;
      out.unix_ms = query.number(column++);
      out.id = query.text(column++);
      out.attempt = query.number(column++);
      out.revision = query.number(column++);
      for (std::string* text : {&out.mirror_of, &out.key, &out.groups, &out.tags, &out.asked, &out.model, &out.served,
                                &out.backend, &out.dialect, &out.operation, &out.lane})
        *text = query.text(column++);
      out.state = state_of(query.text(column++));
      for (bool* flag : {&out.stream, &out.hedge, &out.mirror, &out.coalesced}) *flag = query.number(column++) != 0;
      out.status = static_cast<int>(query.number(column++));
      out.fault = query.text(column++);
      out.took_ms = query.number(column++);
      out.first_token_ms = query.known(column++).value_or(-1);
      out.bytes_in = static_cast<std::uint64_t>(query.number(column++));
      out.bytes_out = static_cast<std::uint64_t>(query.number(column++));
      for (Buckets* buckets : {&out.exact, &out.estimated}) {
        for (std::size_t i = 0; i < bucket_count; ++i) buckets->set(static_cast<Bucket>(i), query.known(column++));
      }
      out.nano_dollars = query.number(column++);
      out.unknown = static_cast<std::uint32_t>(query.number(column++));
      ++column;  // the price's number
      out.formula_version = static_cast<int>(query.number(column++));
      out.price = query.text(column);
      row(out);
    }
    TRY_VOID(query.well());
  }
  return {};
}

}  // namespace sluice
