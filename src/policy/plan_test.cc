// In which order targets are tried. SPDX-License-Identifier: MIT
#include "policy/plan.h"

#include <gtest/gtest.h>

#include <map>

namespace sluice {
namespace {

std::optional<std::string> no_variable(const char*) {
  return std::nullopt;
}

std::shared_ptr<const Snapshot> snapshot(std::string_view yaml) {
  const Loaded loaded = load_config(yaml, "config.yaml", no_variable);
  EXPECT_TRUE(loaded.ok()) << render(loaded.faults, yaml, "config.yaml");
  return Snapshot::compile(loaded.config);
}

TEST(PlanAccounts, ComeFirstAsOftenAsTheirWeightSays) {
  const auto s = snapshot(R"(backends:
  one: {type: openai, base_url: "http://127.0.0.1:1", models: [m]}
  two: {type: openai, base_url: "http://127.0.0.1:1", models: [m], accounts: [{key: a, weight: 3}, {key: b}, {key: c}]}
  three: {type: openai, base_url: "http://127.0.0.1:1", models: [m], accounts: [{key: a}, {key: b}]})");
  std::map<std::string, int> first;
  std::map<std::string, int> second;
  constexpr int rounds = 10'000;
  for (int i = 0; i < rounds; ++i) {
    auto targets = *s->targets("m");
    spread_accounts(targets, static_cast<std::uint64_t>(i) * 7919);
    ASSERT_EQ(targets.size(), 6u);
    EXPECT_EQ(targets[0].backend->name, "one");
    ++first[targets[1].backend->name];
    ++second[targets[2].backend->name];
    for (int k = 1; k < 4; ++k) EXPECT_EQ(targets[static_cast<std::size_t>(k)].backend->group, "two");
    EXPECT_EQ(targets[4].backend->group, "three");
  }
  EXPECT_NEAR(first["two.1"], rounds * 3 / 5, rounds / 50);
  EXPECT_NEAR(first["two.2"], rounds / 5, rounds / 50);
  EXPECT_NEAR(first["two.3"], rounds / 5, rounds / 50);
  // 3/5 x 0 + 2 x 1/5 x 3/4 = 3/10
  EXPECT_NEAR(second["two.1"], rounds * 3 / 10, rounds / 50);
}

}  // namespace
}  // namespace sluice
