// SPDX-License-Identifier: MIT
#include "ledger/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <latch>
#include <set>
#include <thread>

#include "base/scratch_test.h"
#include "ledger/sample_entries_test.h"

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
  for (const std::string& path : left[0].segments()) {
    const MappedFile file(path);
    SegmentReader reader(file.bytes());
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
