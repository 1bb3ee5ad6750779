// What keys and groups may do, as the file says it. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "config/load_test.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class Allowances : public ConfigLoad {
 protected:
  void SetUp() override {
    ConfigLoad::SetUp();
    variables() = {{"KEY", "sk-of-a-0123456789"}, {"OPENAI_API_KEY", "x"}};
  }
  // Of a group that says this.
  std::string group(std::string_view words) {
    return told(load("backends: {openai: {}}\ngroups:\n- {name: research, " + std::string(words) + "}\n"));
  }
};

TEST_F(Allowances, AreReadForGroupsAndKeysAlike) {
  const std::string words =
      R"(models: ["gpt-*", o4], backends: [openai], dialects: [openai_chat, anthropic], from: [10.0.0.0/8, "::1"],
         expires: 2027-01-31T00:00:00Z, tags: [a, b c], metadata: {cost_center: 4711, owner: "x"})";
  const Loaded loaded = load(
      "backends: {openai: {}}\ngroups:\n- {name: company}\n- {name: research, kind: project, "
      "parent: company, " +
      words + "}\nkeys:\n- {name: k, key: \"${KEY}\", group: research, " + words + "}\n");
  EXPECT_THAT(loaded.faults, IsEmpty()) << told(loaded);
  ASSERT_EQ(loaded.config.groups.size(), 2u);
  const GroupSettings& research = loaded.config.groups[1];
  EXPECT_EQ(research.parent, "company");
  EXPECT_EQ(research.kind, GroupSettings::Kind::project);
  EXPECT_EQ(name(research.kind), "project");
  EXPECT_EQ(name(loaded.config.groups[0].kind), "team");
  const Allowance& a = research.allowance;
  EXPECT_THAT(a.models, ElementsAre("gpt-*", "o4"));
  EXPECT_THAT(a.from, ElementsAre("10.0.0.0/8", "::1"));
  EXPECT_EQ(a.expires_ms, 1801353600000);
  EXPECT_THAT(a.tags, ElementsAre("a", "b c"));
  EXPECT_THAT(a.metadata, ElementsAre(Pair("cost_center", "4711"), Pair("owner", "x")));
  EXPECT_EQ(loaded.config.keys[0].allowance, a);
  EXPECT_EQ(loaded.config.keys[0].group, "research");
}

TEST_F(Allowances, SayWhatIsWrongAndWhere) {
  EXPECT_THAT(group("modls: [x]"), HasSubstr("did you mean \"models\"?"));
  EXPECT_THAT(group("models: gpt-4"), HasSubstr("\"groups.models\" must be a list"));
  EXPECT_THAT(group("models: []"), HasSubstr("would allow nothing"));
  EXPECT_THAT(group("models: [a, a]"), HasSubstr("twice"));
  EXPECT_THAT(group("models: [\"\"]"), HasSubstr("empty"));
  EXPECT_THAT(group("models: [[a]]"), HasSubstr("must be one value"));
  EXPECT_THAT(group("backends: [opanai]"), HasSubstr("did you mean \"openai\"?"));
  EXPECT_THAT(group("backends: [\"gem*\"]"), HasSubstr("no backend is called so"));
  EXPECT_THAT(group("backends: [\"open*\", demo]"), testing::IsEmpty());
  EXPECT_THAT(group("dialects: [openai_chatt]"), HasSubstr("did you mean \"openai_chat\"?"));
  EXPECT_THAT(group("from: [10.0.0.0/33]"), HasSubstr("for example 10.0.0.0/8"));
  EXPECT_THAT(group("from: [10.1.2.3/8]"), HasSubstr("did you mean \"10.0.0.0/8\"?"));
  EXPECT_THAT(group("from: [localhost]"), HasSubstr("no address or network"));
  EXPECT_THAT(group("expires: tomorrow"), HasSubstr("for example 2027-01-31T00:00:00Z"));
  EXPECT_THAT(group("expires: 2027-01-31"), HasSubstr("a time with its zone"));
  EXPECT_THAT(group("tags: [\"a,b\"]"), HasSubstr("holds a comma"));
  EXPECT_THAT(group("metadata: [a]"), HasSubstr("must be a map"));
  EXPECT_THAT(group("kind: teem"), HasSubstr("did you mean \"team\"?"));
  EXPECT_THAT(group("parent: x"), HasSubstr("no group is called so"));
  EXPECT_THAT(group("parent: researhc"), HasSubstr("did you mean \"research\"?"));
  EXPECT_THAT(group("backends: [opanai]"), HasSubstr("config.yaml:3:"));
  EXPECT_THAT(told(load("groups: {research: {}}")), HasSubstr("must be a list"));
  EXPECT_THAT(told(load("groups: [{kind: team}]")), HasSubstr("a group needs a name"));
  EXPECT_THAT(told(load("groups: [{name: a/b}]")), HasSubstr("no \"/\""));
  EXPECT_THAT(told(load("groups: [{name: a}, {name: a}]")), HasSubstr("stands twice"));
  EXPECT_THAT(told(load("keys: [{name: a, key: \"${KEY}\", group: b}]")), HasSubstr("the group \"b\""));
}

TEST_F(Allowances, GroupsAreATree) {
  EXPECT_THAT(group("parent: research"), HasSubstr("its own parent"));
  const std::string round =
      told(load("groups: [{name: a, parent: b}, {name: b, parent: c}, {name: c, parent: b}, {name: d, parent: a}]"));
  EXPECT_THAT(round, HasSubstr("the group \"b\" is its own parent, over others"));
  EXPECT_THAT(round, HasSubstr("the group \"c\" is its own parent, over others"));
  EXPECT_THAT(round, testing::Not(HasSubstr("the group \"a\"")));
}

}  // namespace
}  // namespace sluice
