// SQLite in the words of this house: a connection, prepared statements, errors as Results. Not here: any table.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice {

// One use of a prepared statement: bind in order, step, read the row by column; it is ready for the next use when this
// dies. The first failure is kept, and nothing is done after it.
class Query {
 public:
  Query(sqlite3* db, sqlite3_stmt* statement, int failed) : db_(db), statement_(statement), code_(failed) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  // Texts must outlive the query.
  Query& bind(std::string_view text);
  Query& bind(std::int64_t number);
  // Nothing becomes NULL.
  Query& bind_known(std::optional<std::int64_t> number);
  // True: there is a row.
  bool step();
  // Without rows.
  Result<void> run();
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::optional<std::int64_t> known(int column) const;
  // Error: internal, with what SQLite says.
  [[nodiscard]] Result<void> well() const;

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  int code_;
  int bound_ = 0;
};

// Belongs to one thread at a time.
class Sqlite {
 public:
  // A file that is made if missing, for this user's eyes only; ":memory:" for none. Error: internal.
  [[nodiscard]] static Result<std::unique_ptr<Sqlite>> open(const std::string& path);
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;
  ~Sqlite();

  // Prepared once for each text.
  [[nodiscard]] Query query(std::string_view sql);
  // One or several statements without parameters.
  [[nodiscard]] Result<void> run(const char* sql);
  // Ends the open transaction without effect; well when there is none, because SQLite ends some that fail by itself.
  [[nodiscard]] Result<void> roll_back();
  // Rows that the last statement changed.
  [[nodiscard]] std::int64_t changed() const;

 private:
  explicit Sqlite(sqlite3* db) : db_(db) {}
  sqlite3* db_;
  std::map<std::string, sqlite3_stmt*, std::less<>> prepared_;
};

}  // namespace sluice
