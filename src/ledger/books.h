// From the journal's entries to rows of the ledger: which calls are open, what a settled one cost, what a crash left.
// Pure: entries in, rows out. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ledger/entry.h"
#include "model/ledger_row.h"
#include "pricing/price.h"

namespace sluice {

// Fills in what a row costs: by what is exact, and where that is unknown by what is estimated. A call whose price is
// not known costs nothing that is known.
class Pricer {
 public:
  void price(LedgerRow& row);

 private:
  const Price* find(const std::string& text);
  std::unordered_map<std::string, Price> known_;
};

class Books {
 public:
  // `segment`: where the entry stands. Rows are appended. False: something of the entry is lost, or all of it, as when
  // it cannot be read.
  bool take(std::string_view entry, std::uint64_t segment, std::vector<LedgerRow>& rows);
  // Whoever wrote the entries is gone: what is still open becomes crashed, by the last that is known of it.
  void close_crashed(std::vector<LedgerRow>& rows);
  // Whether a segment holds what a crash would have to know of something that is open.
  [[nodiscard]] bool wanted(std::uint64_t segment) const { return by_segment_.contains(segment); }
  [[nodiscard]] std::size_t open() const { return open_.size(); }

 private:
  struct Call {
    std::int64_t input = 0;     // estimated, by its intent
    std::uint64_t segment = 0;  // of its intent
    std::uint64_t told = 0;     // of its last checkpoint; 0: none
    bool over = false;
    LedgerRow row;
  };
  struct Exchange {
    std::vector<Call> calls;
    LedgerRow row;  // as far as parts of its settlement tell it
    bool answered = false;
  };
  void take(const Intent& intent, std::uint64_t segment);
  void take(const Checkpoint& checkpoint, std::uint64_t segment);
  void take(const Settled& settled, std::vector<LedgerRow>& rows);
  void let_go(std::uint64_t segment);
  std::unordered_map<std::string, Exchange> open_;   // by id
  std::map<std::uint64_t, std::size_t> by_segment_;  // how many of its entries open calls need
  Pricer pricer_;
};

}  // namespace sluice
