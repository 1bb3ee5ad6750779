// SPDX-License-Identifier: MIT
#include "store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

std::unexpected<Failure> broken(std::string_view what) {
  return fail(Fault::internal, "The gateway's storage failed.", what);
}

}  // namespace

Query::~Query() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::string_view text) {
  if (code_ == SQLITE_OK)
    code_ = sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Query& Query::bind(std::int64_t number) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++bound_, number);
  return *this;
}

Query& Query::bind_known(std::optional<std::int64_t> number) {
  if (number) return bind(*number);
  ++bound_;  // what is not bound is NULL
  return *this;
}

bool Query::step() {
  if (code_ != SQLITE_OK) return false;
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) code_ = code;
  return code == SQLITE_ROW;
}

Result<void> Query::run() {
  step();
  return well();
}

std::string Query::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string();
}

std::int64_t Query::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> Query::known(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return number(column);
}

Result<void> Query::well() const {
  if (code_ == SQLITE_OK) return {};
  return broken(sqlite3_errmsg(db_));
}

Result<std::unique_ptr<Sqlite>> Sqlite::open(const std::string& path) {
  if (path != ":memory:") {
    // Made here, so that nobody else may read what people said; SQLite gives its other files the same rights. One that
    // is there is not touched: closing any descriptor of a file gives up all locks that this process has on it, and
    // another process would take away the log that is written to.
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno != EEXIST) return broken(path + ": " + std::strerror(errno));
    if (file >= 0) ::close(file);
  }
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Sqlite> out(new Sqlite(db));
  if (code != SQLITE_OK) return broken(path + ": " + (db ? sqlite3_errmsg(db) : sqlite3_errstr(code)));
  sqlite3_busy_timeout(db, 5000);
  return out;
}

Sqlite::~Sqlite() {
  for (const auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

Query Sqlite::query(std::string_view sql) {
  auto found = prepared_.find(sql);
  int code = SQLITE_OK;
  if (found == prepared_.end()) {
    sqlite3_stmt* statement = nullptr;
    code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                              nullptr);
    if (code != SQLITE_OK) return {db_, nullptr, code};
    found = prepared_.emplace(sql, statement).first;
  }
  return {db_, found->second, code};
}

Result<void> Sqlite::run(const char* sql) {
  char* said = nullptr;
  if (sqlite3_exec(db_, sql, nullptr, nullptr, &said) == SQLITE_OK) return {};
  auto failed = broken(said ? said : "no reason given");
  sqlite3_free(said);
  return failed;
}

Result<void> Sqlite::roll_back() {
  if (sqlite3_get_autocommit(db_) != 0) return {};
  return run("ROLLBACK");
}

std::int64_t Sqlite::changed() const {
  return sqlite3_changes64(db_);
}

}  // namespace sluice
