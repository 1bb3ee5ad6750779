// SPDX-License-Identifier: MIT
#include "gateway/expense.h"

#include <gtest/gtest.h>

#include "gateway/used.h"

namespace sluice {
namespace {

// A dollar for a million tokens of a question, ten for an answer: 1,000 and 10,000 nano-dollars a token.
std::shared_ptr<const Priced> target(std::int64_t most_output = 0, std::string_view price = "input=1 output=10") {
  return std::make_shared<Priced>(*read_price(price), false, most_output);
}

// A record with so many calls that were sent.
Record calls(std::size_t count) {
  Record out;
  out.attempts.resize(count);
  for (Attempt& one : out.attempts) one.sent_us = 1;
  return out;
}

TEST(Expense, AWholeAnswerHasItsLongestFormSetAside) {
  Expense::Asked asked{.input = 100, .most = 50};
  EXPECT_EQ(Expense(asked).at_first(*target(1'000)), 100'000 + 500'000) << "as asked";
  asked.answers = 3;
  EXPECT_EQ(Expense(asked).at_first(*target(1'000)), 100'000 + 1'500'000);
  EXPECT_EQ(Expense({.input = 100}).at_first(*target(1'000)), 100'000 + 10'000'000) << "as the model can";
  EXPECT_EQ(Expense({.input = 100}).at_first(*target()), 100'000 + 2'560'000) << "else a step";
  EXPECT_EQ(Expense({.input = 100, .output = false}).at_first(*target(1'000)), 100'000);
}

TEST(Expense, AStreamHasAStepSetAside) {
  EXPECT_EQ(Expense({.input = 100, .most = 1'000, .watched = true}).at_first(*target()), 100'000 + 2'560'000);
  EXPECT_EQ(Expense({.input = 100, .most = 9, .watched = true}).at_first(*target()), 100'000 + 90'000);
}

TEST(Expense, WhatHasNoPriceIsNotFree) {
  EXPECT_EQ(Expense({.input = 100}).at_first(*target(0, "")), std::nullopt);
  EXPECT_EQ(Expense({.input = 100}).at_first(*target(0, "input=1")), std::nullopt) << "nor of its answers";
  EXPECT_EQ(Expense({.input = 100, .output = false}).at_first(*target(0, "input=1")), 100'000);
  EXPECT_EQ(Expense({.input = 100, .free = true}).at_first(*target(0, "")), 0);
  Priced demo;
  demo.free = true;
  EXPECT_EQ(Expense({.input = 100}).at_first(demo), 0);
}

TEST(Expense, TheLaneThatIsAskedForHasItsOwnPriceWhereThereIsOne) {
  const auto flex = target(0, "input=1 output=10 flex.input=0.5 flex.output=5");
  EXPECT_EQ(Expense({.input = 100, .most = 10, .lane = Lane::flex}).at_first(*flex), 50'000 + 50'000);
  EXPECT_EQ(Expense({.input = 100, .most = 10, .lane = Lane::priority}).at_first(*flex), 100'000 + 100'000);
}

TEST(Expense, GrowsByStepsWhileAStreamRuns) {
  Expense expense({.most = 10'000, .watched = true});
  const Record record = calls(1);
  expense.begin(0, target());
  EXPECT_EQ(expense.needed(record), 2'560'000);
  EXPECT_FALSE(expense.heard(0, 255));
  EXPECT_TRUE(expense.heard(0, 256));
  EXPECT_EQ(expense.needed(record), 2 * 2'560'000);
  EXPECT_FALSE(expense.heard(0, 511));
  EXPECT_TRUE(expense.heard(0, 2'000)) << "many at once";
  EXPECT_EQ(expense.needed(record), 8 * 2'560'000);
  EXPECT_FALSE(expense.heard(7, 1'000)) << "nobody's";
}

TEST(Expense, CallsThatAreKnownToHaveMadeNothingNeedNothing) {
  Expense expense({.input = 10, .most = 10});
  Record record = calls(3);
  for (std::size_t i = 0; i < 3; ++i) expense.begin(i, target());
  EXPECT_EQ(expense.needed(record), 3 * 110'000);
  record.attempts[0].ended_us = 5;
  record.attempts[0].status = 503;
  record.attempts[1].ended_us = 5;
  record.attempts[1].sent_us = -1;
  record.attempts[1].fault = Fault::upstream_unreachable;
  EXPECT_EQ(expense.needed(record), 110'000);
}

TEST(Expense, IsWhatEachCallUsedAtItsOwnPrice) {
  Expense expense({.input = 10, .most = 10});
  Record record = calls(4);
  expense.begin(0, target());                        // refused
  expense.begin(1, target());                        // stopped by a filter
  expense.begin(2, target(0, "input=2 output=20"));  // too slow, given up: nobody told anything
  expense.begin(3, target(0, "input=3 output=30"));  // answered
  record.attempts[0].ended_us = 1;
  record.attempts[0].status = 500;
  record.attempts[2].given_up = true;
  record.answered = 3;
  record.spent = {{.attempt = 1, .usage = {.input = 7, .output = 1}}};
  record.usage = {.input = 100, .cache_read = 0, .output = 5, .reasoning = 2};
  EXPECT_EQ(expense.spent(record), (7'000 + 10'000) + 10 * 2'000 + (300'000 + 7 * 30'000));
  record.coalesced = true;
  EXPECT_EQ(expense.spent(record), 0) << "somebody else paid";
}

TEST(Expense, OfAStreamThatBrokeOffWhatWasHeardCounts) {
  Expense expense({.input = 10, .watched = true});
  Record record = calls(1);
  expense.begin(0, target());
  record.estimated_output = 300;
  record.answered = 0;
  record.attempts[0].fault = Fault::client_gone;
  record.usage = {.input = 20, .output = 1};  // what Anthropic tells at the beginning
  EXPECT_EQ(expense.spent(record), 20'000 + 3'000'000);
  record.usage = {};
  EXPECT_EQ(expense.spent(record), 10'000 + 3'000'000) << "the question by a guess";
  record.attempts[0].fault.reset();
  record.usage = {.input = 20, .output = 40};
  EXPECT_EQ(expense.spent(record), 20'000 + 400'000) << "the vendor knows best";
}

TEST(Expense, TakesThePiecesOfWhatIsNoText) {
  Expense expense({.output = false, .units = {.search_units = 1}});
  Record record = calls(1);
  const auto by_search = target(0, "search_unit=0.002");
  EXPECT_EQ(expense.at_first(*by_search), 2'000'000);
  expense.begin(0, by_search);
  record.answered = 0;
  record.units.search_units = 3;
  EXPECT_EQ(expense.spent(record), 6'000'000);
}

TEST(Expense, IsAskedForByPostAndNotByWhatIsOnlyKept) {
  const auto costs = [](std::string_view method, std::string_view operation) {
    Heading heading;
    heading.method = method;
    heading.operation = operation;
    return may_cost(heading);
  };
  EXPECT_TRUE(costs("POST", "chat"));
  EXPECT_TRUE(costs("POST", "batches"));
  EXPECT_FALSE(costs("GET", "batches"));
  EXPECT_FALSE(costs("POST", "files"));
  EXPECT_FALSE(costs("POST", "count_tokens"));
}

}  // namespace
}  // namespace sluice
