// The admin API without HTTP, on a store in memory with a clock and chance of the test's. SPDX-License-Identifier: MIT
#include "gateway/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "base/json.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::int64_t now = 0;
unsigned dice = 0;

std::int64_t clock() {
  return now;
}
void chance(std::span<unsigned char> bytes) {
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(++dice * 37);
}

// What outlives an Admin.
struct Disk {
  KeyStore::Contents contents;
  std::vector<AuditEntry> audit;
  std::map<std::string, GivenAnswer, std::less<>> given;
  int fails_after = -1;  // changes until the disk breaks; -1: never
};

class MemoryKeys final : public KeyStore {
 public:
  explicit MemoryKeys(Disk& disk) : disk_(disk) {}
  [[nodiscard]] std::string_view pepper() const override { return "pepper"; }
  [[nodiscard]] Result<Contents> read() override {
    Contents out = disk_.contents;
    out.changes = *changes();
    return out;
  }
  [[nodiscard]] Result<std::int64_t> changes() override { return static_cast<std::int64_t>(disk_.audit.size()); }
  [[nodiscard]] Result<void> change(const KeyChange& c) override {
    if (disk_.fails_after == 0) return fail(Fault::internal, "The disk is broken.");
    if (disk_.fails_after > 0) --disk_.fails_after;
    auto& nodes = disk_.contents.nodes;
    if (c.put) {
      std::erase_if(nodes, [&](const StoredNode& one) { return one.id == c.put->id; });
      nodes.push_back(*c.put);
      disk_.contents.held_keys |= c.put->kind == StoredNode::Kind::key;
    }
    if (c.remove) std::erase_if(nodes, [&](const StoredNode& one) { return one.id == *c.remove; });
    if (c.put_admin) disk_.contents.admins.push_back(*c.put_admin);
    if (c.remove_admin)
      std::erase_if(disk_.contents.admins, [&](const AdminKey& one) { return one.id == *c.remove_admin; });
    if (c.audit) {
      disk_.audit.push_back(*c.audit);
      disk_.audit.back().id = static_cast<std::int64_t>(disk_.audit.size());
    }
    if (c.answer) disk_.given[c.answer->asked] = *c.answer;
    return {};
  }
  [[nodiscard]] Result<std::vector<AuditEntry>> audit(std::int64_t before, std::int64_t limit) override {
    std::vector<AuditEntry> out;
    for (auto one = disk_.audit.rbegin(); one != disk_.audit.rend(); ++one) {
      if ((before == 0 || one->id < before) && static_cast<std::int64_t>(out.size()) < limit) out.push_back(*one);
    }
    return out;
  }
  [[nodiscard]] Result<std::optional<GivenAnswer>> given(std::string_view asked, std::int64_t since) override {
    const auto found = disk_.given.find(asked);
    if (found == disk_.given.end() || found->second.unix_ms < since) return std::optional<GivenAnswer>();
    return std::optional(found->second);
  }

 private:
  Disk& disk_;
};

std::string text(const std::string& body, std::string_view member) {
  json::Document doc;
  const auto root = doc.parse(body);
  EXPECT_TRUE(root) << body;
  if (!root) return {};
  const json::Value value = (*root)[member];
  return value.is_string() ? value.text() : std::string(value.raw());
}

class Admins : public testing::Test {
 protected:
  void SetUp() override {
    now = 1'800'000'000'000;
    begin("keys: [{name: written, key: key-of-written-01234, group: lab}]\ngroups: [{name: lab}]\n");
  }

  void begin(std::string_view yaml) {
    const Loaded loaded = load_config(yaml, "config.yaml", [](const char*) { return std::optional<std::string>(); });
    ASSERT_TRUE(loaded.ok()) << render(loaded.faults, yaml, "config.yaml");
    admin.reset();
    admin = *Admin::open(std::make_unique<MemoryKeys>(disk), clock, chance);
    if (const auto made = admin->first_key(); made && !made->empty()) root = *made;
    const auto adopted = admin->adopt(loaded.config);
    ASSERT_TRUE(adopted) << adopted.error()->message;
    directory = *adopted;
    admin->publish_by([this](const std::shared_ptr<const Directory>& to) {
      ++published;
      directory = to;
      return taken;
    });
  }

  Result<AdminAnswer> raw(std::string method, const std::string& path, std::string body = {}) {
    ask.method = std::move(method);
    const auto query = path.find('?');
    ask.query = query == std::string::npos ? "" : path.substr(query + 1);
    ask.path = path.substr(0, query);
    ask.body = std::move(body);
    if (ask.credential.empty()) ask.credential = root;
    return admin->answer(ask);
  }
  // The body; else "STATUS message".
  std::string told(std::string method, const std::string& path, std::string body = {}) {
    const auto out = raw(std::move(method), path, std::move(body));
    etag = out ? out->etag : "";
    return out ? out->body : std::to_string(out.error()->http_status()) + ' ' + out.error()->message;
  }
  // Whether that opens.
  std::string opens(std::string_view secret) {
    const auto found = directory->find(secret);
    if (!found.key) return "nobody's";
    const auto may = may_call(found, "127.0.0.1", "openai_chat", now);
    return may ? found.key->name : may.error()->message;
  }
  std::vector<std::string> actions() {
    std::vector<std::string> out;
    out.reserve(disk.audit.size());
    for (const AuditEntry& one : disk.audit) out.push_back(one.action + ' ' + one.name + " by " + one.who);
    return out;
  }

  Disk disk;
  std::unique_ptr<Admin> admin;
  std::shared_ptr<const Directory> directory;
  std::string root, etag;
  AdminAsk ask{.peer = "127.0.0.1", .near = true};
  int published = 0;
  bool taken = true;
};

TEST_F(Admins, MakeAKeyThatOpensAtOnceAndIsToldOnce) {
  const std::string made = told("POST", "keys", R"({"name":"alice","group":"lab","models":["gpt-*"]})");
  const std::string secret = text(made, "key"), id = text(made, "id");
  EXPECT_THAT(secret, testing::StartsWith("sk-sluice-"));
  EXPECT_EQ(secret.size(), 10u + 43u);
  EXPECT_EQ(opens(secret), "alice");
  EXPECT_EQ(directory->find(secret).key->groups, "lab");
  EXPECT_FALSE(directory->find(secret).key->allows_model("o3"));
  EXPECT_EQ(published, 1);
  const std::string seen = told("GET", "keys/" + id);
  EXPECT_EQ(etag, "\"1\"");
  EXPECT_EQ(text(seen, "state"), "active");
  EXPECT_EQ(text(seen, "models"), "[\"gpt-*\"]");
  for (const std::string& all : {seen, told("GET", "keys"), told("GET", "audit"), disk.audit.back().after})
    EXPECT_THAT(all, Not(HasSubstr(secret.substr(15)))) << all;
  for (const StoredNode& node : disk.contents.nodes)
    EXPECT_THAT(node.settings + node.hash + node.shown, Not(HasSubstr(secret.substr(15))));
  // The next process finds it.
  begin("groups: [{name: lab}]");
  EXPECT_EQ(opens(secret), "alice");
}

TEST_F(Admins, RefuseWhatIsWrong) {
  const std::string keys[][2] = {
      {R"({"name":"written"})", "409 There is a key \"written\" already"},
      {R"({"name":"a","group":"labb"})", "400 The key \"a\" has the group \"labb\""},
      {R"({"name":"a","modles":[]})", "did you mean \"models\"?"},
      {R"({"name":"a","models":[]})", "would allow nothing"},
      {R"({"name":"key_0123456789abc"})", "may not look like an id"},
      {R"({})", "needs a \"name\""},
      {"nonsense", "400 "},
  };
  for (const auto& [body, wanted] : keys) EXPECT_THAT(told("POST", "keys", body), HasSubstr(wanted)) << body;
  EXPECT_THAT(told("PATCH", "keys/written", "{}"), HasSubstr("409 The key \"written\" stands in the configuration"));
  EXPECT_THAT(told("DELETE", "groups/lab"), HasSubstr("stands in the configuration"));
  EXPECT_THAT(told("GET", "keys/nobody"), HasSubstr("404 "));
  EXPECT_THAT(told("GET", "nothing"), HasSubstr("404 "));
  EXPECT_THAT(told("PATCH", "keys"), HasSubstr("405 "));
  EXPECT_THAT(told("GET", "keys/written/rotate"), HasSubstr("405 "));
  EXPECT_THAT(told("POST", "groups/lab/rotate"), HasSubstr("404 "));
  EXPECT_EQ(disk.contents.nodes.size(), 0u);
  EXPECT_EQ(published, 0);
}

TEST_F(Admins, RotateWithAnOverlap) {
  const std::string old = text(told("POST", "keys", R"({"name":"alice"})"), "key");
  const std::string next = text(told("POST", "keys/alice/rotate", R"({"overlap":"1h"})"), "key");
  EXPECT_NE(old, next);
  EXPECT_EQ(opens(old), "alice");
  EXPECT_EQ(opens(next), "alice");
  EXPECT_THAT(told("GET", "keys/alice"), HasSubstr("old_key_until"));
  now += 3'600'000;
  EXPECT_THAT(opens(old), HasSubstr("was replaced"));
  EXPECT_EQ(opens(next), "alice");
  const std::string third = text(told("POST", "keys/alice/rotate", R"({"overlap":"0s"})"), "key");
  EXPECT_EQ(opens(next), "nobody's");
  EXPECT_EQ(opens(third), "alice");
  EXPECT_THAT(told("POST", "keys/alice/rotate", R"({"overlap":"1y"})"), HasSubstr("how long the old key"));
  EXPECT_THAT(told("POST", "keys/alice/rotate", R"({"overlp":"1h"})"), HasSubstr("unknown key"));
}

TEST_F(Admins, BlockAndDelete) {
  told("POST", "groups", R"({"name":"team","kind":"team","parent":"lab"})");
  const std::string secret = text(told("POST", "keys", R"({"name":"alice","group":"team"})"), "key");
  EXPECT_EQ(directory->find(secret).key->groups, "lab/team");
  EXPECT_EQ(text(told("POST", "keys/alice/block"), "state"), "blocked");
  EXPECT_THAT(opens(secret), HasSubstr("blocked"));
  told("POST", "keys/alice/unblock");
  EXPECT_EQ(opens(secret), "alice");
  told("POST", "groups/team/block");
  EXPECT_THAT(opens(secret), HasSubstr("blocked"));
  EXPECT_EQ(text(told("GET", "keys/alice"), "state"), "blocked");
  told("POST", "groups/team/unblock");
  EXPECT_THAT(told("DELETE", "groups/team"), HasSubstr("409 The group still holds the key \"alice\""));
  EXPECT_EQ(text(told("DELETE", "keys/alice"), "deleted"), "true");
  EXPECT_EQ(opens(secret), "nobody's");
  EXPECT_EQ(text(told("DELETE", "groups/team"), "deleted"), "true");
  // A key that is called the same later is another one: what the first stored is not its.
  const std::string again = text(told("POST", "keys", R"({"name":"alice"})"), "key");
  EXPECT_NE(directory->find(again).key->tenant, "key alice");
  EXPECT_THAT(actions(),
              ElementsAre("admin.create admin by first start", "group.create team by admin",
                          "key.create alice by admin", "key.block alice by admin", "key.unblock alice by admin",
                          "group.block team by admin", "group.unblock team by admin", "key.delete alice by admin",
                          "group.delete team by admin", "key.create alice by admin"));
}

TEST_F(Admins, OnceAKeyWasMadeOneIsNeeded) {
  begin("");
  EXPECT_FALSE(directory->closed());
  told("POST", "keys", R"({"name":"alice"})");
  EXPECT_TRUE(directory->closed());
  told("DELETE", "keys/alice");
  EXPECT_TRUE(directory->closed());
  begin("");
  EXPECT_TRUE(directory->closed());
  const Loaded open = load_config("auth: open", "x", [](const char*) { return std::optional<std::string>(); });
  const auto refused = admin->adopt(open.config);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error()->message, HasSubstr("auth: open"));
  disk = {};
  begin("auth: open");
  ask.credential = root;
  EXPECT_THAT(told("POST", "keys", R"({"name":"alice"})"), HasSubstr("auth: open"));
  EXPECT_FALSE(directory->closed());
}

TEST_F(Admins, ChangeOnlyWhatWasSeen) {
  told("POST", "keys", R"({"name":"alice","models":["a"],"tags":["x"]})");
  ask.if_match = "\"1\"";
  const std::string patched = told("PATCH", "keys/alice", R"({"models":null,"group":"lab","tags":["y"]})");
  EXPECT_EQ(etag, "\"2\"");
  EXPECT_EQ(text(patched, "models"), "");
  EXPECT_EQ(text(patched, "tags"), "[\"y\"]");
  EXPECT_EQ(text(patched, "group"), "lab");
  for (const auto& [method, path] : {std::pair("PATCH", "keys/alice"),
                                     {"DELETE", "keys/alice"},
                                     {"POST", "keys/alice/rotate"},
                                     {"POST", "keys/alice/block"}})
    EXPECT_THAT(told(method, path, method == std::string("PATCH") ? "{}" : ""), HasSubstr("412 It was changed"));
  ask.if_match = "W/\"9\", \"2\"";
  EXPECT_THAT(told("PATCH", "keys/alice", R"({"name":"bob"})"), HasSubstr("\"bob\""));
  EXPECT_EQ(directory->keys().contains("alice"), false);
  ask.if_match = "";
  EXPECT_THAT(told("PATCH", "keys/bob", R"({"name":"written"})"), HasSubstr("409 "));
  EXPECT_THAT(told("PATCH", "keys/bob", R"({"modles":1})"), HasSubstr("unknown key"));
}

TEST_F(Admins, AnswerTheSameQuestionOnce) {
  ask.idempotency_key = "once-1";
  const std::string first = told("POST", "keys", R"({"name":"alice"})");
  const std::string again = told("POST", "keys", R"({"name":"alice"})");
  EXPECT_EQ(first, again);
  EXPECT_EQ(opens(text(again, "key")), "alice");
  EXPECT_EQ(disk.contents.nodes.size(), 1u);
  EXPECT_THAT(told("POST", "keys", R"({"name":"bob"})"), HasSubstr("409 This Idempotency-Key"));
  for (const auto& [asked, given] : disk.given)
    EXPECT_THAT(asked + given.body, Not(HasSubstr(text(first, "key").substr(15))));
  // The same secret is never made a second time, not even when the answer is forgotten.
  ask.idempotency_key = "";
  told("DELETE", "keys/alice");
  now += 25LL * 3'600'000;
  ask.idempotency_key = "once-1";
  EXPECT_NE(text(told("POST", "keys", R"({"name":"alice"})"), "key"), text(first, "key"));
}

TEST_F(Admins, ListPageByPage) {
  for (const char* name : {"d", "a", "c", "b"}) told("POST", "keys", R"({"name":")" + std::string(name) + "\"}");
  const std::string page = told("GET", "keys?limit=2");
  EXPECT_EQ(text(page, "has_more"), "true");
  EXPECT_EQ(text(page, "next"), "b");
  told("DELETE", "keys/b");  // between two pages
  const std::string next = told("GET", "keys?limit=3&after=b");
  EXPECT_EQ(text(next, "has_more"), "false");
  EXPECT_THAT(next, testing::AllOf(HasSubstr("\"c\""), HasSubstr("\"d\""), HasSubstr("\"written\"")));
  const std::string lab = told("GET", "keys?group=lab");
  EXPECT_THAT(lab, testing::AllOf(HasSubstr("\"written\""), Not(HasSubstr("\"c\""))));
  EXPECT_THAT(told("GET", "keys?limit=0"), HasSubstr("400 "));
  EXPECT_THAT(told("GET", "groups"), HasSubstr("\"source\":\"configuration\""));
  EXPECT_EQ(text(told("GET", "audit?limit=2"), "has_more"), "true");
  EXPECT_THAT(told("GET", "audit?limit=9&before=2"), HasSubstr("admin.create"));
}

TEST_F(Admins, AreKnownByTheirKeys) {
  const std::string reader = text(told("POST", "admins", R"({"name":"looks"})"), "key");
  const std::string keeper = text(told("POST", "admins", R"({"name":"keeps","scope":"keys"})"), "key");
  ask.credential = reader;
  EXPECT_THAT(told("GET", "keys"), HasSubstr("\"data\""));
  EXPECT_THAT(told("POST", "keys", R"({"name":"x"})"), HasSubstr("403 "));
  EXPECT_THAT(told("DELETE", "admins/keeps"), HasSubstr("403 "));
  ask.credential = keeper;
  EXPECT_THAT(told("POST", "keys", R"({"name":"x"})"), HasSubstr("\"key\""));
  EXPECT_EQ(disk.audit.back().who, "keeps");
  EXPECT_THAT(told("POST", "admins", R"({"name":"more","scope":"all"})"), HasSubstr("403 "));
  ask.credential = root;
  EXPECT_THAT(told("DELETE", "admins/admin"), HasSubstr("409 This is the last"));
  EXPECT_THAT(told("POST", "admins", R"({"name":"y","scope":"config"})"), HasSubstr("\"scope\" must be"));
  EXPECT_THAT(told("DELETE", "admins/looks"), HasSubstr("\"deleted\":true"));
  ask.credential = reader;
  EXPECT_THAT(told("GET", "keys"), HasSubstr("401 "));
}

TEST_F(Admins, LetNobodyTryForLong) {
  for (int i = 0; i < 20; ++i) {
    ask.credential = "sk-sluice-admin-wrong" + std::to_string(i);
    EXPECT_THAT(told("GET", "keys"), HasSubstr("401 "));
  }
  ask.credential = root;
  const auto late = raw("GET", "keys");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error()->http_status(), 429);
  EXPECT_TRUE(late.error()->retry_after);
  ask.peer = "127.0.0.2";
  EXPECT_THAT(told("GET", "keys"), HasSubstr("\"data\""));
  ask.peer = "127.0.0.1";
  now += 15 * 60'000;
  EXPECT_THAT(told("GET", "keys"), HasSubstr("\"data\""));
}

TEST_F(Admins, HearOfWhatAnotherProcessChanged) {
  const std::string secret = text(told("POST", "keys", R"({"name":"alice"})"), "key");
  const auto other = Admin::open(std::make_unique<MemoryKeys>(disk), clock, chance);
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->adopt(Config{}));
  AdminAsk there{.method = "POST", .path = "keys/alice/block", .credential = root, .peer = "127.0.0.1", .near = true};
  ASSERT_TRUE((*other)->answer(there));
  EXPECT_EQ(opens(secret), "alice");
  ASSERT_TRUE(admin->catch_up());
  EXPECT_NE(opens(secret), "alice");
  // Nor is it undone by the next change here.
  EXPECT_THAT(told("PATCH", "keys/alice", R"({"tags":["x"]})"), HasSubstr("\"blocked\""));
  EXPECT_NE(opens(secret), "alice");
}

TEST_F(Admins, WhoShowsNoKeyLocksNobodyOut) {
  for (int i = 0; i < 50; ++i) {
    ask = {.method = "GET", .path = "keys", .peer = "127.0.0.1", .near = true};
    EXPECT_EQ(admin->answer(ask).error()->http_status(), 401);
  }
  ask.credential = root;
  EXPECT_THAT(told("GET", "keys"), HasSubstr("\"data\""));
}

TEST_F(Admins, TicketsAreForThisMachineAndThisMinute) {
  ask = {.method = "GET", .path = "keys", .peer = "127.0.0.1", .near = true};
  ask.credential = admin->ticket(ask);
  EXPECT_THAT(told("GET", "keys"), HasSubstr("\"data\""));
  EXPECT_THAT(told("GET", "groups"), HasSubstr("401 "));  // and for nothing else
  EXPECT_THAT(told("POST", "admins", R"({"name":"x","scope":"all"})"), HasSubstr("401 "));
  ask.near = false;
  EXPECT_THAT(told("GET", "keys"), HasSubstr("401 "));
  ask.near = true;
  const std::string good = ask.credential;
  ask.credential.back() = ask.credential.back() == '0' ? '1' : '0';
  EXPECT_THAT(told("GET", "keys"), HasSubstr("401 "));
  ask.credential = "sluice-ticket.";
  EXPECT_THAT(told("GET", "keys"), HasSubstr("401 "));
  ask.credential = good;
  now += 60'000;
  EXPECT_THAT(told("GET", "keys"), HasSubstr("401 "));
}

TEST_F(Admins, ChangeNothingWhenTheDiskBreaks) {
  const std::string secret = text(told("POST", "keys", R"({"name":"alice"})"), "key");
  disk.fails_after = 0;
  for (const auto& [method, path, body] : {std::tuple("POST", "keys", R"({"name":"bob"})"),
                                           {"PATCH", "keys/alice", R"({"name":"x"})"},
                                           {"DELETE", "keys/alice", ""},
                                           {"POST", "keys/alice/block", ""},
                                           {"POST", "admins", R"({"name":"y"})"}})
    EXPECT_THAT(told(method, path, body), HasSubstr("500 ")) << path;
  EXPECT_EQ(opens(secret), "alice");
  EXPECT_EQ(published, 1);
  disk.fails_after = -1;
  EXPECT_THAT(told("GET", "keys"), Not(HasSubstr("bob")));
  EXPECT_EQ(text(told("GET", "keys/alice"), "version"), "1");
}

TEST_F(Admins, SayWhenAWorkerIsLate) {
  taken = false;
  EXPECT_THAT(told("POST", "keys", R"({"name":"alice"})"), HasSubstr("503 The change is stored"));
  EXPECT_EQ(disk.contents.nodes.size(), 1u);
}

TEST_F(Admins, WithoutAStoreAreRefused) {
  admin = *Admin::open(nullptr, clock, chance);
  EXPECT_THAT(told("GET", "keys"), HasSubstr("401 "));
  EXPECT_THAT(told("POST", "keys", "{}"), HasSubstr("storage: sqlite"));
  EXPECT_EQ(*admin->first_key(), "");
}

TEST_F(Admins, AnswerOnAThreadOfTheirOwn) {
  std::promise<Result<AdminAnswer>> said;
  ask.method = "GET";
  ask.path = "keys";
  ask.credential = root;
  admin->ask(ask, [&](Result<AdminAnswer> answer) { said.set_value(std::move(answer)); });
  EXPECT_TRUE(said.get_future().get());
  admin->close();
  bool refused = false;
  admin->ask(ask, [&](Result<AdminAnswer> answer) { refused = !answer; });
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace sluice
