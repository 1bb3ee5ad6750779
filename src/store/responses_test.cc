// Both stores keep the same promises. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>

#include "store/memory_responses.h"
#include "store/sqlite_responses.h"

namespace sluice {
namespace {

using Whose = ResponseStore::Whose;
using Reach = ResponseStore::Reach;

std::atomic<std::int64_t> now_ms = 0;  // stores read it on a thread of their own
std::int64_t clock_ms() {
  return now_ms;
}

constexpr ResponseStore::Bounds roomy{.bytes = 1 << 20, .count = 100, .age = std::chrono::milliseconds(1000)};

HeldResponse response(std::string id, std::string previous = {}, std::string tenant = "anna") {
  return {.id = std::move(id),
          .tenant = std::move(tenant),
          .previous = std::move(previous),
          .object = R"({"status":"completed"})",
          .input = R"({"role":"user"})",
          .unix_ms = now_ms};
}

bool keep(ResponseStore& store, HeldResponse one) {
  std::promise<bool> said;
  store.keep(std::move(one), [&](Result<bool> done) { said.set_value(done && *done); });
  return said.get_future().get();
}

ResponseStore::Finding find(ResponseStore& store, const std::string& id, Reach reach = Reach::one,
                            const std::string& tenant = "anna") {
  std::promise<ResponseStore::Finding> said;
  store.find(tenant, id, reach, [&](Result<ResponseStore::Finding> found) {
    EXPECT_TRUE(found);
    said.set_value(found ? *std::move(found) : ResponseStore::Finding{});
  });
  return said.get_future().get();
}

bool forget(ResponseStore& store, const std::string& id, const std::string& tenant = "anna") {
  std::promise<bool> said;
  store.forget(tenant, id, [&](Result<bool> done) { said.set_value(done && *done); });
  return said.get_future().get();
}

std::string ids(const ResponseStore::Finding& finding) {
  std::string out;
  for (const HeldResponse& one : finding.responses) out += one.id + ' ';
  return out;
}

class Responses : public testing::TestWithParam<std::string> {
 protected:
  Responses() {
    now_ms = 1'000'000;
    if (GetParam() == "memory") {
      store = std::make_unique<MemoryResponses>(clock_ms);
    } else {
      auto opened = SqliteResponses::open(":memory:", clock_ms);
      EXPECT_TRUE(opened) << (opened ? "" : opened.error()->detail);
      if (opened) store = *std::move(opened);
    }
    store->bound(roomy);
  }
  std::unique_ptr<ResponseStore> store;
};

INSTANTIATE_TEST_SUITE_P(Each, Responses, testing::Values("memory", "sqlite"),
                         [](const auto& info) { return info.param; });

TEST_P(Responses, AreFoundAsTheyWereKept) {
  HeldResponse one = response("resp_1");
  one.object = std::string("{\"text\":\"Zürich 苏黎世\"}") + '\0';
  one.backend = "openai";
  EXPECT_TRUE(keep(*store, one));
  const auto found = find(*store, "resp_1");
  ASSERT_EQ(found.whose, Whose::own);
  ASSERT_EQ(found.responses.size(), 1U);
  const HeldResponse& back = found.responses[0];
  EXPECT_EQ(back.object, one.object);
  EXPECT_EQ(back.input, one.input);
  EXPECT_EQ(back.backend, "openai");
  EXPECT_EQ(back.unix_ms, now_ms);
  EXPECT_EQ(find(*store, "resp_2").whose, Whose::nobodys);
}

TEST_P(Responses, ComeBackWithWhatTheyGoOnFrom) {
  keep(*store, response("a"));
  keep(*store, response("b", "a"));
  keep(*store, response("c", "b"));
  keep(*store, response("x", "a"));  // another way to go on
  EXPECT_EQ(ids(find(*store, "c", Reach::chain)), "a b c ");
  EXPECT_EQ(ids(find(*store, "x", Reach::chain)), "a x ");
  EXPECT_EQ(ids(find(*store, "c")), "c ");
  // A chain with a gap tells half a conversation: nobody's.
  EXPECT_TRUE(forget(*store, "b"));
  EXPECT_EQ(find(*store, "c", Reach::chain).whose, Whose::nobodys);
  EXPECT_EQ(find(*store, "c").whose, Whose::own);
}

TEST_P(Responses, AreTheirCallersOwn) {
  keep(*store, response("a", "", "anna"));
  EXPECT_EQ(find(*store, "a", Reach::one, "bert").whose, Whose::anothers);
  EXPECT_TRUE(find(*store, "a", Reach::chain, "bert").responses.empty());
  EXPECT_FALSE(forget(*store, "a", "bert"));
  EXPECT_FALSE(keep(*store, response("a", "", "bert")));  // nor taken over
  keep(*store, response("b", "a", "bert"));
  EXPECT_EQ(find(*store, "b", Reach::chain, "bert").whose, Whose::nobodys);
  EXPECT_EQ(find(*store, "a").whose, Whose::own);
}

TEST_P(Responses, AreForgottenOnce) {
  keep(*store, response("a"));
  EXPECT_TRUE(forget(*store, "a"));
  EXPECT_FALSE(forget(*store, "a"));
  EXPECT_EQ(find(*store, "a").whose, Whose::nobodys);
}

TEST_P(Responses, GoByConversationTheOneNotUsedLongestFirst) {
  store->bound({.bytes = 1 << 20, .count = 4, .age = std::chrono::seconds(1000)});
  keep(*store, response("old"));
  ++now_ms;
  keep(*store, response("mid"));
  ++now_ms;
  keep(*store, response("old2", "old"));
  ++now_ms;
  keep(*store, response("new"));
  ++now_ms;
  keep(*store, response("newer"));
  EXPECT_EQ(find(*store, "mid").whose, Whose::nobodys);
  EXPECT_EQ(ids(find(*store, "old2", Reach::chain)), "old old2 ");
  ++now_ms;
  keep(*store, response("newest"));
  EXPECT_EQ(find(*store, "old2").whose, Whose::nobodys);
  EXPECT_EQ(find(*store, "old").whose, Whose::nobodys);
  EXPECT_EQ(find(*store, "new").whose, Whose::own);
}

TEST_P(Responses, AreBoundedInBytesAndAge) {
  HeldResponse large = response("large");
  large.object = std::string(6000, 'x');
  store->bound({.bytes = 10'000, .count = 100, .age = std::chrono::milliseconds(1000)});
  EXPECT_TRUE(keep(*store, large));
  ++now_ms;
  large.id = "larger";
  EXPECT_TRUE(keep(*store, large));
  EXPECT_EQ(find(*store, "large").whose, Whose::nobodys);
  EXPECT_EQ(find(*store, "larger").whose, Whose::own);
  large.id = "largest";
  large.object = std::string(20'000, 'x');
  EXPECT_FALSE(keep(*store, large));
  EXPECT_TRUE(keep(*store, response("small")));
  // The same id again takes the place of the first.
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(keep(*store, response("small")));
  now_ms += 1000;
  EXPECT_EQ(find(*store, "small").whose, Whose::nobodys);
  EXPECT_FALSE(keep(*store, [] {
    HeldResponse one = response("none");
    one.object = std::string(30'000, 'x');
    return one;
  }()));
  store->bound({});
  EXPECT_FALSE(keep(*store, response("off")));
}

// Nobody finds what is too old, also where it stands until there is reason to look: its id is free.
TEST_P(Responses, OfTooGreatAnAgeMakeRoomForTheirIds) {
  EXPECT_TRUE(keep(*store, response("a")));
  EXPECT_TRUE(keep(*store, response("b", "a")));
  now_ms += 1000;
  HeldResponse again = response("a");
  again.object = "{}";
  EXPECT_TRUE(keep(*store, again));
  const auto found = find(*store, "a", Reach::chain);
  ASSERT_EQ(ids(found), "a ");
  EXPECT_EQ(found.responses.front().object, "{}");
  EXPECT_EQ(find(*store, "b").whose, Whose::nobodys);
  store->bound({});
  EXPECT_EQ(find(*store, "a").whose, Whose::nobodys);
}

class File : public testing::Test {
 protected:
  File() : folder(std::filesystem::temp_directory_path() / ("sluice-store-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
    path = folder / "responses.db";
    now_ms = 1'000'000;
  }
  ~File() override { std::filesystem::remove_all(folder); }
  [[nodiscard]] std::unique_ptr<SqliteResponses> open() const {
    auto out = SqliteResponses::open(path, clock_ms);
    EXPECT_TRUE(out) << out.error()->detail;
    if (!out) return nullptr;
    (*out)->bound(roomy);
    return *std::move(out);
  }
  std::filesystem::path folder;
  std::string path;
};

TEST_F(File, OutlivesItsProcess) {
  keep(*open(), response("a"));
  keep(*open(), response("b", "a"));
  const auto store = open();
  EXPECT_EQ(ids(find(*store, "b", Reach::chain)), "a b ");
  // What is there counts.
  store->bound({.bytes = 1 << 20, .count = 1, .age = std::chrono::milliseconds(1000)});
  EXPECT_EQ(find(*store, "b").whose, Whose::nobodys);
}

// As while a new process takes an old one's place.
TEST_F(File, IsSharedByTwoProcesses) {
  constexpr ResponseStore::Bounds four{.bytes = 1 << 20, .count = 4, .age = std::chrono::milliseconds(100'000)};
  const auto old = open();
  const auto young = open();
  old->bound(four);
  young->bound(four);
  for (int i = 0; i < 8; ++i) {
    ++now_ms;
    EXPECT_TRUE(keep(i % 2 == 0 ? *old : *young, response(std::to_string(i))));
    EXPECT_EQ(ids(find(i % 2 == 0 ? *young : *old, std::to_string(i))), std::to_string(i) + ' ');
  }
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(find(*young, std::to_string(i)).whose, i < 4 ? Whose::nobodys : Whose::own) << i;
  // What the other has written and forgotten is in nobody's sums twice.
  for (int i = 4; i < 8; ++i) EXPECT_TRUE(forget(*old, std::to_string(i)));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(keep(*young, response("n" + std::to_string(i))));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(find(*young, "n" + std::to_string(i)).whose, Whose::own) << i;
}

TEST_F(File, IsForItsOwnersEyes) {
  const auto store = open();
  keep(*store, response("a"));
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    struct stat about{};
    ASSERT_EQ(::stat(file.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U) << file.path();
  }
}

TEST_F(File, IsRefusedWhenItIsNone) {
  std::ofstream(path) << std::string(4096, 'x');
  const auto damaged = SqliteResponses::open(path, clock_ms);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error()->fault, Fault::internal);
  EXPECT_FALSE(SqliteResponses::open(folder / "none" / "x.db", clock_ms));
}

TEST_F(File, OfTheFirstVersionIsBroughtUpToDate) {
  {
    const auto store = open();
    EXPECT_TRUE(keep(*store, response("a")));
    EXPECT_TRUE(keep(*store, [] {
      HeldResponse one = response("vendors");
      one.input.clear();
      return one;
    }()));
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version = 1", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  for (int time = 0; time < 2; ++time) {
    const auto store = open();
    EXPECT_EQ(find(*store, "a").responses.at(0).input, R"([{"role":"user"}])");
    EXPECT_EQ(find(*store, "vendors").responses.at(0).input, "");
  }
}

TEST_F(File, OfANewerVersionIsLeftAlone) {
  open().reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const auto newer = SqliteResponses::open(path, clock_ms);
  ASSERT_FALSE(newer);
  EXPECT_TRUE(newer.error()->message.contains("newer")) << newer.error()->message;
}

// While it cannot be written, callers hear so, and it works again afterwards.
TEST_F(File, SaysWhenItCannotBeWritten) {
  const auto store = open();
  EXPECT_TRUE(keep(*store, response("a")));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "ALTER TABLE responses RENAME TO elsewhere", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_FALSE(keep(*store, response("b")));
  ASSERT_EQ(sqlite3_exec(other, "ALTER TABLE elsewhere RENAME TO responses", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_TRUE(keep(*store, response("c")));
  EXPECT_EQ(find(*store, "a").whose, Whose::own);
}

// SQLite ends some transactions by itself (a full disk): those asked together with what failed are told so, too.
TEST_F(File, KeepsWhatItSaysThoughATransactionBreaks) {
  const auto store = open();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  constexpr const char* breaks =
      "CREATE TRIGGER breaks BEFORE INSERT ON responses WHEN new.id = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
  ASSERT_EQ(sqlite3_exec(other, breaks, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  // While the store's thread is held up, three calls come together.
  std::promise<void> busy, go;
  store->keep(response("first"), [&](const Result<bool>&) {
    busy.set_value();
    go.get_future().wait();
  });
  busy.get_future().wait();
  std::map<std::string, bool> told;
  std::promise<void> last;
  for (const char* id : {"before", "bad", "after"}) {
    store->keep(response(id), [&, id](Result<bool> done) {
      told[id] = done && *done;
      if (told.size() == 3) last.set_value();
    });
  }
  go.set_value();
  last.get_future().wait();
  EXPECT_TRUE(keep(*store, response("later")));
  EXPECT_FALSE(told.at("bad"));
  for (const auto& [id, kept] : told) EXPECT_EQ(find(*store, id).whose == Whose::own, kept) << id;
  EXPECT_EQ(find(*store, "first").whose, Whose::own);
  // What is counted is what is there: "first" and "later" alone.
  store->bound({.bytes = 1 << 20, .count = 2, .age = std::chrono::milliseconds(1000)});
  EXPECT_EQ(find(*store, "first").whose, Whose::own);
}

TEST_F(File, FinishesWhatItWasAskedWhenItCloses) {
  const auto store = open();
  std::atomic<int> kept = 0;
  for (int i = 0; i < 1000; ++i)
    store->keep(response("r" + std::to_string(i)), [&](Result<bool> done) { kept += done && *done ? 1 : 0; });
  store->close();
  EXPECT_EQ(kept, 1000);
  EXPECT_FALSE(keep(*store, response("late")));
}

}  // namespace
}  // namespace sluice
