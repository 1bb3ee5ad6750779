// Which route takes a request, in which order its targets are tried, and what is said about it.
// SPDX-License-Identifier: MIT
#include "policy/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "policy/balance.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::optional<std::string> no_variable(const char*) {
  return std::nullopt;
}

struct Told final : Features {
  std::map<std::string, std::string, std::less<>> headers;
  bool has_tools = false, has_vision = false;
  std::int64_t count = 0, says = 100;
  std::uint64_t begins = 0;
  int read = 0;  // how often something that costs was asked for
  std::string_view header(std::string_view name) override {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : found->second;
  }
  bool tools() override { return ++read, has_tools; }
  bool vision() override { return ++read, has_vision; }
  std::int64_t tokens() override { return ++read, count; }
  std::int64_t answer() override { return ++read, says; }
  std::uint64_t beginning() override { return ++read, begins; }
};

// A configuration with backends a, b, c that serve everything, d with two accounts (3 to 1), and these routes.
class Plans : public testing::Test {
 protected:
  void routes(std::string_view yaml) {
    const std::string text =
        "backends:\n"
        "  a: {type: compatible, base_url: \"http://h\", models: [\"*\"]}\n"
        "  b: {type: compatible, base_url: \"http://h\", models: [\"*\"]}\n"
        "  c: {type: compatible, base_url: \"http://h\", models: [\"only-c\", m]}\n"
        "  d: {type: compatible, base_url: \"http://h\", models: [d],\n"
        "      accounts: [{key: k, weight: 3}, {key: l}]}\n"
        "  e: {type: compatible, base_url: \"http://h\", models: [capped], max_concurrent: 1}\n" +
        std::string(yaml);
    const Loaded loaded = load_config(text, "config.yaml", no_variable);
    ASSERT_TRUE(loaded.ok()) << render(loaded.faults, text, "config.yaml");
    snapshot = Snapshot::compile(loaded.config);
    gates.bound(*snapshot);
  }
  Odds odds() { return {.health = health, .turns = turns, .dice = dice, .now_ms = now, .gates = &gates}; }
  Sought sought(std::string_view model) {
    return {.model = model, .caller = caller, .dialect = dialect, .stream = stream, .features = told};
  }
  // "backend:model" of each target, in order; the error's message when there is none.
  std::vector<std::string> order(std::string_view model) {
    why.clear();
    const Sought asked = sought(model);
    const auto found = plan(*snapshot, find_route(snapshot->routes(), asked), asked, odds(), &why);
    if (!found) return {found.error()->message};
    std::vector<std::string> out;
    for (const Target& target : *found) out.push_back(target.backend->name + ':' + target.model);
    EXPECT_EQ(why.size(), out.size());
    return out;
  }
  // The model of the route that takes it; "" for none.
  std::string taken(std::string_view model) {
    const Route* route = find_route(snapshot->routes(), sought(model));
    return route ? std::to_string(route - snapshot->routes().data()) : "";
  }
  // The target may not be called for a while.
  void break_down(std::string_view account, std::string_view model) {
    health.of(account, model, now)->begin(now).end(Outcome::quota, now, {}, dice, std::chrono::milliseconds(30'000));
  }

  // The vendor tells what is left of 100 calls of the model x.
  void learn(std::string_view account, std::int64_t left) {
    LimitsTold limits;
    limits.kinds[0] = {.limit = 100, .remaining = left, .until_reset = std::chrono::milliseconds(60'000)};
    health.of(account, "x", now)->learn_quota(limits, now);
  }

  std::shared_ptr<const Snapshot> snapshot;
  HealthBook health;
  Gates gates{[] { return std::int64_t{0}; }};
  Turns turns;
  Dice dice{7};
  std::int64_t now = 1'000'000;
  std::string caller = "local", dialect = "openai_chat";
  bool stream = false;
  Told told;
  std::vector<Reason> why;
};

TEST_F(Plans, WithoutARouteWhoeverServesTheModelIsTried) {
  routes("");
  EXPECT_THAT(order("only-c"), ElementsAre("c:only-c", "a:only-c", "b:only-c"));
  EXPECT_EQ(why[1].place, "entry 2 of 3");
  break_down("c", "only-c");
  EXPECT_THAT(order("only-c"), ElementsAre("a:only-c", "b:only-c", "c:only-c"));
  EXPECT_FALSE(why[2].in);
  EXPECT_THAT(why[2].state, HasSubstr("quota"));
  now += 60'000;
  EXPECT_THAT(order("only-c"), ElementsAre("c:only-c", "a:only-c", "b:only-c"));
  EXPECT_EQ(told.read, 0);
}

TEST_F(Plans, TheCheapestIsWhatThisRequestWouldCost) {
  routes(R"(
  o: {type: openai, api_key: k, models: [{name: long, upstream: gpt-4.1}, {name: none, upstream: my-own}]}
  g: {type: gemini, api_key: k, models: [gemini-2.5-pro]}
  r: {type: deepseek, models: [deepseek-chat], accounts: [{key: k}, {key: l}]}
routes:
  - {model: x, try: [{balance: cheapest, over: [{backend: a, model: m}, {backend: o, model: long},
                                               {backend: g, model: gemini-2.5-pro}, {backend: o, model: none}]}]}
  - {model: y, try: [{balance: cheapest, over: [{backend: o, model: long}, {backend: r, model: deepseek-chat}]}]})");
  told.count = 1'000;  // $2 and $8 a million there, $1.25 and $10 here
  EXPECT_EQ(order("x")[0], "g:gemini-2.5-pro");
  EXPECT_EQ(order("x")[1], "o:gpt-4.1");
  EXPECT_EQ(why[0].place, "about $0.00225 for this request");
  EXPECT_EQ(why[1].place, "about $0.0028 for this request");
  EXPECT_EQ(why[2].place, "price not known");
  EXPECT_EQ(why[3].place, "price not known");
  // A long answer, and an input that lies above the threshold of one.
  told.count = 100, told.says = 1'000;
  EXPECT_EQ(order("x")[0], "o:gpt-4.1");
  told.count = 250'000, told.says = 100;
  EXPECT_EQ(order("x")[0], "o:gpt-4.1");
  // Nobody said how long it is.
  told.count = 0, told.says = 0;
  EXPECT_EQ(order("x")[0], "g:gemini-2.5-pro");
  break_down("g", "gemini-2.5-pro");
  EXPECT_EQ(order("x")[0], "o:gpt-4.1");
  EXPECT_EQ(order("x")[3], "g:gemini-2.5-pro");
  const auto y = order("y");
  EXPECT_THAT(std::vector(y.begin(), y.begin() + 2),
              testing::UnorderedElementsAre("r.1:deepseek-chat", "r.2:deepseek-chat"));
  EXPECT_EQ(y[2], "o:gpt-4.1");
}

TEST_F(Plans, AccountsComeFirstByTheirWeight) {
  routes("");
  std::map<std::string, int> first;
  for (int i = 0; i < 400; ++i) ++first[order("d").front()];
  EXPECT_NEAR(first["d.1:d"], 300, 3);
  EXPECT_NEAR(first["d.2:d"], 100, 3);
  EXPECT_THAT(why[0].place, HasSubstr("weight"));
  break_down("d.1", "d");
  EXPECT_THAT(order("d"), ElementsAre("d.2:d", "a:d", "b:d", "d.1:d"));
}

TEST_F(Plans, TheFirstRouteThatFitsCounts) {
  routes(R"(routes:
  - {model: "x-*", when: {caller: ["team-*", boss]}}
  - {model: "x-*", when: {dialect: anthropic}}
  - {model: "x-*", when: {header: {x-tier: "gold*"}}}
  - {model: "x-*", when: {stream: true, tools: false}}
  - {model: "x-*", when: {stream: true}}
  - {model: "x-*", when: {vision: true}}
  - {model: "x-*", when: {tokens_over: 100}}
  - {model: "x-*", when: {header: {x-any: "*"}}}
  - {model: x-1}
)");
  EXPECT_EQ(taken("x-1"), "8");
  EXPECT_EQ(taken("x-2"), "");
  EXPECT_EQ(taken("y"), "");
  caller = "team-a";
  EXPECT_EQ(taken("x-1"), "0");
  caller = "boss";
  EXPECT_EQ(taken("x-1"), "0");
  caller = "bosses";
  dialect = "anthropic";
  EXPECT_EQ(taken("x-1"), "1");
  dialect = "gemini";
  told.headers["x-any"] = "";
  EXPECT_EQ(taken("x-1"), "8");
  told.headers["x-any"] = "1";
  EXPECT_EQ(taken("x-1"), "7");
  told.headers.erase("x-any");
  told.headers["x-tier"] = "golden";
  EXPECT_EQ(taken("x-1"), "2");
  told.headers["x-tier"] = "silver";
  stream = true;
  EXPECT_EQ(taken("x-1"), "3");
  told.has_tools = true;
  EXPECT_EQ(taken("x-1"), "4");
  stream = false;
  told.has_vision = true;
  EXPECT_EQ(taken("x-1"), "5");
  told.has_vision = false;
  told.count = 100;
  EXPECT_EQ(taken("x-1"), "8");
  told.count = 101;
  EXPECT_EQ(taken("x-1"), "6");
}

TEST_F(Plans, ATreeIsGoneFromItsFirstEntry) {
  routes(R"(routes:
  - model: smart
    try:
      - {balance: round_robin, over: [{backend: a, model: one}, {backend: b, model: two}]}
      - [{backend: c, model: only-c}, {backend: a, model: three}]
)");
  EXPECT_THAT(order("smart"), ElementsAre("a:one", "b:two", "c:only-c", "a:three"));
  EXPECT_EQ(why[1].place, "entry 1 of 2, in turn");
  EXPECT_EQ(why[3].place, "entry 2 of 2, entry 2 of 2");
  EXPECT_THAT(order("smart"), ElementsAre("b:two", "a:one", "c:only-c", "a:three"));
  break_down("b", "two");
  EXPECT_THAT(order("smart"), ElementsAre("a:one", "c:only-c", "a:three", "b:two"));
  EXPECT_FALSE(why[3].in);
}

TEST_F(Plans, NobodyIsAskedTheSameTwice) {
  routes(
      "routes: [{model: s, try: [{backend: a, model: x}, {backend: b, model: x}, {backend: a, model: x}, "
      "{backend: a, model: x, set: {seed: 1}}]}]");
  EXPECT_THAT(order("s"), ElementsAre("a:x", "b:x", "a:x"));
}

TEST_F(Plans, LookingTakesNobodysTurn) {
  routes("routes: [{model: s, try: [{balance: round_robin, over: [{backend: a, model: x}, {backend: b, model: x}]}]}]");
  const auto look = [&] {
    Odds only = odds();
    only.look = true;
    const Sought asked = sought("s");
    return plan(*snapshot, find_route(snapshot->routes(), asked), asked, only)->front().backend->name;
  };
  for (int i = 0; i < 6; ++i) {
    const std::string expected = look();
    EXPECT_EQ(look(), expected);
    EXPECT_EQ(order("s").front(), expected + ":x");
  }
}

TEST_F(Plans, ATargetWithoutAModelIsAskedForTheSame) {
  routes("routes: [{model: \"*\", try: [{backend: c}, {backend: b}]}]");
  EXPECT_THAT(order("m"), ElementsAre("c:m", "b:m"));
  EXPECT_THAT(order("z"), ElementsAre("b:z"));
  routes("routes: [{model: \"*\", try: [{backend: c}]}]");
  EXPECT_THAT(order("z"), ElementsAre(HasSubstr("has no target that serves it")));
}

TEST_F(Plans, ASplitGivesEachCallerAlwaysTheSame) {
  routes(
      "routes: [{model: s, try: [{balance: split, over: [{weight: 3, backend: a, model: x}, {backend: b, model: "
      "x}]}]}]");
  std::map<std::string, int> first;
  for (int i = 0; i < 1000; ++i) {
    caller = "caller-" + std::to_string(i);
    const std::string one = order("s").front();
    ++first[one];
    EXPECT_EQ(order("s").front(), one);
  }
  EXPECT_NEAR(first["a:x"], 750, 50);
  const std::string share = order("s").front() == "a:x" ? "weight 3 of 4" : "weight 1 of 4";
  EXPECT_EQ(why[0].place, share + " of the callers");
}

TEST_F(Plans, AffinityKeepsWhatIsEqualTogether) {
  routes(R"(routes:
  - {model: h, try: [{balance: weighted, affinity: "header:X-Session", over: [{backend: a, model: x}, {backend: b, model: x}]}]}
  - {model: p, try: [{balance: weighted, affinity: prompt, over: [{backend: a, model: x}, {backend: b, model: x}]}]}
)");
  std::map<std::string, int> first;
  for (int i = 0; i < 200; ++i) {
    told.headers["x-session"] = std::to_string(i);
    const std::string one = order("h").front();
    ++first[one];
    EXPECT_EQ(order("h").front(), one);
  }
  EXPECT_NEAR(first["a:x"], 100, 30);
  EXPECT_EQ(why[0].place, "the place of this x-session");
  told.headers.clear();
  EXPECT_NE(order("h").front(), order("h").front());  // nobody to keep: by weight, in turn
  first.clear();
  for (int i = 1; i < 200; ++i) {
    told.begins = Dice::mix(static_cast<std::uint64_t>(i));
    const std::string one = order("p").front();
    ++first[one];
    EXPECT_EQ(order("p").front(), one);
  }
  EXPECT_NEAR(first["a:x"], 100, 30);
  const std::string kept = order("p").front().substr(0, 1);
  break_down(kept, "x");
  EXPECT_NE(order("p").front().substr(0, 1), kept);
}

TEST_F(Plans, WhoIsAtItsCapComesAfterThoseWhoHavePlaces) {
  routes(
      R"(routes: [{model: w, try: [{balance: weighted, over: [{backend: e, model: capped}, {backend: b, model: x}]}]}]
)");
  EXPECT_THAT(order("w"), testing::SizeIs(2));
  const Seat taken = gates.of("e").take();
  for (int i = 0; i < 8; ++i) EXPECT_THAT(order("w"), ElementsAre("b:x", "e:capped"));
  EXPECT_EQ(why[1].state, "at its cap of 1 calls");
  EXPECT_TRUE(why[1].in);
}

TEST_F(Plans, AListPassesByWhoseQuotaIsSpentUntilThereIsSomeAgain) {
  routes(R"(routes:
  - {model: s, try: [{backend: a, model: x}, {backend: b, model: x}, {backend: c, model: only-c}]}
  - {model: n, try: [[{backend: a, model: x}, {backend: b, model: x}], {backend: c, model: only-c}]}
)");
  learn("a", 1);
  EXPECT_THAT(order("s"), ElementsAre("a:x", "b:x", "c:only-c"));
  learn("a", 0);
  for (const char* model : {"s", "n"}) EXPECT_THAT(order(model), ElementsAre("b:x", "c:only-c", "a:x")) << model;
  EXPECT_TRUE(why[2].in);
  EXPECT_EQ(why[2].state, "healthy; others first for 60.0 s, until there is quota again");
  break_down("b", "x");
  EXPECT_THAT(order("s"), ElementsAre("c:only-c", "a:x", "b:x"));
  now += 60'000;
  EXPECT_THAT(order("s"), ElementsAre("a:x", "b:x", "c:only-c"));
  EXPECT_EQ(why[0].state, "");
}

TEST_F(Plans, PicksOneOfABranchByItsTurn) {
  routes("routes: [{model: p, mirror: {backend: d, model: d}}]\n");
  std::map<std::string, int> counts;
  const Branch& way = snapshot->routes().at(0).mirrors.at(0).way;
  for (int i = 0; i < 40; ++i) ++counts[pick(way, "p", odds())->backend->name];
  EXPECT_NEAR(counts["d.1"], 30, 2);
  break_down("d.1", "d");
  EXPECT_EQ(pick(way, "p", odds())->backend->name, "d.2");
}

TEST_F(Plans, BalancersSayWhatTheyLookedAt) {
  routes(R"(routes:
  - {model: l, try: [{balance: latency, over: [{backend: a, model: x}, {backend: b, model: x}]}]}
  - {model: n, try: [{balance: least_busy, over: [{backend: a, model: x}, {backend: b, model: x}]}]}
  - {model: q, try: [{balance: quota, over: [{backend: a, model: x}, {backend: b, model: x}]}]}
)");
  Permit slow = health.of("a", "x", now)->begin(now);
  slow.first_token(std::chrono::milliseconds(900), now);
  Permit fast = health.of("b", "x", now)->begin(now);
  fast.first_token(std::chrono::milliseconds(90), now);
  fast.end(Outcome::worked, now, {}, dice);
  EXPECT_THAT(order("l"), ElementsAre("b:x", "a:x"));
  EXPECT_EQ(why[0].place, "90 ms to the first token");
  EXPECT_THAT(order("n"), ElementsAre("b:x", "a:x"));
  EXPECT_EQ(why[1].place, "1 calls under way");
  order("q");
  EXPECT_EQ(why[0].place, "its quota is not known yet");
  EXPECT_FALSE(why[0].quota_left);
  learn("a", 90);
  learn("b", 10);
  EXPECT_THAT(order("q"), ElementsAre("a:x", "b:x"));
  EXPECT_EQ(why[1].place, "by what is left of its quota");
  EXPECT_EQ(why[1].quota_left, 0.1);
  learn("a", 0);
  for (const char* model : {"l", "n", "q"}) EXPECT_THAT(order(model), ElementsAre("b:x", "a:x")) << model;
}

}  // namespace
}  // namespace sluice
