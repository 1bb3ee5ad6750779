// Keys and groups in a file. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "store/sqlite_keys.h"
#include "store/sqlite_responses.h"

namespace sluice {
namespace {

class StoredKeys : public testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::path(testing::TempDir()) /
             ("sluice_keys_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    path = folder / "sluice.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder, path;
};

KeyChange everything() {
  return {.put = StoredNode{.kind = StoredNode::Kind::key,
                            .id = INT64_MAX,
                            .name = "alice",
                            .settings = R"({"name":"alice"})",
                            .blocked = true,
                            .version = 3,
                            .made_ms = 1,
                            .changed_ms = 2,
                            .hash = "aa",
                            .old_hash = "bb",
                            .shown = "sk-",
                            .old_until_ms = 9},
          .put_admin = AdminKey{.id = 5, .name = "root", .scope = "all", .hash = "cc", .shown = "s", .made_ms = 4},
          .audit = AuditEntry{.unix_ms = 1,
                              .who = "w",
                              .from = "f",
                              .action = "a",
                              .id_text = "i",
                              .name = "n",
                              .before = "b",
                              .after = "c"},
          .answer = GivenAnswer{.asked = "q", .question = "h", .status = 201, .body = "{}", .etag = "e", .unix_ms = 7}};
}

TEST_F(StoredKeys, OutliveTheProcess) {
  std::string pepper;
  {
    const auto store = SqliteKeys::open(path);
    ASSERT_TRUE(store) << store.error()->detail;
    pepper = (*store)->pepper();
    EXPECT_EQ(pepper.size(), 64u);
    EXPECT_FALSE((*store)->read()->held_keys);
    ASSERT_TRUE((*store)->change(everything()));
  }
  const auto store = SqliteKeys::open(path);
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->pepper(), pepper);
  const auto found = (*store)->read();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->nodes.size(), 1u);
  const StoredNode& n = found->nodes[0];
  EXPECT_EQ(n.id, INT64_MAX);
  EXPECT_EQ(n.settings, R"({"name":"alice"})");
  EXPECT_TRUE(n.blocked && n.version == 3 && n.made_ms == 1 && n.changed_ms == 2 && n.old_until_ms == 9);
  EXPECT_EQ(n.hash + n.old_hash + n.shown, "aabbsk-");
  ASSERT_EQ(found->admins.size(), 1u);
  EXPECT_EQ(found->admins[0].scope, "all");
  EXPECT_TRUE(found->held_keys);
  const auto audit = (*store)->audit(0, 10);
  ASSERT_EQ(audit->size(), 1u);
  EXPECT_EQ(audit->front().after, "c");
  EXPECT_EQ((*store)->audit(1, 10)->size(), 0u);
  EXPECT_EQ((*(*store)->given("q", 7))->body, "{}");
  EXPECT_FALSE(*(*store)->given("q", 8));
  EXPECT_FALSE(*(*store)->given("x", 0));
  ASSERT_TRUE((*store)->change({.remove = INT64_MAX, .remove_admin = 5}));
  EXPECT_TRUE((*store)->read()->nodes.empty());
  EXPECT_TRUE((*store)->read()->held_keys);
}

TEST_F(StoredKeys, AreAllOrNothing) {
  const auto store = SqliteKeys::open(path);
  ASSERT_TRUE((*store)->change(everything()));
  KeyChange twice = everything();  // the admin key stands already
  twice.put->name = "bob";
  EXPECT_FALSE((*store)->change(twice));
  EXPECT_EQ((*store)->read()->nodes[0].name, "alice");
  EXPECT_EQ((*store)->audit(0, 10)->size(), 1u);
  EXPECT_TRUE((*store)->change({.remove = INT64_MAX}));
}

TEST_F(StoredKeys, AreNotReplacedByOthersOfTheirName) {
  const auto store = SqliteKeys::open(path);
  ASSERT_TRUE((*store)->change({.put = everything().put}));
  KeyChange other{.put = everything().put};
  other.put->id = 7;
  EXPECT_FALSE((*store)->change(other));
  other.put->name = "bob";
  ASSERT_TRUE((*store)->change(other));
  other.put->name = "alice";  // renamed
  EXPECT_FALSE((*store)->change(other));
  const auto found = (*store)->read();
  ASSERT_EQ(found->nodes.size(), 2u);
  EXPECT_EQ(found->nodes[0].id, INT64_MAX);
  EXPECT_EQ(found->nodes[1].name, "bob");
}

TEST_F(StoredKeys, AreChangedByWhatIsKnownOfThem) {
  const auto store = SqliteKeys::open(path), other = SqliteKeys::open(path);
  EXPECT_EQ((*store)->read()->changes, 0);
  KeyChange change{.after = 0, .audit = everything().audit};
  ASSERT_TRUE((*other)->change(change));
  EXPECT_EQ(*(*store)->changes(), 1);
  const auto refused = (*store)->change(change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error()->fault, Fault::overloaded);
  change.after = 1;
  EXPECT_TRUE((*store)->change(change));
  EXPECT_EQ((*other)->audit(0, 10)->size(), 2u);
}

TEST_F(StoredKeys, AreForNobodyElsesEyes) {
  ASSERT_TRUE(SqliteKeys::open(path));
  const std::string pepper = path.string() + ".pepper";
  for (const std::string& file : {path.string(), pepper}) {
    struct stat about{};
    ASSERT_EQ(::stat(file.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u) << file;
  }
  ::chmod(pepper.c_str(), 0644);
  const auto open = SqliteKeys::open(path);
  ASSERT_FALSE(open);
  EXPECT_THAT(open.error()->message, testing::HasSubstr("chmod 600"));
}

// Keys that were hashed with something else open nothing: that is told at once, not by every caller.
TEST_F(StoredKeys, NeedTheirPepper) {
  {
    const auto store = SqliteKeys::open(path);
    ASSERT_TRUE((*store)->change(everything()));
  }
  std::filesystem::remove(path.string() + ".pepper");
  const auto lost = SqliteKeys::open(path);
  ASSERT_FALSE(lost);
  EXPECT_THAT(lost.error()->message, testing::HasSubstr(".pepper"));
  std::ofstream(path.string() + ".pepper") << "short\n";
  ::chmod((path.string() + ".pepper").c_str(), 0600);
  EXPECT_FALSE(SqliteKeys::open(path));
}

TEST_F(StoredKeys, ShareAFileWithResponses) {
  const auto clock = [] { return std::int64_t{1}; };
  const auto responses = SqliteResponses::open(path, clock);
  ASSERT_TRUE(responses);
  const auto store = SqliteKeys::open(path);
  ASSERT_TRUE(store) << store.error()->detail;
  EXPECT_TRUE((*store)->change(everything()));
  EXPECT_TRUE(SqliteResponses::open(path, clock));
}

TEST_F(StoredKeys, OfANewerVersionAreLeftAlone) {
  ASSERT_TRUE(SqliteKeys::open(path));
  {
    const auto db = Sqlite::open(path);
    ASSERT_TRUE((*db)->run("INSERT INTO key_tables VALUES(99)"));
  }
  const auto newer = SqliteKeys::open(path);
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error()->message, testing::HasSubstr("newer version"));
}

}  // namespace
}  // namespace sluice
