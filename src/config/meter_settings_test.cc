// SPDX-License-Identifier: MIT
#include "config/meter_settings.h"

#include <gmock/gmock.h>

#include "config/load_test.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Of = RateLimit::Of;
using Per = RateLimit::Per;

using MeterSettings = GroupLoad;

TEST_F(MeterSettings, AreReadAndWrittenBack) {
  const Loaded loaded = group(
      "limits: {requests: {minute: 600, day: 10000}, tokens: {hour: 200000}, concurrent: 20, output_tokens: 4000}");
  EXPECT_THAT(loaded.faults, IsEmpty()) << told(loaded);
  const Allowance& may = loaded.config.groups.at(0).allowance;
  EXPECT_THAT(may.rates,
              ElementsAre(RateLimit{Of::requests, Per::minute, 600}, RateLimit{Of::requests, Per::day, 10'000},
                          RateLimit{Of::tokens, Per::hour, 200'000}));
  EXPECT_EQ(may.max_concurrent, 20);
  EXPECT_EQ(may.max_output_tokens, 4'000);
  std::string text;
  json::Writer out(text);
  out.begin_object();
  config::write_meters(out, may);
  out.end_object();
  EXPECT_EQ(
      text,
      R"({"limits":{"requests":{"minute":600,"day":10000},"tokens":{"hour":200000},"concurrent":20,"output_tokens":4000}})");
}

TEST_F(MeterSettings, SayWhatIsWrongAndWhere) {
  EXPECT_THAT(told(group("limits: {requests: {minute: 0}}")), HasSubstr("requests.minute"));
  EXPECT_THAT(told(group("limits: {requests: {minut: 5}}")), HasSubstr("did you mean \"minute\"?"));
  EXPECT_THAT(told(group("limits: {tokens: 5}")), HasSubstr("must be a map"));
  EXPECT_THAT(told(group("limits: {concurrent: -1}")), HasSubstr("concurrent"));
  EXPECT_THAT(told(group("limits: {concurent: 1}")), HasSubstr("did you mean \"concurrent\"?"));
  EXPECT_THAT(told(group("limits: {output_tokens: 0}")), HasSubstr("output_tokens"));
}

}  // namespace
}  // namespace sluice
