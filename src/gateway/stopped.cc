// SPDX-License-Identifier: MIT
#include "gateway/stopped.h"

#include <algorithm>
#include <utility>

#include "gateway/verdict.h"

namespace sluice {

bool Stopped::take(const Try& t, Result<Answer>& answer) {
  if (!t.sifts() || !(answer ? answer->stopped.has_value() : is_filtered(answer.error()))) return false;
  keep(t, answer);
  return true;
}

void Stopped::keep(const Try& t, Result<Answer>& answer) {
  t.record.set_usage_apart();
  if (kept_) return;
  kept_ = std::make_unique<Kept>();
  kept_->answer = std::move(answer);
  Record& told = kept_->told;
  told.notes = std::exchange(t.record.notes, {});
  told.served = t.record.served;
  told.answered = t.record.answered;
  told.finish = std::exchange(t.record.finish, {});
  kept_->relayed = t.relayed;
}

Result<Answer> Stopped::give_back(const Try& t) {
  Record& told = kept_->told;
  t.record.notes = std::move(told.notes);
  t.record.served = std::move(told.served);
  t.record.finish = std::move(told.finish);
  t.record.set_usage_apart();
  t.record.answered = told.answered;
  const auto its = std::ranges::find(t.record.spent, static_cast<std::size_t>(told.answered), &Spent::attempt);
  if (its != t.record.spent.end()) {
    t.record.usage = std::move(its->usage);
    t.record.estimated_output = its->estimated_output;
    t.record.spent.erase(its);
  }
  t.relayed = std::move(kept_->relayed);
  return std::move(kept_->answer);
}

}  // namespace sluice
