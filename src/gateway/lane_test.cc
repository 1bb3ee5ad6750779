// SPDX-License-Identifier: MIT
#include "gateway/lane.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(Lane, IsToldByTheAnswer) {
  EXPECT_EQ(lane_told(R"({"usage":{},"service_tier":"priority"})"), "priority");
  EXPECT_EQ(lane_told("{\n  \"service_tier\" :\n  \"flex\",\n  \"x\": 1}"), "flex");
  EXPECT_EQ(lane_told(R"({"service_tier":"a","usage":{"service_tier":"batch"}})"), "batch");
}

TEST(Lane, IsNothingElse) {
  for (const std::string_view text :
       {"", "{}", R"({"service_tier":null})", R"({"service_tier":)", R"({"service_tier":"prio)", R"({"service_tier"})",
        R"({"content":"\"service_tier\":\"priority\""})",
        R"({"service_tier":"so long a word that no vendor has it for one of its lanes"})"}) {
    EXPECT_EQ(lane_told(text), "") << text;
  }
  EXPECT_EQ(lane_told(R"({"service_tier":"priority")" + std::string(100, ' ') + "}", 64), "");
}

}  // namespace
}  // namespace sluice
