// SPDX-License-Identifier: MIT
#include "policy/course.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

// A course over so many targets, on a clock of its own. What it does is written down: "0 1 +500:0" is a call of target
// 0, one of target 1, and after 500 ms another of target 0.
class CourseTest : public testing::Test {
 protected:
  Course over(std::size_t targets, CourseRules rules = {}) {
    while (healths_.size() < targets) healths_.push_back(Health::make());
    return {{healths_.begin(), healths_.begin() + static_cast<std::ptrdiff_t>(targets)}, rules, budget_};
  }

  // Every call of target i fails with fault i of the list, the last one for all further.
  std::string fly(Course course, const std::vector<Error>& errors, int most = 20) {
    std::string out;
    waited_ = 0;
    for (int i = 0; i < most; ++i) {
      auto step = course.next(now_, dice_);
      if (!step) break;
      if (!out.empty()) out += ' ';
      if (step->at_ms > now_) out += '+';
      waited_ += step->at_ms - now_;
      now_ = step->at_ms;
      if (!course.begin(*step, now_)) {
        out += "rests";
        continue;
      }
      out += std::to_string(step->place);
      const Error& error = errors[std::min(step->place, errors.size() - 1)];
      step->permit.end(outcome_of(error.fault), now_, {}, dice_, error.retry_after);
      course.failed(step->place, error, now_);
      if (!fault_row(error.fault).another_target_helps) break;
    }
    exhausted_ = course.exhausted();
    return out;
  }

  // Many requests have passed: there is budget for retries.
  void SetUp() override {
    for (int i = 0; i < 100; ++i) (void)budget_.enter();
  }

  std::vector<std::shared_ptr<Health>> healths_;
  RetryBudget budget_;
  Dice dice_{7};
  std::int64_t now_ = 1'000'000;
  std::int64_t waited_ = 0;
  bool exhausted_ = false;
};

TEST_F(CourseTest, WhoRefusesTheConnectionIsTriedAgainOutsideTheBudget) {
  std::vector<Counted> held;
  while (auto one = budget_.retry(now_)) held.push_back(*std::move(one));
  EXPECT_EQ(fly(over(1), {{.fault = Fault::upstream_failed}}), "0") << "nothing is left for who has had work";
  healths_.clear();
  EXPECT_EQ(fly(over(1), {{.fault = Fault::upstream_unreachable}}).substr(0, 4), "0 +0");
}

TEST_F(CourseTest, WhatIsRuledOutIsCalledNoMore) {
  Course course = over(3);
  course.rule_out(1);
  EXPECT_EQ(course.untried(), 2);
  EXPECT_EQ(fly(std::move(course), {{.fault = Fault::upstream_rejected}}), "0");
  Course other = over(3);
  auto step = other.next(now_, dice_);
  ASSERT_TRUE(step && other.begin(*step, now_));
  other.failed(0, {.fault = Fault::upstream_failed}, now_);
  other.rule_out(0);
  other.rule_out(2);
  step = other.next(now_, dice_);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->place, 1);
  ASSERT_TRUE(other.begin(*step, now_));
  other.failed(1, {.fault = Fault::upstream_rejected}, now_);
  EXPECT_FALSE(other.next(now_, dice_));
  EXPECT_TRUE(other.exhausted());
}

TEST_F(CourseTest, TriesEachTargetOnceBeforeAnyAgain) {
  EXPECT_EQ(fly(over(2), {{.fault = Fault::upstream_failed}}).substr(0, 3), "0 1");
  EXPECT_EQ(fly(over(5), {{.fault = Fault::upstream_unreachable}}), "0 1 2 3 4");
  EXPECT_TRUE(exhausted_);
}

TEST_F(CourseTest, TriesTheSameTargetAsOftenAsItsFaultMayPass) {
  const struct {
    Fault fault;
    std::size_t calls;
  } table[] = {{Fault::upstream_failed, 3},  {Fault::upstream_unreachable, 3}, {Fault::upstream_broken, 2},
               {Fault::upstream_timeout, 1}, {Fault::upstream_denied, 1},      {Fault::upstream_rejected, 1},
               {Fault::bad_request, 1}};
  for (const auto& [fault, calls] : table) {
    healths_.clear();
    const std::string way = fly(over(1), {{.fault = fault}});
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(way, '0')), calls) << fault_row(fault).name << ": " << way;
  }
}

TEST_F(CourseTest, MakesNoMoreCallsThanItsRulesSay) {
  EXPECT_EQ(fly(over(1, {.attempts = 1}), {{.fault = Fault::upstream_failed}}), "0");
  EXPECT_TRUE(exhausted_);
  EXPECT_EQ(fly(over(2, {.attempts = 1}), {{.fault = Fault::upstream_failed}}), "0 1");
}

TEST_F(CourseTest, KeepsTheVendorsTime) {
  using std::chrono::milliseconds;
  const std::string way = fly(over(1), {{.fault = Fault::upstream_limited, .retry_after = milliseconds(700)}});
  EXPECT_EQ(way, "0 +0 +0");
  EXPECT_GE(waited_, 1'400);
  healths_.clear();
  const Error long_time{.fault = Fault::upstream_limited, .retry_after = milliseconds(60'000)};
  EXPECT_EQ(fly(over(1), {long_time}), "0");
  EXPECT_FALSE(exhausted_);
}

TEST_F(CourseTest, PassesByWhatRests) {
  auto rests = [&](std::size_t i) {
    for (int k = 0; k < 5; ++k) {
      auto permit = healths_[i]->begin(now_);
      permit.end(Outcome::fault, now_, {}, dice_);
    }
  };
  healths_ = {Health::make(), Health::make(), Health::make()};
  rests(0);
  rests(1);
  EXPECT_EQ(fly(over(3), {{.fault = Fault::upstream_denied}}).substr(0, 1), "2");
}

TEST_F(CourseTest, SaysWhenWhenAllRest) {
  healths_ = {Health::make()};
  for (int k = 0; k < 5; ++k) {
    auto permit = healths_[0]->begin(now_);
    permit.end(Outcome::fault, now_, {.open_first = std::chrono::milliseconds(4'000)}, dice_);
  }
  Course course = over(1);
  EXPECT_FALSE(course.next(now_, dice_));
  const Error error = course.resting(now_);
  EXPECT_EQ(error.fault, Fault::upstream_overloaded);
  ASSERT_TRUE(error.retry_after);
  EXPECT_GE(error.retry_after->count(), 3'000);
  EXPECT_LE(error.retry_after->count(), 5'000);

  healths_ = {Health::make()};
  healths_[0]->begin(now_).end(Outcome::quota, now_, {}, dice_, std::chrono::milliseconds(20'000));
  Course cooling = over(1);
  EXPECT_FALSE(cooling.next(now_, dice_));
  EXPECT_EQ(cooling.resting(now_).fault, Fault::upstream_limited);
}

TEST_F(CourseTest, StopsWhenThereWereRetriesEnough) {
  RetryBudget none;  // no request has passed it: three at once, no more
  std::vector<Course> running;
  healths_ = {Health::make()};
  int again = 0;
  for (int i = 0; i < 20; ++i) {
    Course& course = running.emplace_back(std::vector<Course::Known>{Health::make()}, CourseRules{}, none);
    auto step = course.next(now_, dice_);
    ASSERT_TRUE(step && course.begin(*step, now_));
    course.failed(0, {.fault = Fault::upstream_failed}, now_);
    again += course.next(now_, dice_).has_value();
  }
  EXPECT_GE(again, 3);
  EXPECT_LE(again, 7);
}

TEST_F(CourseTest, GoesToAnotherTargetWithoutABudget) {
  RetryBudget none;
  for (int i = 0; i < 20; ++i) {
    Course course({Health::make(), Health::make()}, {}, none);
    for (std::size_t place : {0U, 1U}) {
      auto step = course.next(now_, dice_);
      ASSERT_TRUE(step && course.begin(*step, now_)) << i;
      EXPECT_EQ(step->place, place);
      course.failed(place, {.fault = Fault::upstream_overloaded}, now_);
    }
  }
}

TEST_F(CourseTest, WaitsForWhatRestsWhenNothingElseIsLeft) {
  healths_ = {Health::make(), Health::make()};
  for (int k = 0; k < 5; ++k) {
    auto permit = healths_[1]->begin(now_);
    permit.end(Outcome::fault, now_, {}, dice_);
  }
  const std::string way = fly(over(2), {{.fault = Fault::upstream_denied}});
  EXPECT_EQ(way, "0 +1");
}

TEST_F(CourseTest, PassesByWhoIsAtItsCapAndWaitsWhenAllAre) {
  Gate first("a", [] { return std::int64_t{0}; });
  Gate second("b", [] { return std::int64_t{0}; });
  for (Gate* gate : {&first, &second}) gate->bound({.most_running = 1, .most_waiting = 1});
  const auto capped = [&] { return Course({{Health::make(), &first}, {Health::make(), &second}}, {}, budget_); };
  Course one = capped();
  auto step = one.next(now_, dice_);
  ASSERT_TRUE(step && one.begin(*step, now_));
  EXPECT_EQ(step->place, 0u);
  EXPECT_TRUE(first.crowded());
  Course other = capped();
  auto besides = other.next(now_, dice_);
  ASSERT_TRUE(besides && other.begin(*besides, now_));
  EXPECT_EQ(besides->place, 1u);
  Course third = capped();
  auto crowded = third.next(now_, dice_);
  ASSERT_TRUE(crowded);
  EXPECT_TRUE(crowded->crowded);
  EXPECT_EQ(third.crowded(0), &first);
  EXPECT_EQ(third.crowded(1), &second);
  besides->permit = {};  // the call has ended, however
  third.placed(*crowded, 1, second.take());
  ASSERT_TRUE(third.begin(*crowded, now_));
  EXPECT_TRUE(crowded->permit);
  EXPECT_TRUE(second.crowded());
  crowded->permit.end(Outcome::worked, now_, {}, dice_);
  EXPECT_FALSE(second.crowded());
}

TEST_F(CourseTest, WaitsForAPlaceOnlyAsLongAsNothingElseHelps) {
  Gate gate("a", [] { return std::int64_t{0}; });
  gate.bound({.most_running = 1, .most_waiting = 1});
  const Seat taken = gate.take();
  Course course({{Health::make()}, {Health::make(), &gate}}, {}, budget_);
  auto step = course.next(now_, dice_);
  ASSERT_TRUE(step && course.begin(*step, now_));
  course.failed(0, {.fault = Fault::upstream_failed}, now_);
  step = course.next(now_, dice_);
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->crowded) << "the second may have a place before the first is asked again";
  EXPECT_EQ(step->place, 0u);
  EXPECT_LE(step->at_ms, now_ + 500);
  course.turned_away({.fault = Fault::overloaded});
  step = course.next(now_, dice_);
  ASSERT_TRUE(step);
  EXPECT_FALSE(step->crowded);
  EXPECT_EQ(step->place, 0u);

  Course alone({{Health::make(), &gate}}, {}, budget_);
  step = alone.next(now_, dice_);
  ASSERT_TRUE(step && step->crowded);
  alone.turned_away({.fault = Fault::overloaded});
  EXPECT_FALSE(alone.next(now_, dice_));
  EXPECT_EQ(alone.resting(now_).fault, Fault::overloaded);
}

TEST_F(CourseTest, FindsAnotherForAHedge) {
  Course course = over(2);
  auto step = course.next(now_, dice_);
  ASSERT_TRUE(step && course.begin(*step, now_));
  EXPECT_EQ(course.untried(), 1U);
  auto more = course.besides(now_);
  ASSERT_TRUE(more && course.begin(*more, now_));
  EXPECT_EQ(more->place, 1U);
  EXPECT_FALSE(course.besides(now_));
}

TEST_F(CourseTest, WhoLostARaceIsWellEnoughToBeCalledAgain) {
  Course course = over(3);
  auto slow = course.next(now_, dice_);
  ASSERT_TRUE(slow && course.begin(*slow, now_));
  auto quick = course.besides(now_);
  ASSERT_TRUE(quick && course.begin(*quick, now_));
  course.given_up(slow->place);
  course.failed(quick->place, Error{.fault = Fault::upstream_broken}, now_);
  auto third = course.next(now_, dice_);
  ASSERT_TRUE(third && course.begin(*third, now_));
  EXPECT_EQ(third->place, 2U) << "it was not called yet";
  course.failed(third->place, Error{.fault = Fault::upstream_broken}, now_);
  const auto again = course.next(now_, dice_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->place, slow->place) << "rather than whoever broke off";
}

}  // namespace
}  // namespace sluice
