// What the ledger is told of one exchange: an intent before each call, checkpoints while a stream runs, one settlement
// before its client has all of the answer. Without a ledger all of it is one branch. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "model/ledger_row.h"

namespace sluice {

struct Exchange;
class Journal;

class Bill {
 public:
  // Whether an exchange may begin that costs money. `body`: its question, as far as it is held. Error: overloaded, when
  // the ledger has no room for it.
  [[nodiscard]] static Result<void> open(Exchange& ex, std::string_view body);

  // Before the call at this place among the record's attempts leaves. Error: as above.
  [[nodiscard]] Result<void> begin(Exchange& ex, std::size_t attempt);
  // It ended, and another may follow.
  void failed(const Exchange& ex, std::size_t attempt);
  // A stream has passed something on: once a second the ledger is told how much. `heard`: tokens of output, estimated.
  [[nodiscard]] bool due(std::int64_t now_ms) const { return now_ms >= next_ms_; }
  void checkpoint(const Exchange& ex, std::size_t attempt, std::int64_t now_ms, std::int64_t heard);
  // The exchange is over but for its last bytes, `unsent` of them; `failed`: null, it is answered. Only the first
  // counts.
  void settle(const Exchange& ex, const Error* failed, std::size_t unsent = 0);
  // Where the ledger is to outlive a loss of power: sleeps until it has what was settled. A disk that failed is told by
  // the journal's state; the answer is made and paid for, and goes out all the same.
  [[nodiscard]] bool must_wait(const Exchange& ex) const;
  [[nodiscard]] static Task<Result<bool>> written(Exchange& ex);

 private:
  static constexpr std::int64_t never = INT64_MAX;
  std::int64_t next_ms_ = never;  // when a checkpoint is due
  bool begun_ = false;
  bool settled_ = false;
};

}  // namespace sluice
