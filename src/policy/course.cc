// SPDX-License-Identifier: MIT
#include "policy/course.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice {
namespace {

// A request for which no target is ready waits so long before it is sent away: most rests are over then, and what is
// sent away costs nothing here.
constexpr std::int64_t first_patience_ms = 1'000;

}  // namespace

Outcome outcome_of(Fault fault) {
  switch (fault) {
    case Fault::upstream_denied: return Outcome::denied;
    case Fault::upstream_limited: return Outcome::quota;
    case Fault::upstream_overloaded: return Outcome::overloaded;
    case Fault::upstream_unreachable: return Outcome::refused;
    case Fault::upstream_failed:
    case Fault::upstream_timeout:
    case Fault::upstream_broken: return Outcome::fault;
    default: return Outcome::neutral;
  }
}

HealthSettings health_settings(const BreakerSettings& settings) {
  return {.consecutive_faults = static_cast<int>(settings.faults),
          .error_rate = static_cast<double>(settings.error_rate) / 100,
          .open_first = settings.rest,
          .open_most = settings.longest_rest};
}

Course::Course(std::vector<Known> targets, const CourseRules& rules, RetryBudget& budget)
    : rules_(rules), budget_(budget), request_(budget.enter()) {
  legs_.reserve(targets.size());
  for (Known& one : targets) legs_.push_back({.health = std::move(one.health), .gate = one.gate});
}

bool Course::begin(Step& step, std::int64_t now_ms) {
  Leg& leg = legs_[step.place];
  if (leg.gate && !step.under) {
    step.under = leg.gate->take();
    leg.crowded = !step.under;
    if (leg.crowded) return false;
  }
  if (leg.health && !step.permit) {
    step.permit = leg.health->begin(now_ms, !rules_.rests);
    if (!step.permit) {
      leg.ready_at_ms = std::max(step.permit.ready_at_ms(), now_ms + 1);
      return false;
    }
  }
  step.permit.hold(std::move(step.under));
  ++leg.calls;
  ++calls_;
  return true;
}

std::optional<Course::Step> Course::untried_now(std::int64_t now_ms) {
  auto step = untried_now(now_ms, false);
  if (!step && std::ranges::any_of(legs_, &Leg::slow)) step = untried_now(now_ms, true);
  return step;
}

std::optional<Course::Step> Course::untried_now(std::int64_t now_ms, bool slow) {
  for (std::size_t i = 0; i < legs_.size(); ++i) {
    Leg& leg = legs_[i];
    if (leg.calls > 0 || leg.shut || leg.slow != slow) continue;
    leg.crowded = false;
    if (leg.out || leg.ready_at_ms > now_ms) continue;
    Step step{.place = i, .at_ms = now_ms};
    if (leg.gate) {
      step.under = leg.gate->take();
      leg.crowded = !step.under;
      if (leg.crowded) continue;
    }
    if (!leg.health) return step;
    step.permit = leg.health->begin(now_ms, !rules_.rests);
    if (step.permit) return step;
    leg.ready_at_ms = std::max(step.permit.ready_at_ms(), now_ms + 1);
  }
  return std::nullopt;
}

std::optional<Course::Step> Course::later(std::int64_t now_ms, bool again, Dice& dice) const {
  std::optional<Step> best;
  for (std::size_t i = 0; i < legs_.size(); ++i) {
    const Leg& leg = legs_[i];
    if (leg.out || leg.crowded || leg.shut) continue;
    if ((leg.calls > 0) != again || (again && leg.again == 0)) continue;
    std::int64_t at = std::max({leg.not_before_ms, leg.ready_at_ms, now_ms});
    if (again) {
      const auto wait = retry_wait(leg.calls - 1, now_ms, std::numeric_limits<std::int64_t>::max(), {}, {}, dice);
      at = std::max(at, now_ms + wait.value_or(std::chrono::milliseconds(0)).count());
    }
    if (!best || at < best->at_ms) best = Step{.place = i, .at_ms = at};
  }
  const std::int64_t patience =
      std::min(calls_ == 0 ? first_patience_ms : rules_.longest_wait_ms, rules_.longest_wait_ms);
  if (best && (best->at_ms - now_ms > patience || best->at_ms >= rules_.deadline_ms)) return std::nullopt;
  return best;
}

std::optional<Course::Step> Course::next(std::int64_t now_ms, Dice& dice) {
  // Who waits at the gate of a target that is called again keeps the right to that.
  if (std::ranges::none_of(legs_, [](const Leg& leg) { return leg.crowded && leg.calls > 0; })) retry_.reset();
  if (now_ms >= rules_.deadline_ms) return std::nullopt;
  // Another target costs no budget: how often that happens is bounded by how soon one that fails comes to rest.
  if (auto step = untried_now(now_ms)) return step;
  auto rested = later(now_ms, false, dice);
  auto again = calls_ < rules_.attempts ? later(now_ms, true, dice) : std::nullopt;
  if (again && (!rested || again->at_ms < rested->at_ms)) {
    if (!retry_) retry_ = budget_.retry(now_ms, legs_[again->place].refused);
    if (retry_) rested = std::move(again);
  }
  if (std::ranges::any_of(legs_, &Leg::crowded) && (!rested || rested->at_ms > now_ms)) {
    if (!rested) rested = Step{.at_ms = std::numeric_limits<std::int64_t>::max()};
    rested->crowded = true;
  }
  if (rested) return rested;
  exhausted_ = untried() == 0 && std::ranges::none_of(legs_, [this](const Leg& leg) {
                 return !leg.out && leg.again > 0 && calls_ < rules_.attempts;
               });
  return std::nullopt;
}

Gate* Course::crowded(std::size_t place) const {
  return legs_[place].crowded ? legs_[place].gate : nullptr;
}

void Course::placed(Step& step, std::size_t place, Seat under) {
  legs_[place].crowded = false;
  step.place = place;
  step.under = std::move(under);
}

void Course::turned_away(Error error) {
  for (Leg& leg : legs_) {
    leg.shut = leg.shut || leg.crowded;
    leg.crowded = false;
  }
  turned_away_ = std::move(error);
}

std::optional<Course::Step> Course::besides(std::int64_t now_ms) {
  return untried_now(now_ms);
}

void Course::failed(std::size_t place, const Error& error, std::int64_t now_ms) {
  Leg& leg = legs_[place];
  const FaultRow& row = fault_row(error.fault);
  leg.again = leg.calls > row.same_target_helps ? 0 : row.same_target_helps - leg.calls + 1;
  leg.refused = outcome_of(error.fault) == Outcome::refused;
  leg.not_before_ms = error.retry_after ? now_ms + error.retry_after->count() : 0;
  leg.ready_at_ms = 0;
}

void Course::given_up(std::size_t place) {
  legs_[place].calls = 0;
  legs_[place].slow = true;
}

std::optional<std::int64_t> Course::p95_ms(std::size_t place, std::int64_t now_ms) const {
  const auto& health = legs_[place].health;
  const auto p95 = health ? health->view(now_ms).p95_ms : std::nullopt;
  if (!p95) return std::nullopt;
  return static_cast<std::int64_t>(*p95) + 1;
}

std::size_t Course::untried() const {
  const auto open = [](const Leg& leg) { return leg.calls == 0 && !leg.out; };
  return static_cast<std::size_t>(std::ranges::count_if(legs_, open));
}

std::optional<std::int64_t> Course::ready_in_ms(std::int64_t now_ms) const {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const Leg& leg : legs_) first = std::min(first, std::max(leg.ready_at_ms, leg.not_before_ms));
  if (first <= now_ms) return std::nullopt;
  return first - now_ms;
}

Error Course::resting(std::int64_t now_ms) const {
  if (turned_away_) return *turned_away_;
  const bool quota = std::ranges::all_of(
      legs_, [now_ms](const Leg& leg) { return leg.health && leg.health->view(now_ms).out_of_quota; });
  const std::int64_t wait = ready_in_ms(now_ms).value_or(1'000);
  Error error{.fault = quota ? Fault::upstream_limited : Fault::upstream_overloaded};
  error.message =
      quota ? "The vendor's quota for this model is used up" : "Every target for this model rests after faults";
  error.message += "; it is called again in " + std::to_string((wait + 999) / 1000) + " s.";
  error.detail = "no call was made";
  error.code = "targets_resting";
  error.retry_after = std::chrono::milliseconds(wait);
  return error;
}

}  // namespace sluice
