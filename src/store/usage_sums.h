// Sums of the ledger's rows in SQLite, so that no report looks at a row: by minute, hour, day and month, of everything
// and of each model, key, group, backend and tag. Not here: the rows (sqlite_ledger.h). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ports/ledger_store.h"
#include "store/sqlite.h"

namespace sluice {

// Requests, calls, failed, tokens exact and estimated, cost, unpriced: as UsageSum has them.
inline constexpr std::size_t sum_columns = 5 + 2 * disjoint_buckets;
using Sums = std::array<std::int64_t, sum_columns>;

// The statements that make the tables where they are missing.
[[nodiscard]] std::string usage_sum_tables();

// What the rows of one transaction add.
class AddedSums {
 public:
  void add(const LedgerRow& row, const Sums& counted);
  [[nodiscard]] Result<void> write(Sqlite& db) const;

 private:
  struct Place {
    int kind = 0;
    std::int64_t at = 0;
    std::string what;
    auto operator<=>(const Place&) const = default;
  };
  using Cells = std::map<Place, Sums>;
  void add(Place place, const Sums& counted);
  Cells minutes_;
};

// Of days and months what began in a month before that one; minutes and hours sooner.
[[nodiscard]] Result<void> forget_sums(Sqlite& db, std::int64_t before_ms, std::int64_t now_ms);
[[nodiscard]] Result<std::vector<UsageSum>> read_sums(Sqlite& db, const UsageQuestion& question);

}  // namespace sluice
