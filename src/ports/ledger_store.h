// Where the ledger's rows are kept, with sums that reports are made of. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ledger_row.h"

namespace sluice {

// Sums of rows that have something in common.
struct UsageSum {
  std::string what;           // a model, a key, a day … as asked
  std::int64_t requests = 0;  // exchanges
  std::int64_t calls = 0;     // of upstreams
  std::int64_t failed = 0;    // exchanges that did not end complete
  std::array<std::int64_t, disjoint_buckets> exact{}, estimated{};
  std::int64_t nano_dollars = 0;
  std::int64_t unpriced = 0;  // calls of whose cost something is not known
  bool operator==(const UsageSum&) const = default;
};

struct UsageQuestion {
  enum class By : std::uint8_t { model, key, group, backend, day, hour, tag, minute };
  By by = By::model;
  // Whole minutes count where minutes are still kept, else whole hours, else whole days.
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;  // 0: now
};

// Belongs to one thread. All of it blocks.
class LedgerStore {
 public:
  LedgerStore() = default;
  LedgerStore(const LedgerStore&) = delete;
  LedgerStore& operator=(const LedgerStore&) = delete;
  virtual ~LedgerStore() = default;

  // All or none. A row that is there already, by its name, changes nothing, no sum either. Returns how many were new.
  // Error: internal; the same rows may be written again.
  [[nodiscard]] virtual Result<std::size_t> write(std::span<const LedgerRow> rows) = 0;
  // Whether the row of an exchange that began then is there, and not as crashed: everything of it has been written.
  [[nodiscard]] virtual Result<bool> settled(std::int64_t unix_ms, std::string_view id) = 0;
  // Forgets what began before that, by whole months; sums of minutes and hours sooner.
  [[nodiscard]] virtual Result<void> forget(std::int64_t before_ms, std::int64_t now_ms) = 0;
  // From the sums; no row is looked at. The largest cost first; times in their order.
  [[nodiscard]] virtual Result<std::vector<UsageSum>> usage(const UsageQuestion& question) = 0;
  // Every row of an attempt since then in its newest revision, in no order. `row` may write nothing.
  [[nodiscard]] virtual Result<void> calls(std::int64_t since_ms, const std::function<void(const LedgerRow&)>& row) = 0;
};

}  // namespace sluice
