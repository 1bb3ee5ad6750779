// SPDX-License-Identifier: MIT
#include "policy/affinity.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

std::string find(Affinity& memory, std::string_view tenant, std::vector<std::uint64_t> keys, std::int64_t now = 0) {
  return memory.find(tenant, keys, now);
}

TEST(Affinity, FindsTheLongestKnownBeginning) {
  Affinity memory;
  EXPECT_EQ(find(memory, "t", {1, 2}), "");
  memory.keep("t", 2, "short", 100);
  EXPECT_EQ(find(memory, "t", {1, 2}), "short");
  memory.keep("t", 1, "long", 100);
  EXPECT_EQ(find(memory, "t", {1, 2}), "long");
  memory.keep("t", 1, "moved", 100);
  EXPECT_EQ(find(memory, "t", {1, 2}), "moved");
  EXPECT_EQ(memory.size(), 2u);
  EXPECT_EQ(find(memory, "another", {1, 2}), "") << "tenants share nothing";
}

TEST(Affinity, ForgetsWhatIsOld) {
  Affinity memory;
  memory.keep("t", 1, "a", 100);
  memory.keep("t", 2, "b", 200);
  EXPECT_EQ(find(memory, "t", {1, 2}, 99), "a");
  EXPECT_EQ(find(memory, "t", {1, 2}, 100), "b");
  EXPECT_EQ(memory.size(), 1u);
  EXPECT_EQ(find(memory, "t", {1, 2}, 200), "");
  EXPECT_EQ(memory.size(), 0u);
}

TEST(Affinity, TheLongestUnusedGoesFirstAndOneTenantDoesNotDriveOutAll) {
  Affinity memory(4 * 40);  // ten of one tenant
  for (std::uint64_t key = 0; key < 10; ++key) memory.keep("t", key, "a", 100);
  EXPECT_EQ(find(memory, "t", {0}), "a");
  memory.keep("t", 10, "a", 100);
  EXPECT_EQ(find(memory, "t", {0}), "a") << "was used";
  EXPECT_EQ(find(memory, "t", {1}), "");
  for (std::uint64_t key = 1000; key < 100'000; ++key) memory.keep("greedy", key, "b", 100);
  EXPECT_EQ(find(memory, "t", {0}), "a");
  for (int i = 0; i < 10'000; ++i) memory.keep("tenant " + std::to_string(i), 1, "c", 100);
  EXPECT_LE(memory.size(), 160u);
  EXPECT_EQ(find(memory, "tenant 9999", {1}), "c");
  EXPECT_EQ(find(memory, "greedy", {99'999}), "");
}

TEST(Affinity, WithoutRoomNothingIsKept) {
  Affinity memory(0);
  memory.keep("t", 1, "a", 100);
  EXPECT_EQ(find(memory, "t", {1}), "");
}

TEST(Affinity, HoldsUnderThreads) {
  Affinity memory(4 * 64);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&memory, t] {
      for (std::uint64_t i = 0; i < 3000; ++i) {
        const std::string tenant(1, static_cast<char>('a' + i % 7));
        const std::string account = tenant + std::to_string(i % 31);
        memory.keep(tenant, i % 31, account, 1000);
        const std::string found = find(memory, tenant, {(i + t) % 31}, static_cast<std::int64_t>(i % 2 * 2000));
        if (!found.empty()) {
          EXPECT_EQ(found, tenant + std::to_string((i + t) % 31));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(memory.size(), 256u);
}

}  // namespace
}  // namespace sluice
