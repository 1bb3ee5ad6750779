// SPDX-License-Identifier: MIT
#include "ledger/entry.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "ledger/sample_entries_test.h"

namespace sluice {
namespace {

TEST(Entry, IsReadAsItWasWritten) {
  const Intent intent = samples::intent("req_1", 2);
  const std::string bytes = samples::bytes(intent);
  const auto read = read_entry(bytes);
  ASSERT_TRUE(read);
  const auto& again = std::get<Intent>(*read);
  EXPECT_EQ(again.asker.id, "req_1");
  EXPECT_EQ(again.asker.key, intent.asker.key);
  EXPECT_EQ(again.asker.tags, intent.asker.tags);
  EXPECT_EQ(again.callee.attempt, 2);
  EXPECT_EQ(again.callee.price, intent.callee.price);
  EXPECT_EQ(again.input, intent.input);
  EXPECT_EQ(samples::bytes(again), bytes);
}

TEST(Entry, KeepsWhatIsUnknownApartFromZero) {
  Checkpoint checkpoint{.id = "req_1"};
  checkpoint.exact.set(Bucket::cache_read, 0);
  checkpoint.estimated.set(Bucket::output, 12);
  const std::string bytes = samples::bytes(checkpoint);
  const auto read = read_entry(bytes);
  ASSERT_TRUE(read);
  const auto& again = std::get<Checkpoint>(*read);
  EXPECT_EQ(again.exact, checkpoint.exact);
  EXPECT_EQ(again.exact.get(Bucket::input), std::nullopt);
  EXPECT_EQ(again.exact.get(Bucket::cache_read), 0);
  EXPECT_EQ(again.estimated.get(Bucket::output), 12);
  EXPECT_FALSE(again.outcome);
  EXPECT_FALSE(again.fault);
}

TEST(Entry, HoldsTheCallsOfASettlement) {
  const std::string bytes = samples::settled("req_1", 3);
  const auto read = read_entry(bytes);
  ASSERT_TRUE(read);
  const auto& settled = std::get<Settled>(*read);
  ASSERT_EQ(settled.calls.size(), 3U);
  EXPECT_EQ(settled.calls[2].callee.attempt, 3);
  EXPECT_EQ(settled.calls[0].fault, Fault::upstream_failed);
  EXPECT_EQ(settled.calls[2].exact.get(Bucket::output), 50);
  EXPECT_EQ(settled.settlement.fault, std::nullopt);
}

TEST(Entry, ThatWasCutAnywhereIsNone) {
  for (const std::string& bytes : {samples::bytes(samples::intent("req_1", 1)), samples::settled("req_1", 2)}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(read_entry(std::string_view(bytes).substr(0, size))) << size;
    }
    EXPECT_FALSE(read_entry(bytes + 'x'));
  }
  EXPECT_FALSE(read_entry("\x07 and so on"));
}

TEST(Entry, CutsANameThatIsTooLongBetweenTwoLetters) {
  Intent intent = samples::intent("req_1", 1);
  std::string endless = "a";
  for (int i = 0; i < 5'000; ++i) endless += "\u00E9";
  intent.asker.asked = endless;
  const std::string bytes = samples::bytes(intent);
  bool lost = true;
  const auto read = read_entry(bytes, &lost);
  ASSERT_TRUE(read);
  EXPECT_FALSE(lost);
  EXPECT_EQ(std::get<Intent>(*read).asker.asked, endless.substr(0, most_entry_name - 1));
}

// Half a price is another price, half a path another group.
TEST(Entry, KeepsWhatMustBeWholeOrSaysThatItIsLost) {
  const std::string most(most_entry_text, 'a');
  Intent intent = samples::intent("req_1", 1);
  intent.asker.groups = intent.callee.price = most;
  bool lost = true;
  std::string bytes = samples::bytes(intent);
  auto read = read_entry(bytes, &lost);
  ASSERT_TRUE(read);
  EXPECT_FALSE(lost);
  EXPECT_EQ(std::get<Intent>(*read).callee.price, most);
  for (auto* text : {&intent.asker.groups, &intent.callee.price}) {
    const std::string longer = most + 'a';
    const std::string_view before = std::exchange(*text, longer);
    bytes = samples::bytes(intent);
    read = read_entry(bytes, &lost);
    ASSERT_TRUE(read);
    EXPECT_TRUE(lost);
    const auto& again = std::get<Intent>(*read);
    EXPECT_EQ(again.asker.groups.size() + again.callee.price.size(), most.size());
    EXPECT_EQ(again.asker.id, "req_1");
    *text = before;
  }
}

}  // namespace
}  // namespace sluice
