// Who serves a model, and with what. SPDX-License-Identifier: MIT
#include "config/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::optional<std::string> vendor_keys(const char* name) {
  const std::string_view key(name);
  if (key == "OPENAI_API_KEY") return "sk-openai";
  if (key == "CLAUDE_API_KEY") return "sk-claude";
  return std::nullopt;
}

std::shared_ptr<const Snapshot> snapshot(std::string_view yaml) {
  const Loaded loaded = load_config(yaml, "config.yaml", vendor_keys);
  EXPECT_TRUE(loaded.ok()) << render(loaded.faults, yaml, "config.yaml");
  return Snapshot::compile(loaded.config);
}

// "backend:model" of every target, in order; the error's message when there is none.
std::vector<std::string> targets(const Snapshot& snapshot, std::string_view model) {
  const auto found = snapshot.targets(model);
  if (!found) return {found.error()->message};
  std::vector<std::string> out;
  for (const Target& target : *found) out.push_back(target.backend->name + ':' + target.model);
  return out;
}

const Backend* backend(const Snapshot& snapshot, std::string_view name) {
  for (const auto& one : snapshot.backends()) {
    if (one->name == name) return one.get();
  }
  return nullptr;
}

bool carries(const Backend& backend, std::string_view text) {
  for (const auto& [name, value] : backend.headers) {
    if (value.find(text) != std::string::npos) return true;
  }
  return backend.key.reveal().find(text) != std::string_view::npos;
}

constexpr std::string_view rich = R"(
backends:
  wide: {type: compatible, base_url: "http://127.0.0.1:9001/v1", models: ["*"]}
  openai: {models: ["gpt-*", "gpt-4-*", {name: o4, upstream: o4-mini-2025-04-16}]}
  azure-like: {type: openai, base_url: "http://127.0.0.1:9002", models: ["gpt-4"]}
  claude: {models: ["claude-*"], enabled: false}
  gemini: {models: ["gemini-2.5-pro"]}
)";

TEST(SnapshotTargets, ExactNamesComeBeforeLongerAndShorterPatterns) {
  const auto s = snapshot(rich);
  EXPECT_THAT(targets(*s, "gpt-4"), ElementsAre("azure-like:gpt-4", "openai:gpt-4", "wide:gpt-4"));
  EXPECT_THAT(targets(*s, "o4"), ElementsAre("openai:o4-mini-2025-04-16", "wide:o4"));
  EXPECT_THAT(targets(*s, "whatever"), ElementsAre("wide:whatever"));
  EXPECT_THAT(targets(*s, "demo"), ElementsAre("demo:demo", "wide:demo"));
}

TEST(SnapshotTargets, ABackendCanBeNamedInFrontOfItsModel) {
  const auto s = snapshot("backends: {openai: {models: [gpt-4]}, claude: {models: [gpt-4, \"claude-*\"]}}");
  EXPECT_THAT(targets(*s, "claude/gpt-4"), ElementsAre("claude:gpt-4"));
  const auto all = snapshot("backends: {openai: {models: [gpt-4]}, claude: {models: [\"*\", openai/gpt-5]}}");
  EXPECT_THAT(targets(*all, "claude/some-model"), ElementsAre("claude:some-model"));
  EXPECT_THAT(targets(*all, "openai/gpt-5"), ElementsAre("claude:openai/gpt-5"));
  EXPECT_THAT(targets(*s, "claude/claude-x"), ElementsAre("claude:claude-x"));
  EXPECT_THAT(targets(*s, "openai/claude-x"), ElementsAre(HasSubstr("is not served here")));
  EXPECT_THAT(targets(*s, "nobody/gpt-4"), ElementsAre(HasSubstr("is not served here")));
}

TEST(SnapshotTargets, EveryAccountIsABackendOfItsOwn) {
  const auto s = snapshot(R"(backends:
  openai:
    models: [gpt-4, {name: small, upstream: gpt-4-mini}]
    accounts: [{key: "${OPENAI_API_KEY}", name: a, weight: 3}, {key: "${CLAUDE_API_KEY}"}]
    headers: {x-team: t}
  other: {type: compatible, base_url: "http://127.0.0.1:1", models: ["*"], accounts: [{key: "${OPENAI_API_KEY}"}]})");
  EXPECT_THAT(targets(*s, "gpt-4"), ElementsAre("openai.a:gpt-4", "openai.2:gpt-4", "other:gpt-4"));
  EXPECT_THAT(targets(*s, "openai/small"), ElementsAre("openai.a:gpt-4-mini", "openai.2:gpt-4-mini"));
  EXPECT_THAT(targets(*s, "openai.2/small"), ElementsAre("openai.2:gpt-4-mini"));
  const Backend& a = *backend(*s, "openai.a");
  EXPECT_EQ(a.group, "openai");
  EXPECT_EQ(a.weight, 3);
  EXPECT_THAT(a.headers, ElementsAre(Header("authorization", "Bearer sk-openai"), Header("x-team", "t")));
  EXPECT_FALSE(carries(*backend(*s, "openai.2"), "sk-openai"));
  EXPECT_TRUE(carries(*backend(*s, "openai.2"), "sk-claude"));
  EXPECT_NE(a.serial, backend(*s, "openai.2")->serial);
  EXPECT_EQ(backend(*s, "other")->group, "other");
  EXPECT_EQ(s->models().front().owner, "openai");
}

TEST(SnapshotTargets, AnAccountWithoutAKeyIsOffAlone) {
  const auto s =
      snapshot("backends: {openai: {models: [gpt-4], accounts: [{key: \"${NONE:-}\"}, {key: \"${OPENAI_API_KEY}\"}]}}");
  EXPECT_THAT(targets(*s, "gpt-4"), ElementsAre("openai.2:gpt-4"));
  EXPECT_THAT(targets(*s, "openai/gpt-4"), ElementsAre("openai.2:gpt-4"));
  EXPECT_THAT(targets(*s, "openai.1/gpt-4"), ElementsAre(HasSubstr("its key is empty")));
}

TEST(SnapshotTargets, AnUnknownModelIsToldTheClosestNames) {
  const auto s = snapshot("backends: {openai: {models: [gpt-4, gpt-4o, gpt-3.5-turbo]}}");
  const auto found = s->targets("gpt4");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error()->fault, Fault::not_found);
  EXPECT_EQ(found.error()->code, "model_not_found");
  EXPECT_EQ(found.error()->param, "model");
  EXPECT_THAT(found.error()->message, HasSubstr("\"gpt-4\""));
  EXPECT_THAT(targets(*s, "zzzzzzzzzzzzzz"), ElementsAre(HasSubstr("GET /v1/models")));
  EXPECT_THAT(targets(*s, "bad\r\nname"), ElementsAre(Not(HasSubstr("\n"))));
}

TEST(SnapshotTargets, ABackendThatIsOffSaysWhy) {
  const auto s = snapshot("backends: {claude: {enabled: false}, gemini: {}}");
  EXPECT_THAT(targets(*s, "claude-x"), ElementsAre(HasSubstr("it is switched off in the configuration")));
  EXPECT_THAT(targets(*s, "gemini-x"), ElementsAre(HasSubstr("it has no key; set GEMINI_API_KEY")));
  EXPECT_THAT(targets(*s, "gemini/gemini-x"), ElementsAre(HasSubstr("it has no key")));
}

TEST(SnapshotTargets, AnAllowListIsNeverWidened) {
  const auto s = snapshot("backends: {openai: {models: []}}");
  EXPECT_THAT(targets(*s, "gpt-4"), ElementsAre(HasSubstr("is not served here")));
}

TEST(SnapshotTargets, WhoListsNoModelsServesWhatItsVendorMakes) {
  const auto s = snapshot(R"(backends:
  openai: {}
  claude: {}
  narrow: {type: openai, base_url: "http://127.0.0.1:1/v1", models: [gpt-4o]}
  hosts: {type: compatible, base_url: "http://127.0.0.1:2/v1", models: ["my-*", "gpt-5*"]})");
  // Names and patterns of the configuration come before what is known of vendors.
  EXPECT_THAT(targets(*s, "gpt-4o"), ElementsAre("narrow:gpt-4o", "openai:gpt-4o"));
  EXPECT_THAT(targets(*s, "gpt-5"), ElementsAre("hosts:gpt-5", "openai:gpt-5"));
  EXPECT_THAT(targets(*s, "claude-sonnet-9"), ElementsAre("claude:claude-sonnet-9"));
  // No pattern has it, but the catalogue does.
  EXPECT_THAT(targets(*s, "ft:gpt-4o-2024-08-06:acme::1"), ElementsAre("openai:ft:gpt-4o-2024-08-06:acme::1"));
  EXPECT_THAT(targets(*s, "openai/ft:gpt-4o-2024-08-06:acme::1"), ElementsAre("openai:ft:gpt-4o-2024-08-06:acme::1"));
  EXPECT_THAT(targets(*s, "narrow/ft:gpt-4o-2024-08-06:acme::1"), ElementsAre(HasSubstr("is not served here")));
}

TEST(SnapshotTargets, AWildcardOfTheConfigurationBeatsWhatIsKnownOfVendors) {
  const auto s = snapshot(R"(backends:
  openai: {}
  wide: {type: compatible, base_url: "http://127.0.0.1:1/v1", models: ["*"]})");
  EXPECT_THAT(targets(*s, "gpt-4o"), ElementsAre("wide:gpt-4o", "openai:gpt-4o"));
  EXPECT_THAT(targets(*s, "ft:gpt-4o-2024-08-06:acme::1"), ElementsAre("wide:ft:gpt-4o-2024-08-06:acme::1"));
}

TEST(SnapshotTargets, AModelOfAVendorThatIsMissingHereIsTold) {
  const auto s = snapshot("backends: {openai: {models: [gpt-4]}}");
  EXPECT_THAT(targets(*s, "gemini-2.5-pro"), ElementsAre(HasSubstr("a model of gemini, and there is no backend")));
  EXPECT_THAT(targets(*s, "open-mixtral-8x7b"), ElementsAre(HasSubstr("a model of mistral")));
  EXPECT_THAT(targets(*s, "gpt-5"), ElementsAre(HasSubstr("not among the models of the backend \"openai\"")));
}

TEST(SnapshotBackend, KnowsThePricesOfItsOwnVendorOnly) {
  const auto s = snapshot(R"(backends:
  openai: {base_url: "http://127.0.0.1:1/v1", models: ["*"]}
  azure: {base_url: "http://127.0.0.1:2/openai/v1", models: ["*"]}
  eu: {type: bedrock, aws: {region: us-gov-west-1}, api_key: "${OPENAI_API_KEY}", models: ["*"]}
  near: {type: openai, base_url: "http://127.0.0.1:3/v1", models: ["*"]}
  far: {type: openai, api_key: "${OPENAI_API_KEY}", models: ["*"]}
  none: {type: compatible, base_url: "http://127.0.0.1:3/v1", models: ["*"]})");
  const auto input = [&](std::string_view name, std::string_view model) {
    const auto row = backend(*s, name)->row(model);
    return row ? row->price.rate(Charge::input).value_or(-1) : -1;
  };
  EXPECT_EQ(input("openai", "gpt-4o"), 2'500'000'000);
  EXPECT_EQ(input("far", "gpt-4o"), 2'500'000'000);
  EXPECT_EQ(input("azure", "gpt-4o"), 2'500'000'000);
  EXPECT_EQ(input("eu", "anthropic.claude-3-haiku-20240307-v1:0"), 300'000'000);
  EXPECT_EQ(input("near", "gpt-4o"), -1);
  EXPECT_EQ(input("none", "gpt-4o"), -1);
  EXPECT_EQ(input("demo", "demo"), -1);
}

TEST(SnapshotBackend, EveryVendorIsInTheCatalogue) {
  for (const Provider& vendor : providers()) {
    if (vendor.name != "compatible")
      EXPECT_THAT(Catalogue::built_in().rows(vendor.name), Not(IsEmpty())) << vendor.name;
  }
}

TEST(SnapshotModels, ListsEveryUsableNameOnce) {
  std::vector<std::string> names;
  for (const ModelRow& row : snapshot(rich)->models()) names.push_back(row.owner + ':' + row.id);
  EXPECT_THAT(names, ElementsAre("openai:o4", "azure-like:gpt-4", "demo:demo"));
}

TEST(SnapshotBackend, ABorrowedTypeGetsNoVendorKeyAndNoVendorFlavour) {
  const auto s = snapshot(rich);
  EXPECT_TRUE(carries(*backend(*s, "openai"), "sk-openai"));
  EXPECT_FALSE(carries(*backend(*s, "azure-like"), "sk-openai"));
  EXPECT_EQ(backend(*s, "openai")->flavour, "openai");
  EXPECT_EQ(backend(*s, "azure-like")->flavour, "compatible");
  EXPECT_TRUE(backend(*s, "azure-like")->off.empty());
  const auto disguised = snapshot("backends: {claude: {type: openai, base_url: \"http://127.0.0.1:1\", models: [x]}}");
  EXPECT_THAT(backend(*disguised, "claude")->headers, IsEmpty());
}

TEST(SnapshotBackend, CarriesAuthAsItsVendorWantsIt) {
  const auto s = snapshot("backends: {openai: {headers: {x-team: a}}, claude: {}}");
  EXPECT_THAT(backend(*s, "openai")->headers,
              ElementsAre(Header("authorization", "Bearer sk-openai"), Header("x-team", "a")));
  EXPECT_THAT(backend(*s, "claude")->headers, ElementsAre(Header("x-api-key", "sk-claude")));
  EXPECT_EQ(backend(*s, "claude")->url.host, "api.anthropic.com");
  EXPECT_EQ(backend(*s, "claude")->url.port, 443);
  EXPECT_TRUE(backend(*s, "claude")->speaks(DialectId::anthropic));
  EXPECT_FALSE(backend(*s, "claude")->speaks(DialectId::gemini));
}

TEST(SnapshotBackend, SignsForAwsWhenThereIsNoKey) {
  const std::string aws = "aws: {region: eu-west-1, access_key_id: AKIA1, secret_access_key: secret-of-aws}";
  const auto s = snapshot("backends: {bedrock: {" + aws + "}}");
  const Backend& signing = *backend(*s, "bedrock");
  EXPECT_EQ(signing.off, "");
  EXPECT_EQ(signing.url.host, "bedrock-runtime.eu-west-1.amazonaws.com");
  EXPECT_THAT(signing.headers, IsEmpty());
  ASSERT_TRUE(signing.aws);
  EXPECT_TRUE(signing.aws->secret_access_key.equals("secret-of-aws"));
  EXPECT_EQ(signing.service, "bedrock");
  // A client of Claude's stays in its dialect; no other operation of Anthropic's comes with it.
  EXPECT_NE(signing.way(DialectId::anthropic, Operation::chat, "us.anthropic.claude-x"), nullptr);
  EXPECT_EQ(signing.way(DialectId::anthropic, Operation::chat, "amazon.nova-pro"), nullptr);

  const auto keyed = snapshot("backends: {bedrock: {api_key: ABSK1, " + aws + "}}");
  EXPECT_FALSE(backend(*keyed, "bedrock")->aws);
  EXPECT_THAT(backend(*keyed, "bedrock")->headers, ElementsAre(Header("authorization", "Bearer ABSK1")));
  const auto placeless = snapshot("backends: {bedrock: {api_key: ABSK1}}");
  EXPECT_THAT(backend(*placeless, "bedrock")->off, HasSubstr("AWS_REGION"));
}

// A tree as text: "[a:m b:m]" in order, "weighted(a:m*3 b:m)" for a branch.
std::string drawn(const Branch& branch) {
  if (branch.leg) return branch.leg->backend->name + ':' + branch.leg->model;
  std::string out = branch.order == Order::fallback ? "[" : std::string(name(branch.order)) + '(';
  for (const Branch& one : branch.over) {
    if (&one != &branch.over.front()) out += ' ';
    out += drawn(one);
    if (one.weight != 1) out += '*' + std::to_string(one.weight).substr(0, 4);
  }
  return out + (branch.order == Order::fallback ? ']' : ')');
}

TEST(SnapshotRoutes, AreTreesOfWhatIsOn) {
  const auto s = snapshot(R"(
backends:
  openai: {models: [gpt-4, {name: small, upstream: gpt-4-mini}],
           accounts: [{key: "${OPENAI_API_KEY}", name: a, weight: 3}, {key: "${CLAUDE_API_KEY}"}]}
  claude: {models: ["claude-*"], timeouts: {connect: 7s}}
  gemini: {}
routes:
  - model: smart
    try:
      - {balance: latency, over: [{backend: openai, model: small, weight: 2}, {backend: claude, model: claude-x}]}
      - [{backend: openai, model: gpt-4}, {backend: openai.a, model: gpt-4}]
      - {backend: gemini, model: gemini-x}
      - {balance: split, over: [{weight: 9, try: [{backend: openai, model: gpt-4}]}, {backend: claude, model: claude-x}]}
    timeouts: {total: 9s}
  - {model: "claude-*", strict: true, try: [{backend: claude, set: {top_k: 1}, timeouts: {total: 1s}}]}
  - {model: off, try: [{backend: gemini, model: gemini-x}]}
  - {model: plain}
)");
  ASSERT_EQ(s->routes().size(), 4u);
  EXPECT_EQ(drawn(*s->routes()[0].tree),
            "[latency(openai.a:gpt-4-mini*1.50 openai.2:gpt-4-mini*0.50 claude:claude-x) "
            "[weighted(openai.a:gpt-4*3.00 openai.2:gpt-4) openai.a:gpt-4] "
            "split([weighted(openai.a:gpt-4*3.00 openai.2:gpt-4)]*9.00 claude:claude-x)]");
  const Leg& claude = *s->routes()[0].tree->over[0].over[2].leg;
  EXPECT_EQ(claude.timeouts.total, Millis(9'000));
  EXPECT_EQ(claude.timeouts.connect, Millis(7'000));
  EXPECT_EQ(drawn(*s->routes()[1].tree), "[claude:]");
  EXPECT_EQ(s->routes()[1].tree->over[0].leg->timeouts.total, Millis(1'000));
  EXPECT_EQ(s->routes()[1].tree->over[0].leg->edits.size(), 1u);
  EXPECT_TRUE(s->routes()[1].strict);
  EXPECT_FALSE(s->routes()[2].tree);
  EXPECT_THAT(s->routes()[2].off, HasSubstr("GEMINI_API_KEY"));
  EXPECT_FALSE(s->routes()[3].tree);
  EXPECT_EQ(s->routes()[3].off, "");
  std::vector<std::string> names;
  for (const ModelRow& row : s->models()) names.push_back(row.owner + ':' + row.id);
  EXPECT_THAT(names, ElementsAre("openai:gpt-4", "openai:small", "demo:demo", "sluice:smart"));
}

TEST(SnapshotBackend, IsAskedInTheClientsWordsOrInTheFirstThatHasTheCall) {
  const auto s = snapshot(
      "backends: {openai: {models: [\"*\"]}, claude: {}, groq: {api_key: k, models: [x]}, "
      "vllm: {type: openai, base_url: \"http://127.0.0.1:1/v1\", models: [\"*\"]}}");
  const auto path = [&](std::string_view name, Operation operation, std::string_view model, DialectId own) {
    const Endpoint* way = backend(*s, name)->first_way(own, operation, model);
    return way ? way->path : std::string_view();
  };
  using enum DialectId;
  EXPECT_EQ(path("openai", Operation::chat, "gpt-4o", openai_responses), "/responses");
  EXPECT_EQ(path("openai", Operation::chat, "gpt-4o", anthropic), "/chat/completions");
  EXPECT_EQ(path("openai", Operation::chat, "gpt-4o", openai_completions), "/chat/completions");
  EXPECT_EQ(path("openai", Operation::chat, "davinci-002", openai_completions), "/completions");
  EXPECT_EQ(path("vllm", Operation::chat, "llama", openai_completions), "/completions");
  EXPECT_EQ(path("openai", Operation::count_tokens, "gpt-4o", gemini), "/responses/input_tokens");
  EXPECT_EQ(path("claude", Operation::count_tokens, "claude-x", gemini), "/v1/messages/count_tokens");
  EXPECT_EQ(path("groq", Operation::count_tokens, "x", gemini), "");
  EXPECT_EQ(path("demo", Operation::chat, "demo", gemini), "");
  EXPECT_TRUE(backend(*s, "claude")->own_place);
}

TEST(Urls, AreReadStrictly) {
  const auto url = parse_url("HTTPS://User:pa:ss@Host.Example:8443/v1/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user, "User");
  EXPECT_EQ(url->password, "pa:ss");
  EXPECT_EQ(url->host, "host.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/v1");
  EXPECT_EQ(parse_url("http://[::1]:80")->host, "::1");
  EXPECT_EQ(parse_url("socks5://h")->port, 1080);
  for (const auto* wrong : {"", "h", "ftp://h", "http://", "http://:80", "http://h:0", "http://h:65536", "http://h:8x",
                            "http://[::1", "http://[::1]x", "http://h/a b", "http://h/?q", "http://h/#f", "http://h\n",
                            "http://h/\r\nx", "http://a b", "http://h%00", "http://h/\x7f"}) {
    EXPECT_FALSE(parse_url(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace sluice
