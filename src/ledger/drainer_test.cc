// SPDX-License-Identifier: MIT
#include "ledger/drainer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

#include "base/scratch_test.h"
#include "ledger/sample_entries_test.h"

namespace sluice {
namespace {

std::int64_t now() {
  return 1'793'000'100'000;
}

// Rows in memory, by their names; fails when it is told to.
class Kept final : public LedgerStore {
 public:
  using Name = std::tuple<std::string, std::int64_t, std::int64_t>;
  Result<std::size_t> write(std::span<const LedgerRow> rows) override {
    const std::scoped_lock lock(mutex);
    ++writes;
    if (fails) return fail(Fault::internal, "The storage failed.", "database is locked");
    std::size_t fresh = 0;
    for (const LedgerRow& row : rows)
      fresh += kept.try_emplace({row.id, row.attempt, row.revision}, row).second ? 1 : 0;
    return fresh;
  }
  Result<void> forget(std::int64_t, std::int64_t) override { return {}; }
  Result<std::vector<UsageSum>> usage(const UsageQuestion&) override { return std::vector<UsageSum>(); }
  Result<void> calls(std::int64_t, const std::function<void(const LedgerRow&)>&) override { return {}; }
  std::size_t count() {
    const std::scoped_lock lock(mutex);
    return kept.size();
  }
  std::mutex mutex;
  std::map<Name, LedgerRow> kept;
  std::atomic<bool> fails = false;
  int writes = 0;
};

std::unique_ptr<Journal> open(const Scratch& scratch) {
  auto journal = Journal::open({.root = scratch.path(), .unix_ms = 1, .segment_bytes = 1024 * 1024});
  EXPECT_TRUE(journal);
  return std::move(*journal);
}

template <class Until>
bool wait(Until until) {
  for (int i = 0; i < 500 && !until(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return until();
}

void settle(Journal& journal, const std::string& id) {
  EXPECT_TRUE(wait([&] { return journal.append(samples::intent(id, 1)); }));
  journal.append(samples::settlement(id, 1), samples::calls(1));
}

TEST(Drainer, MovesAllAndLeavesNoFileBehind) {
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    Drainer drainer(*journal, store, now, 0);
    for (int i = 0; i < 10'000; ++i) settle(*journal, std::to_string(i));
    EXPECT_TRUE(drainer.close());
    journal->discard_on_close();
  }
  EXPECT_EQ(store.count(), 20'000U);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Drainer, TriesAgainWhatTheStoreDidNotTake) {
  const Scratch scratch;
  Kept store;
  store.fails = true;
  auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  for (int i = 0; i < 100; ++i) settle(*journal, std::to_string(i));
  EXPECT_TRUE(wait([&] { return !drainer.state().failure.empty(); }));
  EXPECT_EQ(drainer.state().failure, "database is locked");
  EXPECT_EQ(store.count(), 0U);
  store.fails = false;
  EXPECT_TRUE(wait([&] { return drainer.state().written == 200; }));
  EXPECT_EQ(drainer.state().failure, "");
  EXPECT_EQ(store.count(), 200U);
}

TEST(Drainer, ThatIsStoppedWhileTheStoreFailsLeavesTheJournalToTheNext) {
  const Scratch scratch;
  Kept store;
  store.fails = true;
  {
    auto journal = open(scratch);
    Drainer drainer(*journal, store, now, 0);
    settle(*journal, "a");
    EXPECT_FALSE(drainer.close());
  }
  store.fails = false;
  auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  EXPECT_TRUE(wait([&] { return store.count() == 2; }));
}

TEST(Drainer, ClosesWhatADeadProcessLeftOpenAndCountsNothingTwice) {
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    settle(*journal, "done");
    EXPECT_TRUE(journal->append(samples::intent("open", 1)));
    Checkpoint seen{.id = "open", .attempt = 1};
    seen.estimated.set(Bucket::output, 33);
    journal->append(seen);
  }
  auto journal = open(scratch);
  {
    Drainer drainer(*journal, store, now, 0);
    EXPECT_TRUE(wait([&] { return store.count() == 4; }));
    EXPECT_TRUE(wait([&] { return drainer.state().crashed == 2; }));
  }
  const LedgerRow& crashed = store.kept.at({"open", 1, 0});
  EXPECT_EQ(crashed.state, RowState::crashed);
  EXPECT_EQ(crashed.estimated.get(Bucket::output), 33);
  EXPECT_EQ(store.kept.at({"done", 1, 0}).state, RowState::complete);
  EXPECT_TRUE(HeldDirectory::left_behind(scratch.path()).empty());
}

TEST(Drainer, TellsOfDamage) {
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    for (int i = 0; i < 10; ++i) settle(*journal, std::to_string(i));
  }
  {
    auto left = HeldDirectory::left_behind(scratch.path());
    std::fstream file(left.at(0).segments().at(0), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(400);
    file << "no record";
  }
  auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  EXPECT_TRUE(wait([&] { return drainer.state().damaged > 0; }));
  EXPECT_GE(store.count(), 18U);
}

}  // namespace
}  // namespace sluice
