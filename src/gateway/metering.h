// What the caller's key and its groups are asked before an exchange makes calls, while they run, and told when it is
// over. Without a key that is limited all of it is one branch. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "config/snapshot.h"
#include "gateway/expense.h"
#include "policy/directory.h"
#include "policy/meters.h"

namespace sluice {

struct Exchange;
struct OutputAsked;

class Metering {
 public:
  // What is known of a request before it is read.
  struct Ask {
    std::string_view body;                     // as far as it is held
    std::span<const json::TopMember> members;  // of it
    bool counts = false;                       // it only asks for a number of tokens
    bool stream = false;                       // its answer's tokens are counted as they pass
  };
  // `targets`: in the order in which they are tried; those whose price nobody knows are taken out where the key or a
  // group wants it so. Errors: as Meters::admit().
  [[nodiscard]] static Result<void> admit(Exchange& ex, const Ask& ask, std::vector<Target>& targets);
  // The call of that target is about to begin: what it may cost is set aside beside what other calls of the exchange
  // may. Error: rate_limited, when a budget that stops has not so much left; then it must not begin.
  [[nodiscard]] Result<void> cover(Exchange& ex, std::size_t attempt, const Target& target);
  // So many tokens of its answer have passed. Error: rate_limited, when a budget that stops is spent.
  [[nodiscard]] Result<void> heard(const Exchange& ex, std::size_t attempt, std::int64_t tokens) {
    if (!expense_ || !expense_->heard(attempt, tokens)) return {};
    return set_aside(ex);
  }
  // It is over, and its record says what it used.
  void settle(const Exchange& ex);

 private:
  [[nodiscard]] Result<void> plan(Exchange& ex, const Ask& ask, const OutputAsked& asked, std::vector<Target>& targets);
  [[nodiscard]] Result<void> set_aside(const Exchange& ex);
  Grant grant_;
  Claim claim_;
  std::unique_ptr<Expense> expense_;  // null without a budget
};

// Whoever on the key's path has a budget and admits nothing whose price nobody knows; null: nobody.
[[nodiscard]] const MeteredNode* refuses_unknown_price(const Key& key);

}  // namespace sluice
