// SPDX-License-Identifier: MIT
#include "ledger/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <latch>
#include <set>
#include <thread>

#include "base/scratch_test.h"
#include "ledger/books.h"
#include "ledger/sample_entries_test.h"

namespace {
std::atomic<int> syncs = 0;
}

// In place of the C library's.
extern "C" int fdatasync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace sluice {
namespace {

constexpr std::size_t small = 1024 * 1024;

std::unique_ptr<Journal> open(const Scratch& scratch, std::size_t segments = 16,
                              Journal::Durability durability = Journal::Durability::relaxed) {
  auto journal = Journal::open({.root = scratch.path(),
                                .unix_ms = 1,
                                .segment_bytes = small,
                                .most_bytes = segments * small,
                                .durability = durability});
  EXPECT_TRUE(journal) << journal.error()->detail;
  return std::move(*journal);
}

std::multiset<std::string> ids(Journal& journal) {
  std::multiset<std::string> out;
  while (journal.read([&](std::string_view record, std::uint64_t) {
    const auto entry = read_entry(record);
    EXPECT_TRUE(entry);
    if (entry && std::holds_alternative<Settled>(*entry)) out.emplace(std::get<Settled>(*entry).settlement.asker.id);
    return true;
  }) != 0) {
  }
  return out;
}

void settle(Journal& journal, const std::string& id) {
  journal.append(samples::settlement(id, 1), samples::calls(1));
}

// The one call of a settlement, whose writing stops in the middle.
struct SlowCalls {
  std::vector<CallLine> lines = samples::calls(1);
  mutable int walked = 0;
  mutable std::latch begun{1}, go_on{1};
  [[nodiscard]] auto begin() const {
    if (++walked == 2) {  // once for the size, once for the writing
      begun.count_down();
      go_on.wait();
    }
    return lines.begin();
  }
  [[nodiscard]] auto end() const { return lines.end(); }
};

// Waits for it.
bool synced(Journal& journal) {
  std::promise<bool> told;
  journal.sync([&](bool well) { told.set_value(well); });
  return told.get_future().get();
}

TEST(Journal, IsReadInTheOrderInWhichItWasWritten) {
  const Scratch scratch;
  const auto journal = open(scratch);
  EXPECT_TRUE(journal->append(samples::intent("a", 1)));
  settle(*journal, "a");
  std::vector<std::size_t> kinds;
  journal->read([&](std::string_view record, std::uint64_t segment) {
    EXPECT_EQ(segment, 1U);
    kinds.push_back(read_entry(record)->index());
    return true;
  });
  EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 2}));
  EXPECT_TRUE(journal->drained());
}

// What follows may build upon it: a settlement upon its intent.
TEST(Journal, IsNotReadBeyondWhatSomebodyIsStillWriting) {
  const Scratch scratch;
  const auto journal = open(scratch, 16);
  SlowCalls slow;
  std::thread writer([&] { journal->append(samples::settlement("slow", 1), slow); });
  slow.begun.wait();
  constexpr int more = 6'000;  // into the third segment
  for (int i = 0; i < more; ++i) settle(*journal, std::to_string(i));
  EXPECT_EQ(ids(*journal).size(), 0U);
  EXPECT_FALSE(journal->drained());
  slow.go_on.count_down();
  writer.join();
  EXPECT_EQ(ids(*journal).size(), 1U + more);
  EXPECT_TRUE(journal->drained());
}

TEST(Journal, GivesARecordAgainThatWasNotTaken) {
  const Scratch scratch;
  const auto journal = open(scratch);
  settle(*journal, "a");
  EXPECT_EQ(journal->read([](std::string_view, std::uint64_t) { return false; }), 0U);
  EXPECT_FALSE(journal->drained());
  EXPECT_EQ(ids(*journal), (std::multiset<std::string>{"a"}));
}

// Every one of them arrives once, over many segments, while they are read and given up.
TEST(Journal, LosesNothingOfManyThreads) {
  const Scratch scratch;
  const auto journal = open(scratch, 64);
  constexpr int threads = 4, each = 10'000;
  std::multiset<std::string> read;
  {
    std::vector<std::jthread> writers;
    std::latch go(threads);
    std::atomic<int> running = threads;
    writers.reserve(threads);
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&, t] {
        go.arrive_and_wait();
        for (int i = 0; i < each; ++i) settle(*journal, std::to_string(t) + '.' + std::to_string(i));
        --running;
      });
    }
    while (running > 0) {
      read.merge(ids(*journal));
      journal->release([](std::uint64_t) { return false; });
    }
  }
  for (int i = 0; i < 200 && !journal->drained(); ++i) {
    read.merge(ids(*journal));
    journal->release([](std::uint64_t) { return false; });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(read.size(), static_cast<std::size_t>(threads) * each);
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).size(), read.size());
}

TEST(Journal, WithoutRoomRefusesWhatIsNewAndLosesNothingThatIsUnderWay) {
  const Scratch scratch;
  const auto journal = open(scratch, 3);
  int begun = 0;
  while (journal->append(samples::intent(std::to_string(begun), 1))) ++begun;
  EXPECT_FALSE(journal->takes());
  for (int i = 0; i < begun; ++i) settle(*journal, std::to_string(i));  // more than the last segment has room for
  EXPECT_GT(journal->state().kept_back, 0U);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(journal->state().health, Journal::Health::full);
  EXPECT_NE(journal->state().why, "");
  std::multiset<std::string> read;
  for (int i = 0; i < 500 && (read.size() < static_cast<std::size_t>(begun) || !journal->takes()); ++i) {
    read.merge(ids(*journal));
    journal->release([](std::uint64_t) { return false; });
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(read.size(), static_cast<std::size_t>(begun));
  EXPECT_EQ(journal->state().health, Journal::Health::well);
  EXPECT_TRUE(journal->append(samples::intent("again", 1)));
}

TEST(Journal, LeavesTheLastOfADiskToWhoeverEmptiesIt) {
  const Scratch scratch;
  auto opened =
      Journal::open({.root = scratch.path(), .unix_ms = 1, .segment_bytes = small, .kept_free = std::size_t{1} << 60U});
  ASSERT_TRUE(opened) << opened.error()->detail;
  Journal& journal = **opened;
  int taken = 0;
  while (journal.append(samples::intent(std::to_string(taken), 1)) && taken < 100'000) ++taken;
  EXPECT_GT(taken, 1000);
  EXPECT_LT(taken, 100'000);
  settle(journal, "0");  // what is under way has its room
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (journal.state().health != Journal::Health::full && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto state = journal.state();
  EXPECT_EQ(state.health, Journal::Health::full);
  EXPECT_NE(state.why.find("the disk has no more than"), std::string::npos) << state.why;
  EXPECT_EQ(state.segments, 3U);
  EXPECT_EQ(ids(journal).count("0"), 1U);
}

TEST(Journal, OfAKilledProcessIsLeftBehindWithAllThatWasAppended) {
  const Scratch scratch;
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = Journal::open({.root = scratch.path(), .unix_ms = 1, .segment_bytes = small});
    for (int i = 0; i < 5'000; ++i) settle(**journal, std::to_string(i));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  std::set<std::string> read;
  auto left = HeldDirectory::left_behind(scratch.path());
  ASSERT_EQ(left.size(), 1U);
  for (const std::string& path : *left[0].segments()) {
    const auto bytes = read_segment(path);
    SegmentReader reader(*bytes);
    while (const auto record = reader.next()) read.emplace(std::get<Settled>(*read_entry(*record)).settlement.asker.id);
    EXPECT_EQ(reader.damaged(), 0U);
  }
  EXPECT_EQ(read.size(), 5'000U);
  EXPECT_TRUE(HeldDirectory::left_behind(scratch.path()).empty());  // we hold it
  left[0].remove();
  left.clear();
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Journal, OfALivingProcessIsNobodyElses) {
  const Scratch scratch;
  auto journal = open(scratch);
  EXPECT_TRUE(HeldDirectory::left_behind(scratch.path()).empty());
  journal.reset();
  EXPECT_EQ(HeldDirectory::left_behind(scratch.path()).size(), 1U);
}

TEST(Journal, ThatWasDrainedGoesWithItsDirectory) {
  const Scratch scratch;
  auto journal = open(scratch);
  journal->discard_on_close();
  journal.reset();
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Journal, TellsWhenTheDiskHasIt) {
  const Scratch scratch;
  const auto journal = open(scratch, 16, Journal::Durability::strict);
  std::atomic<int> told = 0;
  for (int i = 0; i < 10; ++i) {
    settle(*journal, std::to_string(i));
    journal->sync([&](bool well) { told += well ? 1 : 100; });
  }
  for (int i = 0; i < 500 && told < 10; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(told, 10);
}

// A place that is taken is on no disk yet; nor is it once the rest of its segment is.
TEST(Journal, SyncsWhatWasBeingWrittenTheLastTime) {
  const Scratch scratch;
  const auto journal = open(scratch, 16, Journal::Durability::strict);
  SlowCalls slow;
  std::thread writer([&] { journal->append(samples::settlement("slow", 1), slow); });
  slow.begun.wait();
  settle(*journal, "quick");
  EXPECT_TRUE(synced(*journal));
  slow.go_on.count_down();
  writer.join();
  const int before = syncs;
  EXPECT_TRUE(synced(*journal));
  EXPECT_GT(syncs, before);
  const int after = syncs;
  EXPECT_TRUE(synced(*journal));
  EXPECT_EQ(syncs, after);  // nothing new
}

TEST(Journal, IsNotBrokenByAProcessWithoutDescriptors) {
  const Scratch scratch;
  const auto journal = open(scratch, 16, Journal::Durability::strict);
  settle(*journal, "a");
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool well = synced(*journal);
  const auto health = journal->state().health;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(well);
  EXPECT_EQ(health, Journal::Health::well);
}

TEST(Journal, DoesNotSayThatTheDiskHasWhatWaitsInMemory) {
  const Scratch scratch;
  const auto journal = open(scratch, 3, Journal::Durability::strict);
  for (int i = 0; journal->state().kept_back == 0; ++i) settle(*journal, std::to_string(i));
  EXPECT_FALSE(synced(*journal));
  EXPECT_EQ(journal->state().health, Journal::Health::full);
  while (!journal->takes()) {
    ids(*journal);
    journal->release([](std::uint64_t) { return false; });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  settle(*journal, "again");
  EXPECT_TRUE(synced(*journal));
}

TEST(Journal, GivesAtItsEndAlsoWhatNeverFoundRoom) {
  const Scratch scratch;
  const auto journal = open(scratch, 3);
  int count = 0;
  for (; journal->state().kept_back < 10; ++count) settle(*journal, std::to_string(count));
  journal->stop();
  settle(*journal, "behind the end");
  EXPECT_EQ(ids(*journal).size(), static_cast<std::size_t>(count) + 1);
  EXPECT_TRUE(journal->drained());
}

TEST(Journal, PlacesAtItsEndWhatThereIsRoomFor) {
  const Scratch scratch;
  {
    const auto journal = open(scratch, 64);
    std::latch asleep(1), awake(1);
    journal->sync([&](bool) {
      asleep.count_down();
      awake.wait();
    });
    asleep.wait();
    // More than its spares hold, and its thread makes no more of them.
    for (int i = 0; i < 20'000; ++i) settle(*journal, std::to_string(i));
    EXPECT_GT(journal->state().kept_back, 0U);
    std::thread stopper([&] { journal->stop(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    awake.count_down();
    stopper.join();
    EXPECT_EQ(journal->state().kept_back, 0U);
  }
  std::size_t read = 0;
  const auto left = HeldDirectory::left_behind(scratch.path());
  for (const std::string& path : *left.at(0).segments()) {
    const auto bytes = read_segment(path);
    SegmentReader reader(*bytes);
    while (reader.next()) ++read;
  }
  EXPECT_EQ(read, 20'000U);
}

TEST(Journal, TellsOfMoreCallsThanOneRecordHolds) {
  const Scratch scratch;
  const auto journal = open(scratch);
  constexpr std::uint32_t count = 500;
  const std::string backend(most_entry_name, 'b');
  auto calls = samples::calls(count);
  for (CallLine& line : calls) line.callee.backend = backend;
  journal->append(samples::settlement("r", count), calls);
  settle(*journal, "next");
  Books books;
  std::vector<LedgerRow> rows;
  journal->read([&](std::string_view record, std::uint64_t segment) { return books.take(record, segment, rows); });
  ASSERT_EQ(rows.size(), count + 1 + 2);
  for (std::uint32_t i = 0; i < count; ++i) EXPECT_EQ(rows[i].attempt, i + 1);
  EXPECT_EQ(rows[count].attempt, 0);
  EXPECT_TRUE(journal->drained());
}

TEST(Journal, SaysOfWhatCannotBeReadThatItCannot) {
  const Scratch scratch;
  open(scratch).reset();
  const auto left = HeldDirectory::left_behind(scratch.path());
  ASSERT_EQ(left.size(), 1U);
  const std::string path = left[0].segments()->at(0);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto segments = left[0].segments();
  const auto bytes = read_segment(path);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_FALSE(segments);
  EXPECT_FALSE(bytes);
  EXPECT_TRUE(read_segment(path));
}

TEST(Journal, LeavesTheRightsOfADirectoryThatWasThere) {
  namespace fs = std::filesystem;
  const Scratch scratch;
  fs::permissions(scratch.path(), fs::perms::owner_all | fs::perms::group_read);
  open(scratch).reset();
  EXPECT_EQ(fs::status(scratch.path()).permissions(), fs::perms::owner_all | fs::perms::group_read);
  const std::string made = scratch.path() + "/made";
  EXPECT_TRUE(Journal::open({.root = made, .unix_ms = 1, .segment_bytes = small}));
  EXPECT_EQ(fs::status(made).permissions(), fs::perms::owner_all);
}

TEST(Journal, SaysWhyItCannotBegin) {
  const Scratch scratch;
  const auto nowhere = Journal::open({.root = "/proc/no/such/place", .unix_ms = 1});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error()->detail.find("/proc/no/such/place"), std::string::npos);
  const auto tiny = Journal::open({.root = scratch.path(), .unix_ms = 1, .segment_bytes = small, .most_bytes = small});
  ASSERT_FALSE(tiny);
  EXPECT_TRUE(HeldDirectory::left_behind(scratch.path()).empty());
}

}  // namespace
}  // namespace sluice
