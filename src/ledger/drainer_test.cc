// SPDX-License-Identifier: MIT
#include "ledger/drainer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

#include "base/scratch_test.h"
#include "ledger/sample_entries_test.h"

namespace sluice {
namespace {

constexpr std::int64_t began = 1'793'000'100'000, minute = 60'000;
std::atomic<std::int64_t> clock_ms = began;

std::int64_t now() {
  return clock_ms;
}

// Rows in memory, by their names; fails when it is told to.
class Kept final : public LedgerStore {
 public:
  using Name = std::tuple<std::string, std::int64_t, std::int64_t>;
  Result<std::size_t> write(std::span<const LedgerRow> rows) override {
    std::this_thread::sleep_for(takes);
    const std::scoped_lock lock(mutex);
    ++writes;
    if (fails) return fail(Fault::internal, "The storage failed.", "database is locked");
    std::size_t fresh = 0;
    for (const LedgerRow& row : rows)
      fresh += kept.try_emplace({row.id, row.attempt, row.revision}, row).second ? 1 : 0;
    return fresh;
  }
  Result<bool> settled(std::int64_t, std::string_view id) override {
    const std::scoped_lock lock(mutex);
    const auto found = kept.find({std::string(id), 0, 0});
    return found != kept.end() && found->second.state != RowState::crashed;
  }
  Result<void> forget(std::int64_t before_ms, std::int64_t now_ms) override {
    const std::scoped_lock lock(mutex);
    forgotten.emplace_back(before_ms, now_ms);
    if (fails_to_forget) return fail(Fault::internal, "The storage failed.");
    return {};
  }
  Result<std::vector<UsageSum>> usage(const UsageQuestion&) override { return std::vector<UsageSum>(); }
  Result<void> calls(std::int64_t, const std::function<void(const LedgerRow&)>&) override { return {}; }
  std::size_t count() {
    const std::scoped_lock lock(mutex);
    return kept.size();
  }
  std::size_t forgets() {
    const std::scoped_lock lock(mutex);
    return forgotten.size();
  }
  std::mutex mutex;
  std::map<Name, LedgerRow> kept;
  std::vector<std::pair<std::int64_t, std::int64_t>> forgotten;
  bool fails_to_forget = false;
  std::atomic<bool> fails = false;
  std::chrono::milliseconds takes{0};
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

TEST(Drainer, ForgetsByTheHourAndTriesAFailureNoSooner) {
  clock_ms = began;
  const Scratch scratch;
  Kept store;
  store.fails_to_forget = true;
  const auto journal = open(scratch);
  constexpr std::int64_t retention = 10 * 24 * 60 * minute;
  Drainer drainer(*journal, store, now, retention);
  const auto settle_down = [] { std::this_thread::sleep_for(std::chrono::milliseconds(350)); };
  EXPECT_TRUE(wait([&] { return store.forgets() == 1; }));
  settle_down();
  clock_ms = began + 59 * minute;
  settle_down();
  EXPECT_EQ(store.forgets(), 1U);
  clock_ms = began + 60 * minute;
  EXPECT_TRUE(wait([&] { return store.forgets() == 2; }));
  drainer.retain(retention / 2);
  clock_ms = began - minute;  // set back
  EXPECT_TRUE(wait([&] { return store.forgets() == 3; }));
  const std::scoped_lock lock(store.mutex);
  using Times = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(store.forgotten[0], Times(began - retention, began));
  EXPECT_EQ(store.forgotten[1], Times(began + 60 * minute - retention, began + 60 * minute));
  EXPECT_EQ(store.forgotten[2], Times(began - minute - retention / 2, began - minute));
}

TEST(Drainer, ForgetsAndAdoptsUnderSteadyLoad) {
  clock_ms = began;
  const Scratch scratch;
  Kept store;
  store.takes = std::chrono::milliseconds(5);  // more comes meanwhile
  const auto journal = open(scratch);
  std::atomic<bool> over = false;
  std::thread load([&] {
    for (int i = 0; !over; ++i) {
      journal->append(samples::settlement(std::to_string(i), 1), samples::calls(1));
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  });
  {
    Drainer drainer(*journal, store, now, minute);
    EXPECT_TRUE(wait([&] { return store.forgets() == 1; }));
    {
      auto other = open(scratch);
      settle(*other, "left");
    }
    clock_ms += 10'000;
    EXPECT_TRUE(wait([&] {
      const std::scoped_lock lock(store.mutex);
      return store.kept.contains({"left", 0, 0});
    }));
    over = true;
    load.join();
  }
  EXPECT_TRUE(journal->drained());
}

// The segment of the settlement was given up before; its intent's was needed for something else.
TEST(Drainer, DoesNotCrashWhatWasSettled) {
  clock_ms = began;
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    for (const char* id : {"settled", "open"}) EXPECT_TRUE(journal->append(samples::intent(id, 1)));
  }
  LedgerRow row{.id = "settled", .unix_ms = samples::intent("", 1).asker.unix_ms};
  EXPECT_TRUE(store.write(std::span(&row, 1)));
  const auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  EXPECT_TRUE(wait([&] { return store.count() == 3; }));
  EXPECT_TRUE(wait([&] { return drainer.state().crashed == 2; }));
  EXPECT_FALSE(store.kept.contains({"settled", 1, 0}));
}

TEST(Drainer, KeepsWhatCannotBeReadAndAsksAgain) {
  clock_ms = began;
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    settle(*journal, "a");
  }
  std::string path, moved;
  {
    const auto left = HeldDirectory::left_behind(scratch.path());
    path = left.at(0).segments()->at(0);
    moved = left.at(0).path() + "/moved";
  }
  std::filesystem::rename(path, moved);
  std::filesystem::create_directory(path);  // a file in whose place nothing can be read
  const auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  settle(*journal, "b");
  EXPECT_TRUE(wait([&] { return drainer.state().unread.contains(path); }));
  EXPECT_TRUE(wait([&] { return store.count() == 2; }));  // its own go on
  EXPECT_TRUE(std::filesystem::exists(moved));
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
  std::filesystem::rename(moved, path);
  clock_ms += 10'000;
  EXPECT_TRUE(wait([&] { return store.count() == 4; }));
  EXPECT_TRUE(wait([&] { return drainer.state().unread.empty(); }));
  EXPECT_FALSE(std::filesystem::exists(path));
}

// Writes over what a dead process left.
std::string damage(const Scratch& scratch, int at) {
  const auto left = HeldDirectory::left_behind(scratch.path());
  std::string path = left.at(0).segments()->at(0);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << "no record";
  return path;
}

TEST(Drainer, TellsOfDamage) {
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    for (int i = 0; i < 10; ++i) settle(*journal, std::to_string(i));
  }
  damage(scratch, 400);
  auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  EXPECT_TRUE(wait([&] { return drainer.state().damaged > 0; }));
  EXPECT_GE(store.count(), 18U);
}

TEST(Drainer, PutsAsideWhatNobodyCanMakeSenseOf) {
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    settle(*journal, "a");
  }
  const std::string path = damage(scratch, 2);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
  auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  EXPECT_TRUE(wait([&] { return drainer.state().damaged > 0; }));
  EXPECT_EQ(drainer.state().damaged, size);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(path + ".bad")), size);
}

// Written by a newer program, say.
TEST(Drainer, PutsAsideASegmentWithAnEntryThatItDoesNotKnow) {
  const Scratch scratch;
  Kept store;
  {
    auto journal = open(scratch);
    settle(*journal, "a");
  }
  std::string path;
  {
    const auto left = HeldDirectory::left_behind(scratch.path());
    path = left.at(0).segments()->at(0);
    std::string bytes = samples::segment();
    samples::append_record(bytes, samples::settled("known", 1));
    samples::append_record(bytes, "\x07 unheard of");
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  auto journal = open(scratch);
  Drainer drainer(*journal, store, now, 0);
  EXPECT_TRUE(wait([&] { return drainer.state().damaged > 0; }));
  EXPECT_EQ(store.count(), 2U);
  EXPECT_TRUE(std::filesystem::exists(path + ".bad"));
}

}  // namespace
}  // namespace sluice
