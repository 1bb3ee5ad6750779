// SPDX-License-Identifier: MIT
#include "config/node_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace sluice {
namespace {

using testing::HasSubstr;

Config with_openai() {
  Config out;
  out.backends = {{.name = "openai"}};
  return out;
}

// The settings, written again; the message when they are refused.
std::string key(std::string_view body) {
  const auto read = read_key_settings(body, with_openai());
  return read ? write_settings(*read) : read.error()->message;
}
std::string group(std::string_view body) {
  const auto read = read_group_settings(body, with_openai());
  return read ? write_settings(*read) : read.error()->message;
}

TEST(NodeSettings, ComeBackAsTheyWereSaid) {
  for (
      const std::string_view body :
      {R"({"name":"a"})",
       R"({"name":"😀 \"x\"","group":"g","models":["gpt-*"],"backends":["openai"],"dialects":["anthropic"],)"
       R"("from":["10.0.0.0/8","::1"],"limits":{"output_tokens":9},"unknown_price":"refuse",)"
       R"("budgets":[{"per":"month","dollars":12.5,"hard_stop":true,"alert_at":["80%"]}],"expires":"2027-01-31T00:00:00.000Z","tags":["t","u"],"metadata":{"k":"v","n":"1"}})"})
    EXPECT_EQ(key(body), body);
  EXPECT_EQ(group(R"({"name":"g","kind":"user","parent":"p","tags":["x"]})"),
            R"({"name":"g","kind":"user","parent":"p","tags":["x"]})");
  // Escapes of JSON that YAML does not have, numbers where texts are.
  EXPECT_EQ(key(R"({"name":"\ud83d\ude00\/", "metadata":{"n":4711}, "group":null})"),
            R"({"name":"😀/","metadata":{"n":"4711"}})");
}

TEST(NodeSettings, AreJudgedAsInTheFile) {
  EXPECT_THAT(key(R"({"name":"a","modles":["x"]})"),
              HasSubstr("unknown key \"modles\" in key: did you mean \"models\"?"));
  EXPECT_THAT(key(R"({"name":"a","key":"sk-of-somebody-012345"})"), HasSubstr("unknown key \"key\""));
  EXPECT_THAT(key(R"({"name":"a","name":"b"})"), HasSubstr("stands twice"));
  EXPECT_THAT(key(R"({"name":"a","backends":["opanai"]})"), HasSubstr("did you mean \"openai\"?"));
  EXPECT_THAT(key(R"({"name":"a","from":["10.1.1.1/8"]})"), HasSubstr("did you mean \"10.0.0.0/8\"?"));
  EXPECT_THAT(key(R"({"name":"a","models":"x"})"), HasSubstr("must be a list"));
  EXPECT_THAT(key(R"({"group":"a"})"), HasSubstr("needs a \"name\""));
  EXPECT_THAT(key(R"(["a"])"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(group(R"({"name":"a/b"})"), HasSubstr("without \"/\""));
  EXPECT_FALSE(read_key_settings("{", with_openai()));
}

// Whoever may make keys may not read files and variables of the machine.
TEST(NodeSettings, AreNotFilledIn) {
  EXPECT_EQ(key(R"({"name":"${HOME}","metadata":{"x":"${file:/etc/passwd}","y":"${NONE:-z}","z":"${"}})"),
            R"({"name":"${HOME}","metadata":{"x":"${file:/etc/passwd}","y":"${NONE:-z}","z":"${"}})");
}

TEST(NodeSettings, ArePatchedByRfc7396) {
  const auto merged = [](std::string_view text, std::string_view patch) {
    const auto out = merge_patch(text, patch);
    return out ? *out : out.error()->message;
  };
  EXPECT_EQ(merged(R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"c":null,"e":4},"f":[1,null]})"),
            R"({"a":1,"b":{"d":3,"e":4},"f":[1,null]})");
  EXPECT_EQ(merged(R"({"a":[1]})", R"({"a":{"b":null,"c":{"d":null}}})"), R"({"a":{"c":{}}})");
  EXPECT_EQ(merged(R"({"a":1})", "{}"), R"({"a":1})");
  EXPECT_THAT(merged(R"({"a":1})", "[]"), HasSubstr("must be a JSON object"));
}

}  // namespace
}  // namespace sluice
