// SPDX-License-Identifier: MIT
#include "policy/window.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::optional<std::string> no_variable(const char*) {
  return std::nullopt;
}

class Windows : public testing::Test {
 protected:
  Windows() {
    const std::string_view yaml = R"(backends:
  openai: {api_key: k, models: ["*"]}
  claude: {api_key: k, models: ["*"]}
  near: {type: compatible, base_url: "http://h", models: ["*"]})";
    const Loaded loaded = load_config(yaml, "config.yaml", no_variable);
    EXPECT_TRUE(loaded.ok()) << render(loaded.faults, yaml, "config.yaml");
    snapshot = Snapshot::compile(loaded.config);
  }
  Target target(std::string_view name, std::string_view model) const {
    for (const auto& one : snapshot->backends()) {
      if (one->name == name) return {one.get(), std::string(model)};
    }
    return {};
  }
  static std::string names(const std::vector<Target>& targets) {
    std::string out;
    for (const Target& one : targets) out += one.model + ' ';
    return out;
  }

  std::shared_ptr<const Snapshot> snapshot;
};

TEST_F(Windows, ALargerOneOrAnUnknownOneOfAnotherModelMayHoldMore) {
  const Target small = target("openai", "gpt-4o");             // 128,000
  const Target large = target("claude", "claude-sonnet-4-5");  // 200,000
  const Target own = target("near", "own");
  EXPECT_EQ(window(small), 128'000);
  EXPECT_EQ(window(own), std::nullopt);
  EXPECT_TRUE(may_hold_more(large, small));
  EXPECT_FALSE(may_hold_more(small, large));
  EXPECT_FALSE(may_hold_more(small, small));
  EXPECT_TRUE(may_hold_more(own, small));
  EXPECT_TRUE(may_hold_more(small, own));
  EXPECT_FALSE(may_hold_more(own, own));
  EXPECT_FALSE(may_hold_more(target("near", "gpt-4o"), small));  // the same model elsewhere
}

TEST_F(Windows, WhatIsSurelyTooSmallIsLeftOutWhileAnotherFits) {
  const std::vector<Target> all{target("openai", "gpt-4"), target("openai", "gpt-4o"), target("near", "own")};  // 8,192
  EXPECT_FALSE(may_be_too_long(all, 10'000));
  EXPECT_TRUE(may_be_too_long(all, 100'000));
  EXPECT_FALSE(may_be_too_long({all[1], all[2]}, 128'000));
  EXPECT_TRUE(may_be_too_long({all[1], all[2]}, 128'001));
  EXPECT_FALSE(may_be_too_long({all[0]}, 1'000'000));
  EXPECT_FALSE(may_be_too_long({all[2], all[2]}, 1'000'000));
  const auto left = [&](std::int64_t tokens) {
    auto targets = all;
    leave_out_small(targets, tokens);
    return names(targets);
  };
  EXPECT_EQ(left(8'193), "gpt-4 gpt-4o own ");  // an estimate may be off by so much
  EXPECT_EQ(left(16'386), "gpt-4o own ");
  EXPECT_EQ(left(300'000), "own ");
  auto known = std::vector<Target>{all[0], all[1]};
  leave_out_small(known, 300'000);
  EXPECT_EQ(names(known), "gpt-4 gpt-4o ");  // nobody fits: the vendor's own words
}

TEST_F(Windows, OnlyTheVendorsWordForItCounts) {
  EXPECT_TRUE(too_long({.fault = Fault::upstream_rejected, .code = "context_length_exceeded"}));
  EXPECT_FALSE(too_long({.fault = Fault::upstream_rejected, .code = "invalid_value"}));
  EXPECT_FALSE(too_long({.fault = Fault::bad_request, .code = "context_length_exceeded"}));
}

}  // namespace
}  // namespace sluice
