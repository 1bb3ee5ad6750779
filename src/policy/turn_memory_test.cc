// SPDX-License-Identifier: MIT
#include "policy/turn_memory.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using Bounds = TurnMemory::Bounds;

constexpr TurnMemory::Time start{1h};
constexpr Bounds plenty{.bytes = 1 << 20, .age = 1h};

KeptTurn signed_call(const std::string& id, const std::string& proof = "proof") {
  const std::vector<Part> parts = {{.body = Reasoning{.text = "hm"}, .seal = Seal{.raw = proof}},
                                   {.body = ToolCall{.id = id, .name = "f"}}};
  return kept_turn(parts, "e1", 0);
}

TEST(TurnMemory, FindsATurnByEachOfItsCalls) {
  TurnMemory memory;
  EXPECT_TRUE(memory.empty());
  memory.keep("a", signed_call("c1"), plenty, start);
  EXPECT_FALSE(memory.empty());
  const auto found = memory.find("a", "call:c1", start);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pieces[0].part.seal->raw, "proof");
  EXPECT_FALSE(memory.find("a", "call:c2", start));
}

TEST(TurnMemory, KeepsNothingForAStranger) {
  TurnMemory memory;
  memory.keep("a", signed_call("c1"), plenty, start);
  EXPECT_FALSE(memory.find("b", "call:c1", start));
  EXPECT_FALSE(memory.find("", "call:c1", start));
}

TEST(TurnMemory, ForgetsWithAge) {
  TurnMemory memory;
  memory.keep("a", signed_call("c1"), plenty, start);
  EXPECT_TRUE(memory.find("a", "call:c1", start + 59min));
  EXPECT_FALSE(memory.find("a", "call:c1", start + 1h));
  memory.keep("a", signed_call("c2"), plenty, start + 2h);
  EXPECT_EQ(memory.bytes(), [] {
    TurnMemory one;
    one.keep("a", signed_call("c2"), plenty, start);
    return one.bytes();
  }());
}

TEST(TurnMemory, StaysWithinItsBoundAndForgetsTheOldestFirst) {
  TurnMemory memory;
  const Bounds small{.bytes = 64 * 1024, .age = 1h};
  const std::string proof(1000, 'p');
  for (int i = 0; i < 1000; ++i) {
    memory.keep("a", signed_call("c" + std::to_string(i), proof), small, start);
    ASSERT_LE(memory.bytes(), small.bytes / 4);
  }
  EXPECT_TRUE(memory.find("a", "call:c999", start));
  EXPECT_FALSE(memory.find("a", "call:c0", start));
  TurnMemory none;
  none.keep("a", signed_call("c1"), {.bytes = 0, .age = 1h}, start);
  EXPECT_TRUE(none.empty());
}

TEST(TurnMemory, AnIdThatComesTwiceFindsNeither) {
  TurnMemory memory;
  memory.keep("a", signed_call("call_0", "first"), plenty, start);
  memory.keep("a", signed_call("call_0", "second"), plenty, start);
  EXPECT_FALSE(memory.find("a", "call:call_0", start));
  memory.keep("a", signed_call("call_0", "third"), plenty, start);
  EXPECT_FALSE(memory.find("a", "call:call_0", start));
  memory.keep("b", signed_call("call_0", "another's"), plenty, start);
  EXPECT_TRUE(memory.find("b", "call:call_0", start));
}

TEST(TurnMemory, NothingUnsignedIsKept) {
  TurnMemory memory;
  memory.keep("a", kept_turn({{.body = ToolCall{.id = "c1", .name = "f"}}}, "e1", 0), plenty, start);
  EXPECT_TRUE(memory.empty());
}

TEST(TurnMemory, ManyThreads) {
  TurnMemory memory;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&memory, t] {
      const std::string tenant = "t" + std::to_string(t % 2);
      for (int i = 0; i < 500; ++i) {
        const std::string id = "c" + std::to_string(t) + "_" + std::to_string(i);
        memory.keep(tenant, signed_call(id), {.bytes = 32 * 1024, .age = 1h}, start);
        const auto found = memory.find(tenant, "call:" + id, start);
        if (found) EXPECT_EQ(found->pieces.size(), 2U);
      }
    });
  }
  threads.clear();
  EXPECT_LE(memory.bytes(), 32U * 1024);
}

}  // namespace
}  // namespace sluice
