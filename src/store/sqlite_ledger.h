// The ledger in an SQLite file: rows in a table per month, and sums of them (usage_sums.h) that change in the same
// transaction. SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ports/ledger_store.h"
#include "store/sqlite.h"
#include "store/usage_sums.h"

namespace sluice {

class SqliteLedger final : public LedgerStore {
 public:
  // `power_safe`: what was written outlives a loss of power too. Error: internal, when the file cannot be used: not to
  // be made, damaged, or written by a newer version.
  [[nodiscard]] static Result<std::unique_ptr<SqliteLedger>> open(const std::string& path, bool power_safe);

  [[nodiscard]] Result<std::size_t> write(std::span<const LedgerRow> rows) override;
  [[nodiscard]] Result<bool> settled(std::int64_t unix_ms, std::string_view id) override;
  [[nodiscard]] Result<void> forget(std::int64_t before_ms, std::int64_t now_ms) override;
  [[nodiscard]] Result<std::vector<UsageSum>> usage(const UsageQuestion& question) override;
  [[nodiscard]] Result<void> calls(std::int64_t since_ms, const std::function<void(const LedgerRow&)>& row) override;

 private:
  struct Month {
    std::string table, insert;  // its name, and the statement that adds a row
  };
  explicit SqliteLedger(std::unique_ptr<Sqlite> db) : db_(std::move(db)) {}
  Result<void> migrate(const std::string& path);
  Result<std::size_t> write_all(std::span<const LedgerRow> rows);
  Result<bool> insert(const LedgerRow& row);
  // Of a time; made where it is missing.
  Result<const Month*> month(std::int64_t unix_ms);
  Result<std::vector<std::string>> month_tables();
  Result<std::int64_t> price_id(const std::string& text);
  Result<std::optional<Sums>> counted(const LedgerRow& row);

  std::unique_ptr<Sqlite> db_;
  std::map<std::string, std::int64_t> prices_;
  std::map<int, Month> months_;  // tables that are known to be there, by month_of()
};

}  // namespace sluice
