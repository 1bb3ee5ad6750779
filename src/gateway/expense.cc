// SPDX-License-Identifier: MIT
#include "gateway/expense.h"

#include <algorithm>
#include <utility>

#include "gateway/used.h"

namespace sluice {
namespace {

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? INT64_MAX : out;
}

// By the lane that was asked for, where it has prices.
Cost priced(const Priced& target, const Usage& usage, const Units& units, Lane lane) {
  if (lane == Lane::standard) return cost(target.price, usage, units);
  const Cost own = cost(target.price, usage, units, lane);
  return own.known() ? own : cost(target.price, usage, units);
}

}  // namespace

std::int64_t Expense::first_tokens(const Priced& target) const {
  if (!asked_.output) return 0;
  constexpr std::int64_t most_tokens = 1'000'000'000;
  std::int64_t most = step;
  if (target.most_output > 0) most = target.most_output;
  if (asked_.most) most = *asked_.most;
  most = std::min(most, most_tokens) * asked_.answers;
  return asked_.watched ? std::min(most, step) : most;
}

std::optional<std::int64_t> Expense::cost_of(const Priced& target, std::int64_t tokens) const {
  if (asked_.free || target.free) return 0;
  if (target.price.empty()) return std::nullopt;
  const Cost cost = priced(target, {.input = asked_.input, .output = tokens}, asked_.units, asked_.lane);
  return cost.known() ? std::optional(cost.nano_dollars) : std::nullopt;
}

std::optional<std::int64_t> Expense::at_first(const Priced& target) const {
  return cost_of(target, first_tokens(target));
}

void Expense::begin(std::size_t attempt, std::shared_ptr<const Priced> target) {
  if (calls_.size() <= attempt) calls_.resize(attempt + 1);
  Call& call = calls_[attempt];
  call.target = std::move(target);
  call.tokens = first_tokens(*call.target);
  call.nano = cost_of(*call.target, call.tokens).value_or(0);
}

bool Expense::heard(std::size_t attempt, std::int64_t tokens) {
  if (attempt >= calls_.size() || !calls_[attempt].target) return false;
  Call& call = calls_[attempt];
  if (!asked_.watched || tokens < call.tokens) return false;
  call.tokens += (tokens - call.tokens) / step * step + step;
  const std::int64_t before = call.nano;
  call.nano = cost_of(*call.target, call.tokens).value_or(0);
  return call.nano > before;
}

std::int64_t Expense::needed(const Record& record) const {
  std::int64_t out = 0;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i].target) continue;
    const Attempt& attempt = record.attempts[i];
    const bool nothing = attempt.ended_us >= 0 && (made_nothing(record, attempt) || !was_sent(attempt));
    if (!nothing) out = sum(out, calls_[i].nano);
  }
  return out;
}

std::int64_t Expense::spent(const Record& record) const {
  if (record.coalesced || asked_.free) return 0;
  const std::size_t answers = answering(record);
  const auto input = asked_.input > 0 ? std::optional(asked_.input) : std::nullopt;  // else it was no text
  std::int64_t out = 0;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i].target || calls_[i].target->free || !was_sent(record.attempts[i])) continue;
    const Used used = used_by(record, i, i == answers, input);
    const Buckets all = used.exact.or_else(used.estimated);
    out = sum(out, cost(calls_[i].target->price, all.usage(), all.units(), lane_of(record.lane)).nano_dollars);
  }
  return out;
}

}  // namespace sluice
