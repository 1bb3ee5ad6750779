// SPDX-License-Identifier: MIT
#include "net/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "net/name_server_test.h"
#include "net/rig_test.h"

namespace sluice::net {
namespace {

using rig::NameServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

struct Resolving : ::testing::Test {
  NameServer server;
  rig::Rig rig;
  std::unique_ptr<Resolver> resolver = make();
  Sleeper sleeper{*rig};

  std::unique_ptr<Resolver> make(std::size_t most = 1024) {
    return std::move(*Resolver::make(*rig, {.servers = server.address(), .timeout_ms = 150, .tries = 2, .most = most}));
  }
  Result<std::vector<Address>> resolve(const std::string& host, int ms = 5000) {
    sleeper.deadline(Loop::clock_ns() / 1'000'000 + ms);
    return rig.run(resolver->resolve(sleeper, host));
  }
  std::vector<std::string> texts(const std::string& host) {
    const auto found = resolve(host);
    if (!found) return {found.error()->detail};
    std::vector<std::string> out;
    for (const Address& address : *found) out.push_back(address.text());
    return out;
  }
};

TEST_F(Resolving, AnswersNumbersAndLocalhostWithoutAsking) {
  EXPECT_THAT(texts("127.0.0.1"), ElementsAre("127.0.0.1"));
  EXPECT_THAT(texts("::1"), ElementsAre("::1"));
  EXPECT_THAT(texts("2001:db8::7"), ElementsAre("2001:db8::7"));
  EXPECT_EQ(resolver->queries(), 0U);
  EXPECT_THAT(texts("localhost"), ::testing::Contains("127.0.0.1"));
  EXPECT_EQ(server.questions, 0);
}

TEST_F(Resolving, ReadsTheHostsFileWithoutAsking) {
  std::ifstream hosts("/etc/hosts");
  std::string line;
  int checked = 0;
  while (std::getline(hosts, line)) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address;
    std::string name;
    if (!(words >> address >> name) || !parse_address(address)) continue;
    EXPECT_THAT(texts(name), ::testing::Contains(parse_address(address)->text())) << name;
    ++checked;
  }
  if (checked == 0) GTEST_SKIP() << "/etc/hosts names nobody here";
  EXPECT_EQ(server.questions, 0);
}

TEST_F(Resolving, GathersEveryAddressOfBothFamilies) {
  server.set("many.test", {.addresses = {"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"}});
  EXPECT_THAT(texts("many.test"), UnorderedElementsAre("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"));
  EXPECT_EQ(server.questions, 2);  // A and AAAA
}

TEST_F(Resolving, RemembersForTheTimeThatTheRecordsLive) {
  server.set("short.test", {.ttl = 1, .addresses = {"192.0.2.1"}});
  server.set("long.test", {.ttl = 60, .addresses = {"192.0.2.2"}});
  server.set("alias.test", {.ttl = 60, .addresses = {"192.0.2.3"}, .alias = "real.test", .alias_ttl = 1});
  for (const char* name : {"short.test", "long.test", "alias.test"}) (void)resolve(name);
  EXPECT_EQ(resolver->queries(), 3U);
  for (const char* name : {"short.test", "long.test", "alias.test"}) (void)resolve(name);
  EXPECT_EQ(resolver->queries(), 3U);
  server.set("short.test", {.addresses = {"192.0.2.9"}});
  server.set("alias.test", {.addresses = {"192.0.2.8"}});
  rig.idle(1100);
  EXPECT_THAT(texts("short.test"), ElementsAre("192.0.2.9"));
  EXPECT_THAT(texts("alias.test"), ElementsAre("192.0.2.8"));  // the chain lives as long as its shortest link
  EXPECT_THAT(texts("long.test"), ElementsAre("192.0.2.2"));
  EXPECT_EQ(resolver->queries(), 5U);
}

TEST_F(Resolving, ServesTheLastAnswerWhenAskingFails) {
  server.set("flaky.test", {.ttl = 1, .addresses = {"192.0.2.1"}});
  EXPECT_THAT(texts("flaky.test"), ElementsAre("192.0.2.1"));
  server.set("flaky.test", {.code = 2});
  rig.idle(1100);
  EXPECT_THAT(texts("flaky.test"), ElementsAre("192.0.2.1"));
  const std::uint64_t asked = resolver->queries();
  EXPECT_EQ(asked, 2U);
  EXPECT_THAT(texts("flaky.test"), ElementsAre("192.0.2.1"));  // at once: it is not asked again every time
  EXPECT_EQ(resolver->queries(), asked);
}

TEST_F(Resolving, SaysWhatWentWrong) {
  server.set("broken.test", {.code = 2});
  server.set("empty.test", {});
  for (const char* name : {"missing.test", "broken.test", "empty.test", "", "a..b", "a b", "münchen.test"}) {
    const auto found = resolve(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error()->fault, Fault::upstream_unreachable) << name;
    EXPECT_THAT(found.error()->detail, HasSubstr(std::string("DNS: ") + name + ": ")) << name;
  }
}

TEST_F(Resolving, AsksAgainOverTcpWhenTheAnswerWasCut) {
  server.set("big.test", {.addresses = {"192.0.2.1", "2001:db8::1"}, .truncated = true});
  EXPECT_THAT(texts("big.test"), UnorderedElementsAre("192.0.2.1", "2001:db8::1"));
}

Task<> ask_for(Resolver& resolver, Sleeper& sleeper, std::string host, int& over, int& good) {
  const auto found = co_await resolver.resolve(sleeper, std::move(host));
  ++over;
  if (found) ++good;
}

TEST_F(Resolving, AsksOnceHoweverManyWait) {
  server.set("slow.test", {.addresses = {"192.0.2.1"}, .after_ms = 50});
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  std::vector<Task<>> tasks;
  int over = 0;
  int good = 0;
  for (int i = 0; i < 50; ++i) {
    sleepers.push_back(std::make_unique<Sleeper>(*rig));
    tasks.push_back(ask_for(*resolver, *sleepers.back(), "slow.test", over, good));
    tasks.back().start();
  }
  EXPECT_EQ(over, 0);
  rig.idle(300);
  EXPECT_EQ(over, 50);
  EXPECT_EQ(good, 50);
  EXPECT_EQ(resolver->queries(), 1U);
  EXPECT_EQ(server.questions, 2);
}

TEST_F(Resolving, LetsAnyWaiterLeaveInAnyWay) {
  server.set("slow.test", {.addresses = {"192.0.2.1"}, .after_ms = 60});
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  std::vector<Task<>> tasks;
  int over = 0;
  int good = 0;
  for (int i = 0; i < 12; ++i) {
    sleepers.push_back(std::make_unique<Sleeper>(*rig));
    tasks.push_back(ask_for(*resolver, *sleepers.back(), "slow.test", over, good));
    tasks.back().start();
  }
  for (const std::size_t i : {0U, 5U, 11U}) sleepers[i]->cancel();
  EXPECT_EQ(over, 3);
  for (const std::size_t i : {1U, 6U}) tasks[i] = {};  // dies asleep
  sleepers[2]->deadline(rig->now_ms() + 5);
  rig.idle(40);
  EXPECT_EQ(over, 4);
  EXPECT_EQ(good, 0);
  rig.idle(300);
  EXPECT_EQ(over, 10);
  EXPECT_EQ(good, 6);
  EXPECT_EQ(resolver->queries(), 1U);
}

// The first to wake drops all the others, who wait for the same answer.
Task<> drop_the_others(Resolver& resolver, Sleeper& sleeper, std::vector<Task<>>& tasks, int& over) {
  const auto found = co_await resolver.resolve(sleeper, "slow.test");
  ++over;
  for (Task<>& task : tasks) {
    if (!task.done()) {
      // Not this one: it runs.
      if (over == 1 && &task == tasks.data()) continue;
      task = {};
    }
  }
}

TEST_F(Resolving, LetsAWaiterDropThoseWhoWaitWithIt) {
  server.set("slow.test", {.addresses = {"192.0.2.1"}, .after_ms = 20});
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  std::vector<Task<>> tasks(6);
  int over = 0;
  int unheard = 0;
  int good = 0;
  for (std::size_t i = tasks.size(); i-- > 0;) {  // the last to wait is woken first: tasks[0]
    sleepers.push_back(std::make_unique<Sleeper>(*rig));
    tasks[i] = i == 0 ? drop_the_others(*resolver, *sleepers.back(), tasks, over)
                      : ask_for(*resolver, *sleepers.back(), "slow.test", unheard, good);
    tasks[i].start();
  }
  rig.idle(200);
  EXPECT_EQ(over, 1);
  EXPECT_EQ(unheard, 0);
}

TEST_F(Resolving, EndsAtTheDeadlineAndKeepsTheAnswerForTheNext) {
  server.set("slow.test", {.addresses = {"192.0.2.1"}, .after_ms = 60});
  const auto early = resolve("slow.test", 10);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error()->fault, Fault::upstream_timeout);
  rig.idle(250);
  EXPECT_THAT(texts("slow.test"), ElementsAre("192.0.2.1"));
  EXPECT_EQ(resolver->queries(), 1U);
}

TEST_F(Resolving, GivesUpOnASilentServer) {
  server.set("silent.test", {.silent = true});
  const auto found = resolve("silent.test");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error()->fault, Fault::upstream_unreachable);
  EXPECT_GE(server.questions, 4);  // both families, twice
}

TEST_F(Resolving, MayDieWhileSomebodyWaits) {
  server.set("silent.test", {.silent = true});
  int over = 0;
  int good = 0;
  Task<> task = ask_for(*resolver, sleeper, "silent.test", over, good);
  task.start();
  resolver.reset();
  sleeper.deadline(rig->now_ms() + 10);
  rig.idle(40);
  EXPECT_EQ(over, 1);
  EXPECT_EQ(good, 0);
}

TEST_F(Resolving, ForgetsTheOldestWhenItKnowsTooMany) {
  resolver = make(4);
  for (int i = 0; i < 8; ++i) {
    const std::string name = "n" + std::to_string(i) + ".test";
    server.set(name, {.ttl = static_cast<unsigned>(10 + i), .addresses = {"192.0.2.1"}});
    EXPECT_TRUE(resolve(name));
  }
  EXPECT_EQ(resolver->queries(), 8U);
  EXPECT_TRUE(resolve("n7.test"));
  EXPECT_EQ(resolver->queries(), 8U);
  EXPECT_TRUE(resolve("n0.test"));
  EXPECT_EQ(resolver->queries(), 9U);
}

TEST_F(Resolving, FollowsTheSystemIntoAnotherNetwork) {
  server.set("llm.office.test", {.addresses = {"192.0.2.1"}});
  server.set("gpu.home.test", {.addresses = {"192.0.2.2"}});
  const rig::Certificates directory;  // for its directory alone
  const std::string file = directory.path("resolv.conf");
  std::ofstream(file) << "search office.test\n";
  resolver = std::move(*Resolver::make(*rig, {.servers = server.address(), .file = file}));
  EXPECT_THAT(texts("llm"), ElementsAre("192.0.2.1"));
  EXPECT_FALSE(resolve("gpu"));
  std::ofstream(file) << "# moved\nsearch home.test\n";
  EXPECT_THAT(texts("gpu"), ElementsAre("192.0.2.2"));
}

TEST_F(Resolving, FallsBackToTheServerThatAnswers) {
  // Nobody listens on the first. One family meets the refusal; c-ares lets the other wait for its timeout.
  resolver = std::move(*Resolver::make(
      *rig, {.servers = "127.0.0.1:" + std::to_string(rig::free_port()) + "," + server.address(), .timeout_ms = 300}));
  server.set("one.test", {.addresses = {"192.0.2.1"}});
  EXPECT_THAT(texts("one.test"), ElementsAre("192.0.2.1"));
}

}  // namespace
}  // namespace sluice::net
