// Who may call, when, from where, and for what. SPDX-License-Identifier: MIT
#include "policy/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::optional<std::string> nothing(const char* /*name*/) {
  return std::nullopt;
}

struct Made {
  explicit Made(std::string_view yaml) {
    Loaded loaded = load_config(yaml, "config.yaml", nothing);
    EXPECT_TRUE(loaded.ok()) << render(loaded.faults, yaml, "config.yaml");
    directory = Directory::of(loaded.config);
    EXPECT_TRUE(directory);
  }
  [[nodiscard]] const Key& key(std::string_view name) const { return *directory->keys().at(name); }
  // What it is told; empty when it may.
  [[nodiscard]] std::string told(std::string_view shown, std::string_view peer = "10.0.0.1",
                                 std::string_view dialect = "openai_chat", std::int64_t now = 1000) const {
    const auto found = directory->find(shown);
    if (!found.key) return "nobody's";
    const auto may = may_call(found, peer, dialect, now);
    return may ? "" : std::to_string(may.error()->http_status()) + ' ' + may.error()->message;
  }
  std::shared_ptr<const Directory> directory;
};

constexpr std::string_view tree = R"(
groups:
- {name: company, models: ["gpt-*", "claude-*"], tags: [all], from: [10.0.0.0/8]}
- {name: research, parent: company, models: ["*-4*"], kind: project, tags: [lab]}
keys:
- {name: a, key: key-of-a-0123456789, group: research, backends: [openai, "claude.*"], tags: [own, all]}
- {name: b, key: key-of-b-0123456789, access_key_id: TEAMB, dialects: [anthropic], from: [192.0.2.7, "2001:db8::/32"]}
- {name: c, key: key-of-c-0123456789, expires: 1970-01-01T00:00:02Z}
backends:
  openai: {api_key: "${X:-x}", models: ["*"]}
  claude: {accounts: [{name: a, key: "${X:-x}"}, {name: b, key: "${X:-y}"}], models: ["*"]}
)";

TEST(Directory, FindsKeysByWhatIsShownAndByTheirId) {
  const Made made(tree);
  const Directory& d = *made.directory;
  EXPECT_TRUE(d.closed());
  EXPECT_EQ(d.find("key-of-a-0123456789").key->name, "a");
  EXPECT_EQ(d.find("key-of-b-0123456789").key, d.signer("TEAMB"));
  EXPECT_TRUE(d.signer("TEAMB")->secret.equals("key-of-b-0123456789"));
  for (const auto* wrong : {"", "a", "key-of-a-012345678", "key-of-a-01234567890", "Key-of-a-0123456789", "TEAMB"})
    EXPECT_EQ(d.find(wrong).key, nullptr) << wrong;
  for (const auto* wrong : {"", "teamb", "b", "key-of-b-0123456789"}) EXPECT_EQ(d.signer(wrong), nullptr) << wrong;
  // A key that signs nothing is kept as a hash only.
  EXPECT_TRUE(made.key("a").secret.empty());
  EXPECT_EQ(made.key("a").tenant, "key a");
  EXPECT_FALSE(Made("").directory->closed());
}

TEST(Directory, PathsLeadToTheRoot) {
  const Made made(tree);
  const Key& a = made.key("a");
  EXPECT_EQ(a.groups, "company/research");
  EXPECT_EQ(a.tags, "own,all,lab");
  std::vector<std::string> names;
  for (const Node* node : a.path) names.push_back(node->name);
  EXPECT_THAT(names, ElementsAre("a", "research", "company"));
  EXPECT_EQ(a.group->kind, GroupSettings::Kind::project);
  EXPECT_EQ(made.key("b").groups, "");
  // The same in every process: what was spent is counted by it.
  EXPECT_EQ(a.id, Made(tree).key("a").id);
  EXPECT_NE(a.id, made.key("b").id);
}

TEST(Directory, AllOnThePathMustAllow) {
  const Made made(tree);
  const Key& a = made.key("a");
  EXPECT_TRUE(a.limits_models && a.limits_backends && a.limits_places && !a.limits_dialects);
  EXPECT_TRUE(a.allows_model("gpt-4o"));
  EXPECT_TRUE(a.allows_model("claude-opus-4-1"));
  EXPECT_FALSE(a.allows_model("gpt-3.5"));   // not research's
  EXPECT_FALSE(a.allows_model("gemini-4"));  // not the company's
  EXPECT_TRUE(a.allows_backend("openai", "openai"));
  EXPECT_TRUE(a.allows_backend("claude.b", "claude"));
  EXPECT_FALSE(a.allows_backend("gemini", "gemini"));
  EXPECT_TRUE(made.key("b").allows_model("anything"));
}

TEST(Directory, SaysWhoMayCallNow) {
  const Made made(tree);
  EXPECT_EQ(made.told("key-of-a-0123456789"), "");
  EXPECT_THAT(made.told("key-of-a-0123456789", "11.0.0.1"), HasSubstr("403 This key may not be used from"));
  EXPECT_THAT(made.told("key-of-a-0123456789", "no address"), HasSubstr("403 "));
  EXPECT_EQ(made.told("key-of-b-0123456789", "192.0.2.7", "anthropic"), "");
  EXPECT_EQ(made.told("key-of-b-0123456789", "::ffff:192.0.2.7", ""), "");
  EXPECT_EQ(made.told("key-of-b-0123456789", "2001:db8:1::1", "anthropic"), "");
  EXPECT_THAT(made.told("key-of-b-0123456789", "192.0.2.8", "anthropic"), HasSubstr("403 "));
  EXPECT_THAT(made.told("key-of-b-0123456789", "192.0.2.7", "gemini"), HasSubstr("only anthropic"));
  EXPECT_EQ(made.told("key-of-c-0123456789", "x", "gemini", 1999), "");
  EXPECT_THAT(made.told("key-of-c-0123456789", "x", "gemini", 2000), HasSubstr("expired at 1970-01-01T00:00:02"));
}

const KeyedHash pepper("pepper");

KeyEntry entry(std::string name, std::string group = {}) {
  return {.id = 1, .tenant = "t", .settings = {.name = std::move(name), .group = std::move(group)}, .hashes = {}};
}
GroupEntry group(std::string name, std::string parent = {}, bool blocked = false) {
  return {.id = 2, .settings = {.name = std::move(name), .parent = std::move(parent)}, .blocked = blocked};
}
std::string made(Directory::Entries entries) {
  const auto out = Directory::make(pepper, std::move(entries));
  return out ? "" : out.error()->message;
}

TEST(Directory, IsATreeOrNone) {
  EXPECT_EQ(made({.groups = {group("a", "b"), group("b")}, .keys = {entry("k", "a")}}), "");
  EXPECT_THAT(made({.groups = {group("a"), group("a")}, .keys = {}}), HasSubstr("Two groups are called \"a\""));
  EXPECT_THAT(made({.groups = {}, .keys = {entry("k"), entry("k")}}), HasSubstr("Two keys are called \"k\""));
  EXPECT_THAT(made({.groups = {group("a", "x")}, .keys = {}}), HasSubstr("the parent \"x\""));
  EXPECT_THAT(made({.groups = {}, .keys = {entry("k", "x")}}), HasSubstr("the group \"x\""));
  EXPECT_THAT(made({.groups = {group("a", "a")}, .keys = {}}), HasSubstr("circle"));
  EXPECT_THAT(made({.groups = {group("a", "b"), group("b", "c"), group("c", "b")}, .keys = {}}), HasSubstr("circle"));
}

TEST(Directory, KnowsBlockedAndReplacedKeys) {
  KeyEntry rotated = entry("rotated");
  rotated.hashes = {{.digest = pepper("new")}, {.digest = pepper("old"), .until_ms = 500}};
  KeyEntry blocked = entry("blocked");
  blocked.blocked = true;
  blocked.hashes = {{.digest = pepper("blocked")}};
  KeyEntry below = entry("below", "low");
  below.hashes = {{.digest = pepper("below")}};
  Made all("");
  all.directory = *Directory::make(
      pepper, {.groups = {group("top", "", true), group("low", "top")}, .keys = {rotated, blocked, below}});
  EXPECT_EQ(all.told("new"), "");
  EXPECT_EQ(all.told("old", "x", "gemini", 499), "");
  EXPECT_THAT(all.told("old", "x", "gemini", 500), HasSubstr("401 This key was replaced"));
  EXPECT_THAT(all.told("blocked"), HasSubstr("403 This key is blocked"));
  EXPECT_THAT(all.told("below"), HasSubstr("403 This key is blocked"));
}

}  // namespace
}  // namespace sluice
