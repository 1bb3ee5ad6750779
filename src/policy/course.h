// One request's way through its targets: who comes next, when, and when it is time to stop. Each target is tried in the
// plan's order, and those that rest are passed by; then those whose fault may pass are tried again, after a wait.
// Pure: the clock and chance are told. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "policy/dice.h"
#include "policy/gate.h"
#include "policy/health.h"
#include "policy/retry.h"

namespace sluice {

// The outcome that a fault is to the health of its target.
[[nodiscard]] Outcome outcome_of(Fault fault);

[[nodiscard]] HealthSettings health_settings(const BreakerSettings& settings);

struct CourseRules {
  std::int64_t attempts = 3;  // calls in all; each target is tried once all the same
  std::int64_t longest_wait_ms = 10'000;
  std::int64_t deadline_ms = std::numeric_limits<std::int64_t>::max();  // no call begins from then on
  bool rests = true;                                                    // who rests after faults is passed by
};

class Course {
 public:
  struct Step {
    std::size_t place = 0;   // of the target in the plan
    std::int64_t at_ms = 0;  // when to call it; begin() it then
    Permit permit;
    // Somebody could be called now but for the cap: until `at_ms` (which may never come) the right thing is to wait for
    // a place under one of the crowded gates, and to tell of it by placed().
    bool crowded = false;
    Seat under;  // its place under the target's gate, when it has waited for it
  };
  // Without a health nothing is known of it and nothing is to be asked; without a gate it has no cap.
  struct Known {
    Known(std::shared_ptr<Health> of, Gate* under = nullptr) : health(std::move(of)), gate(under) {}
    std::shared_ptr<Health> health;
    Gate* gate;
  };

  // `targets` in the plan's order. `budget` and the gates outlive it.
  Course(std::vector<Known> targets, const CourseRules& rules, RetryBudget& budget);

  // The next step; nullopt when there is none any more.
  [[nodiscard]] std::optional<Step> next(std::int64_t now_ms, Dice& dice);
  // Takes the permit of a step whose time has come. False: its target has begun to rest meanwhile, or is at its cap;
  // ask next() again.
  [[nodiscard]] bool begin(Step& step, std::int64_t now_ms);
  // A target that was not called yet and may be called now, besides the one that is running.
  [[nodiscard]] std::optional<Step> besides(std::int64_t now_ms);
  // The last call's answer has begun well: it is no repetition any more.
  void begun() { retry_.reset(); }
  // The gate that keeps that target from being called now; null when it is not its cap.
  [[nodiscard]] Gate* crowded(std::size_t place) const;
  // The step has got a place for that target.
  void placed(Step& step, std::size_t place, Seat under);
  // Nobody at the gates lets it in: those targets are out, and this is what the caller hears if there is no other.
  void turned_away(Error error);
  // The call of that target failed so.
  void failed(std::size_t place, const Error& error, std::int64_t now_ms);

  // Its call was dropped, for another was quicker: it is called again only after those that were not called at all.
  void given_up(std::size_t place);

  // That target is not called any more.
  void rule_out(std::size_t place) {
    legs_[place].out = true;
    legs_[place].crowded = false;
  }

  // What 95 of 100 of its streams needed to begin; nullopt when too few are known.
  [[nodiscard]] std::optional<std::int64_t> p95_ms(std::size_t place, std::int64_t now_ms) const;
  // How many targets have not been called yet and may be.
  [[nodiscard]] std::size_t untried() const;
  // True when it ended for want of targets and attempts: the caller need not try again soon.
  [[nodiscard]] bool exhausted() const { return exhausted_; }
  // In how long the first of the targets may be called again; nullopt when one of them has no such time.
  [[nodiscard]] std::optional<std::int64_t> ready_in_ms(std::int64_t now_ms) const;
  // What the caller hears when none could be called.
  [[nodiscard]] Error resting(std::int64_t now_ms) const;

 private:
  struct Leg {
    std::shared_ptr<Health> health;
    Gate* gate = nullptr;
    bool crowded = false;  // at its cap, as last seen
    bool shut = false;     // and turned away there
    int calls = 0;
    bool slow = false;               // was given up, which counts as no call
    int again = 0;                   // further calls that may cure what it had
    bool refused = false;            // the last call reached nobody
    std::int64_t not_before_ms = 0;  // what the vendor asked for
    bool out = false;                // it is not to be called
    std::int64_t ready_at_ms = 0;    // when its health lets it be called, as last seen
  };
  [[nodiscard]] std::optional<Step> untried_now(std::int64_t now_ms);
  [[nodiscard]] std::optional<Step> untried_now(std::int64_t now_ms, bool slow);
  // The soonest of those that were called already, or of those that were not and rest; within patience.
  [[nodiscard]] std::optional<Step> later(std::int64_t now_ms, bool again, Dice& dice) const;

  std::vector<Leg> legs_;
  CourseRules rules_;
  RetryBudget& budget_;
  Counted request_;               // for as long as the course runs
  std::optional<Counted> retry_;  // while one does
  std::int64_t calls_ = 0;
  bool exhausted_ = false;
  std::optional<Error> turned_away_;
};

}  // namespace sluice
