// SPDX-License-Identifier: MIT
#include "gateway/metering.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::optional<std::int64_t> most(std::string_view body) {
  const auto members = json::scan_object(body);
  EXPECT_TRUE(members) << body;
  return most_output(*members);
}

TEST(MostOutput, IsFoundInEachDialect) {
  EXPECT_EQ(most(R"({"model":"m","max_tokens":7})"), 7);
  EXPECT_EQ(most(R"({"max_completion_tokens":8})"), 8);
  EXPECT_EQ(most(R"({"max_output_tokens":0})"), 0);
  EXPECT_EQ(most(R"({"generationConfig":{"temperature":1,"maxOutputTokens":9}})"), 9);
  EXPECT_EQ(most(R"({"inferenceConfig":{"maxTokens":10}})"), 10);
}

TEST(MostOutput, IsNothingThatIsNoNumberOfTokens) {
  for (const std::string_view body :
       {R"({})", R"({"max_tokens":-1})", R"({"max_tokens":null})", R"({"max_tokens":"7"})", R"({"generationConfig":3})",
        R"({"generationConfig":{"maxOutputTokens":-1000000000}})", R"({"inferenceConfig":{"maxTokens":null}})"}) {
    EXPECT_EQ(most(body), std::nullopt) << body;
  }
  EXPECT_EQ(most(R"({"generationConfig":{"maxOutputTokens":-5},"max_tokens":6})"), 6);
}

}  // namespace
}  // namespace sluice
