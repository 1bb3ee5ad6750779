// The ledger in an SQLite file: rows in a table per month, and sums of them by minute, hour and day that change in the
// same transaction. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "ports/ledger_store.h"
#include "store/sqlite.h"

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
  // The columns that are added up: requests, calls, failed, tokens exact and estimated, cost, unpriced.
  static constexpr std::size_t sum_columns = 5 + 2 * disjoint_buckets;
  using Sums = std::array<std::int64_t, sum_columns>;
  // When, tag, key, groups, model, backend. With a tag the rest is empty.
  using Place = std::tuple<std::int64_t, std::string, std::string, std::string, std::string, std::string>;
  using SumMap = std::map<Place, Sums>;

  explicit SqliteLedger(std::unique_ptr<Sqlite> db) : db_(std::move(db)) {}
  Result<void> migrate(const std::string& path);
  Result<std::size_t> write_all(std::span<const LedgerRow> rows);
  Result<bool> insert(const LedgerRow& row);
  Result<std::string> month_table(std::int64_t unix_ms);
  Result<std::vector<std::string>> month_tables();
  Result<std::int64_t> price_id(const std::string& text);
  Result<std::optional<Sums>> counted(const LedgerRow& row);
  static void add(std::array<SumMap, 3>& sums, const LedgerRow& row, const Sums& counted);
  Result<void> write_sums(const std::array<SumMap, 3>& sums);

  std::unique_ptr<Sqlite> db_;
  std::map<std::string, std::int64_t> prices_;
  std::map<std::string, bool, std::less<>> months_;  // tables that are known to be there
};

}  // namespace sluice
