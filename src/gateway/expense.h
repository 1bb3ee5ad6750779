// What the calls of one exchange may cost, and what they did: for callers who have a budget. Amounts are nano-dollars,
// priced by the target that each call goes to. Not here: the budgets (policy/meters.h), when they are asked
// (metering.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/price_book.h"
#include "model/record.h"

namespace sluice {

class Expense {
 public:
  // So many tokens of output are set aside for a stream at a time. A budget that stops streams is overspent by what a
  // step costs for each of them, as far as tokens can be counted while they pass.
  static constexpr std::int64_t step = 256;

  // What is known of a request before it is asked.
  struct Asked {
    std::int64_t input = 0;            // tokens, by a guess
    std::optional<std::int64_t> most;  // tokens of one answer
    std::int64_t answers = 1;
    bool output = true;    // it makes tokens
    bool watched = false;  // a stream, whose tokens are counted as they pass
    bool free = false;     // it costs nothing, whoever is asked
    Units units;           // guesses, too
    Lane lane = Lane::standard;
  };
  explicit Expense(const Asked& asked) : asked_(asked) {}

  [[nodiscard]] bool free() const { return asked_.free; }
  // What a call of that target must have set aside when it begins: the whole of its longest answer, or a stream's first
  // step. nullopt: nobody knows its price.
  [[nodiscard]] std::optional<std::int64_t> at_first(const Priced& target) const;

  // That call, by its place among the record's attempts, goes to that target.
  void begin(std::size_t attempt, std::shared_ptr<const Priced> target);
  // So many tokens of its answer have passed. True when they have reached what was set aside, so that more must be.
  [[nodiscard]] bool heard(std::size_t attempt, std::int64_t tokens);
  // What all calls must have set aside now. Those that are known to have made nothing need nothing.
  [[nodiscard]] std::int64_t needed(const Record& record) const;
  // What they have cost, once all are over. What has no price counts as nothing.
  [[nodiscard]] std::int64_t spent(const Record& record) const;

 private:
  struct Call {
    std::shared_ptr<const Priced> target;  // null: it never began
    std::int64_t tokens = 0;               // of output, that are paid for
    std::int64_t nano = 0;                 // that they cost, with the question
  };
  [[nodiscard]] std::int64_t first_tokens(const Priced& target) const;
  [[nodiscard]] std::optional<std::int64_t> cost_of(const Priced& target, std::int64_t tokens) const;
  Asked asked_;
  std::vector<Call> calls_;
};

}  // namespace sluice
