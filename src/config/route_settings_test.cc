// Routes as people write them. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load_test.h"
#include "config/snapshot.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ConfigLoad, ARouteChangesOnlyWhatItSays) {
  const Loaded loaded = load(R"(failover: {attempts: 7, deadline: 1m, hedge: 3s}
backends: {openai: {api_key: k, models: [a], timeouts: {first_token: 30s}}}
routes:
- {model: r, try: [{backend: openai, model: a}], timeouts: {first_token: auto}, failover: {attempts: 2, hedge: never}}
- {model: s, try: [{backend: openai, model: a, timeouts: {first_token: 5s}}], timeouts: {first_token: auto}}
)");
  ASSERT_TRUE(loaded.ok()) << told(loaded);
  const auto snapshot = Snapshot::compile(loaded.config);
  const Route& route = snapshot->routes()[0];
  EXPECT_EQ(route.failover.attempts, 2);
  EXPECT_EQ(route.failover.deadline, Millis(60'000));
  EXPECT_FALSE(route.failover.hedge.on);
  EXPECT_EQ(route.tree->over[0].leg->timeouts.first_token, Millis(30'000)) << "the longest, until it is learnt";
  EXPECT_TRUE(route.tree->over[0].leg->timeouts.learn_first_token);
  EXPECT_EQ(snapshot->routes()[1].tree->over[0].leg->timeouts.first_token, Millis(5'000));
  EXPECT_FALSE(snapshot->routes()[1].tree->over[0].leg->timeouts.learn_first_token);
  EXPECT_TRUE(snapshot->routes()[1].failover.hedge.on);
}

TEST_F(ConfigLoad, RoutesAreAListOfModels) {
  const Loaded loaded = load("routes: [{model: \"gpt-*\", strict: true}, {model: x}]");
  EXPECT_TRUE(loaded.ok()) << told(loaded);
  ASSERT_EQ(loaded.config.routes.size(), 2u);
  EXPECT_EQ(loaded.config.routes[0].model, "gpt-*");
  EXPECT_TRUE(loaded.config.routes[0].strict);
  EXPECT_FALSE(loaded.config.routes[1].strict);
  EXPECT_THAT(told(load("routes: [{strict: true}]")), HasSubstr("a route needs a model"));
  EXPECT_THAT(told(load("routes: {model: x}")), HasSubstr("must be a list"));
  EXPECT_THAT(told(load("routes: [{model: x, strikt: true}]")), HasSubstr("strict"));
}

TEST_F(ConfigLoad, RoutesAreTrees) {
  const Loaded loaded = load(R"(
backends: {x: {type: compatible, base_url: "http://h", models: ["*"]}}
routes:
  - model: smart
    when: {caller: "team-*", dialect: [anthropic, openai_chat], header: {X-Tier: gold}, stream: yes, tools: true,
           vision: no, tokens_over: 1000}
    try:
      - {balance: round_robin, affinity: "header:X-Session", over: [{backend: x, model: a, weight: 3}, {backend: x, model: b}]}
      - [{backend: x, model: c}, {backend: x, model: d}]
      - backend: x
        model: e
        set: {temperature: 0.5, note: "1", /metadata/tier: [gold, {deep: null}], user: "${NAME:-me}", yes: true}
        drop: [logprobs, /metadata/old]
        rename: {max_tokens: max_completion_tokens}
        timeouts: {first_token: 5s}
)");
  ASSERT_TRUE(loaded.ok()) << told(loaded);
  const RouteSettings& route = loaded.config.routes.at(0);
  EXPECT_THAT(route.when.callers, ElementsAre("team-*"));
  EXPECT_THAT(route.when.dialects, ElementsAre("anthropic", "openai_chat"));
  EXPECT_EQ(route.when.headers.at("x-tier"), "gold");
  EXPECT_EQ(route.when.stream, true);
  EXPECT_EQ(route.when.vision, false);
  EXPECT_EQ(route.when.tokens_over, 1000);
  ASSERT_EQ(route.targets.size(), 3u);
  EXPECT_EQ(route.targets[0].balance, Order::round_robin);
  EXPECT_EQ(route.targets[0].affinity.header, "x-session");
  EXPECT_EQ(route.targets[0].entries[0].weight, 3);
  EXPECT_EQ(route.targets[1].entries[1].model, "d");
  std::vector<std::string> edits;
  for (const json::Edit& edit : route.targets[2].edits) edits.push_back(edit.pointer + '=' + edit.value);
  EXPECT_THAT(edits,
              ElementsAre("/max_tokens=max_completion_tokens", "/logprobs=", "/metadata/old=", "/temperature=0.5",
                          "/note=\"1\"", "/metadata/tier=[\"gold\",{\"deep\":null}]", "/user=\"me\"", "/yes=true"));
  EXPECT_EQ(route.targets[2].timeouts.first_token, Millis(5'000));
}

TEST_F(ConfigLoad, RoutesHoldNothingThatWouldDoNothing) {
  const auto fault = [&](const std::string& inside) {
    const Loaded loaded = load(
        "backends: {x: {type: compatible, base_url: \"http://h\", models: [alpha, \"gpt-*\"]}}\n"
        "routes: [" +
        inside + "]");
    return loaded.ok() ? "nothing was wrong" : told(loaded);
  };
  const auto entry = [&](const std::string& inside) { return fault("{model: smart, try: [" + inside + "]}"); };
  EXPECT_EQ(entry("{backend: x, model: alpha}"), "nothing was wrong");
  EXPECT_EQ(entry("{backend: x, model: gpt-5}"), "nothing was wrong");
  EXPECT_EQ(fault("{model: \"gpt-*\", try: [{backend: x}]}"), "nothing was wrong");
  EXPECT_THAT(entry("{backend: x, model: alhpa}"), HasSubstr("did you mean \"alpha\"?"));
  EXPECT_THAT(entry("{backend: x}"), HasSubstr("does not serve \"smart\""));
  EXPECT_THAT(entry("{backend: y, model: alpha}"), HasSubstr("there is no backend \"y\""));
  EXPECT_THAT(entry("{backend: x, model: \"gpt-*\"}"), HasSubstr("not a pattern"));
  EXPECT_THAT(entry("{backend: x, model: alpha, weight: 2}"), HasSubstr("within `over` only"));
  EXPECT_THAT(entry("{balance: weighted, over: [{backend: x, model: alpha, weight: 0}]}"), HasSubstr("1"));
  EXPECT_THAT(entry("{balance: weighted, over: []}"), HasSubstr("is empty"));
  EXPECT_THAT(entry("{balance: wieghted, over: [{backend: x, model: alpha}]}"),
              HasSubstr("did you mean \"weighted\"?"));
  EXPECT_THAT(entry("{balance: weighted}"), HasSubstr("one of them"));
  EXPECT_THAT(entry("{over: [{backend: x, model: alpha}]}"), HasSubstr("needs a balance"));
  EXPECT_THAT(entry("{backend: x, model: alpha, balance: weighted}"), HasSubstr("beside \"over\" only"));
  EXPECT_THAT(entry("{model: alpha}"), HasSubstr("one of them"));
  EXPECT_THAT(entry("{backend: x, model: alpha, set: {model: y}}"), HasSubstr("no parameter to edit"));
  EXPECT_THAT(entry("{backend: x, model: alpha, drop: [stream]}"), HasSubstr("cannot edit"));
  EXPECT_THAT(entry("{backend: x, model: alpha, sett: {a: 1}}"), HasSubstr("did you mean \"set\"?"));
  EXPECT_THAT(entry("{backend: x, model: alpha, timeouts: {first: 1s}}"), HasSubstr("unknown key"));
  EXPECT_THAT(fault("{model: smart, try: []}"), HasSubstr("is empty"));
  EXPECT_THAT(fault("{model: smart, timeouts: {total: 1s}}"), HasSubstr("has no try"));
  EXPECT_THAT(fault("{model: smart, when: {dialect: antropic}}"), HasSubstr("did you mean \"anthropic\"?"));
  EXPECT_THAT(fault("{model: smart, hedge: {after: p95}}"), HasSubstr("unknown key \"hedge\""));
  EXPECT_THAT(fault("{model: \"*\"}, {model: smart}"), HasSubstr("no request reaches this route"));
  EXPECT_THAT(fault("{model: a, when: {stream: true}}, {model: a, when: {stream: true}, strict: true}"),
              HasSubstr("no request reaches this route"));
  EXPECT_EQ(fault("{model: \"*\", when: {stream: true}}, {model: smart}"), "nothing was wrong");
  EXPECT_EQ(fault("{model: smart}, {model: \"*\"}"), "nothing was wrong");
}

}  // namespace
}  // namespace sluice
