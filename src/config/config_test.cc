// Loading: what people may write, what is refused and how it is told. SPDX-License-Identifier: MIT
#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "config/load_test.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The first description of the project, to the letter.
constexpr std::string_view seed = R"(server:
  host: "0.0.0.0"
  port: 8000
backends:
  openai:
    enabled: true
    models: ["gpt-4", "gpt-3.5-turbo"]
  claude:
    enabled: true
    models: ["claude-3-opus-20240229", "claude-3-sonnet-20240229"]
monitoring:
  enable_logging: true
  log_level: "INFO"
)";

TEST_F(ConfigLoad, TakesTheSeedAsItStands) {
  variables() = {{"OPENAI_API_KEY", "sk-o"}, {"CLAUDE_API_KEY", "sk-c"}};
  const Loaded loaded = load(seed);
  EXPECT_THAT(loaded.faults, IsEmpty()) << told(loaded);
  const Config& config = loaded.config;
  EXPECT_EQ(config.server.host, "0.0.0.0");
  EXPECT_EQ(config.server.port, 8000);
  ASSERT_EQ(config.backends.size(), 2u);
  EXPECT_EQ(config.backends[0].name, "openai");
  EXPECT_EQ(config.backends[0].api_key.reveal(), "sk-o");
  EXPECT_EQ(config.backends[0].api_key_from, "OPENAI_API_KEY");
  EXPECT_EQ(config.backends[1].name, "claude");
  EXPECT_EQ(config.backends[1].api_key.reveal(), "sk-c");
  ASSERT_EQ(config.backends[1].models->size(), 2u);
  EXPECT_EQ((*config.backends[1].models)[1].name, "claude-3-sonnet-20240229");
  EXPECT_TRUE(config.monitoring.enable_logging);
  EXPECT_EQ(config.monitoring.log_level, "INFO");
}

TEST_F(ConfigLoad, StartsOnTheSeedWithoutAnyKeyAndSaysWhatIsOff) {
  const Loaded loaded = load(seed);
  EXPECT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.faults.size(), 2u);
  EXPECT_TRUE(loaded.faults[0].warning);
  EXPECT_THAT(told(loaded), HasSubstr("set CLAUDE_API_KEY or ANTHROPIC_API_KEY"));
}

TEST_F(ConfigLoad, NamesAnUnknownKeyWithItsPlaceAndTheNearestName) {
  const Loaded loaded = load("server:\n  port: 8000\n  prot: 1\n");
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_FALSE(loaded.ok());
  EXPECT_EQ(told(loaded),
            "error: unknown key \"prot\" in server\n"
            " --> config.yaml:3:3\n"
            "3 |   prot: 1\n"
            "  |   ^ did you mean \"port\"?\n");
}

TEST_F(ConfigLoad, ABoundIsATime) {
  EXPECT_THAT(told(load("server: {request_timeouts: {first_token: auto}}\n")), HasSubstr("must be a time"));
}

TEST_F(ConfigLoad, FindsEveryFaultAtOnceInTheOrderOfTheFile) {
  const Loaded loaded = load(R"(server:
  port: 99999
  max_body: lots
backends:
  openai:
    enabled: maybe
    timeouts: {connect: 5, first_tokn: 3s}
    base_url: ftp://x
  stranger: {models: ["*"]}
monitoring: {log_level: LOUD}
limits: [1]
auth: nobody
PORT: 1
)");
  std::vector<int> lines;
  for (const ConfigFault& fault : loaded.faults) {
    if (!fault.warning) lines.push_back(fault.mark.line);
  }
  EXPECT_THAT(lines, ElementsAre(2, 3, 6, 7, 7, 8, 9, 10, 11, 12, 13)) << told(loaded);
  EXPECT_THAT(told(loaded), HasSubstr("did you mean \"first_token\"?"));
}

TEST_F(ConfigLoad, RefusesWhatStandsTwice) {
  EXPECT_THAT(told(load("auth: local\nauth: open\n")), HasSubstr("the key \"auth\" stands twice"));
  EXPECT_THAT(told(load("backends:\n  openai: {}\n  openai: {}\n")), HasSubstr("stands twice"));
}

TEST_F(ConfigLoad, SaysWhereAFileIsNoYaml) {
  const Loaded loaded = load("server:\n  host: \"open\n  port: [1\n");
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(told(loaded), HasSubstr("this is not YAML"));
  EXPECT_GT(loaded.faults[0].mark.line, 1);
  EXPECT_FALSE(load("a: [").ok());
  for (const char* two :
       {"auth: open\n---\nauth: local\n", "---\nauth: open\n--- \n", "auth: open\n...\nauth: local\n"}) {
    EXPECT_THAT(told(load(two)), HasSubstr("more than one YAML document")) << two;
  }
  for (const char* one :
       {"%YAML 1.2\n---\nauth: open\n...\n# end\n", "# a\n---\nauth: open\n", "---\n", "auth: open\n...\n"}) {
    EXPECT_TRUE(load(one).ok()) << one << told(load(one));
  }
}

TEST_F(ConfigLoad, PortOfTheEnvironmentBeatsTheFile) {
  variables()["PORT"] = "9123";
  EXPECT_EQ(load("server: {port: 8000}").config.server.port, 9123);
  for (const char* wrong : {"0", "65536", "x", "80x", "-1"}) {
    variables()["PORT"] = wrong;
    EXPECT_FALSE(load("").ok()) << wrong;
  }
  variables()["PORT"] = "";
  EXPECT_EQ(load("server: {port: 8001}").config.server.port, 8001);
}

TEST_F(ConfigLoad, WithoutAFileOffersEveryVendorWhoseKeyIsThere) {
  EXPECT_THAT(load("").config.backends, IsEmpty());
  variables() = {{"ANTHROPIC_API_KEY", "a"}, {"GOOGLE_API_KEY", "g"}};
  const Loaded loaded = load("");
  EXPECT_TRUE(loaded.ok()) << told(loaded);
  ASSERT_EQ(loaded.config.backends.size(), 2u);
  EXPECT_EQ(loaded.config.backends[0].name, "anthropic");
  EXPECT_EQ(loaded.config.backends[0].api_key_from, "ANTHROPIC_API_KEY");
  EXPECT_EQ(loaded.config.backends[1].name, "gemini");
  // A file that names backends offers those and no other.
  EXPECT_EQ(load("backends: {gemini: {}}").config.backends.size(), 1u);
}

TEST_F(ConfigLoad, FillsInVariablesFallbacksAndFiles) {
  const auto file = std::filesystem::path(testing::TempDir()) / "sluice_config_test_key";
  std::ofstream(file) << "from-file\n";
  variables() = {{"KEY", "from-env"}, {"EMPTY", ""}};
  const Loaded loaded = load(
      "backends:\n"
      "  openai: {api_key: \"${KEY}\"}\n"
      "  claude: {api_key: \"${NONE:-from-fallback}\"}\n"
      "  gemini: {api_key: \"${file:" +
      file.string() +
      "}\"}\n"
      "  deepseek: {api_key: \"a${EMPTY:-b}c${KEY}\"}\n");
  EXPECT_THAT(loaded.faults, IsEmpty()) << told(loaded);
  EXPECT_EQ(loaded.config.backends[0].api_key.reveal(), "from-env");
  EXPECT_EQ(loaded.config.backends[1].api_key.reveal(), "from-fallback");
  EXPECT_EQ(loaded.config.backends[2].api_key.reveal(), "from-file");
  EXPECT_EQ(loaded.config.backends[3].api_key.reveal(), "abcfrom-env");
  std::filesystem::remove(file);

  EXPECT_THAT(told(load("server: {host: \"${NONE}\"}")), HasSubstr("the environment variable NONE is not set"));
  EXPECT_THAT(told(load("server: {host: \"${NONE\"}")), HasSubstr("without its \"}\""));
  EXPECT_THAT(told(load("server: {host: \"${file:/no/such/file}\"}")), HasSubstr("/no/such/file cannot be read"));
}

TEST_F(ConfigLoad, NeverShowsASecret) {
  variables() = {{"KEY", "hidden-in-env"}};
  for (const std::string_view yaml : {
           "backends: {openai: {api_key: hidden-in-file, nonsense: 1}}",
           "backends: {openai: {api_key: \"hidden, in } quotes\", nonsense: 1}}",
           "backends:\n  openai:\n    api_key: 'hidden-in-file'\n",
           "backends:\n  openai:\n    \"api_key\" : [hidden-in-list]\n",
           "backends: {openai: {api_key: \"hidden-never-closed}}",
           "backends: {openai: {proxy: \"http://user:hidden@host:x\"}}",
           "server: {port: \"${KEY}\"}",
           "server: {max_body: \"${KEY}\", grace: \"${KEY}\"}",
           "monitoring: {log_level: \"${KEY}\", enable_logging: \"${KEY}\"}",
           "backends: {openai: {type: \"${KEY}\"}}",
           "backends: {openai: {base_url: \"${KEY}://x\"}}",
           "backends: {openai: {models: [{name: \"${KEY}*\", upstream: x}], dialects: [\"${KEY}\"]}}",
       }) {
    const Loaded loaded = load(yaml);
    EXPECT_FALSE(loaded.faults.empty()) << yaml;
    EXPECT_THAT(told(loaded), Not(HasSubstr("hidden"))) << yaml;
  }
}

TEST_F(ConfigLoad, WarnsAboutAKeyInTheFile) {
  const Loaded loaded = load("backends: {openai: {api_key: sk-123456}}");
  EXPECT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_THAT(loaded.faults[0].message, HasSubstr("plain text"));
  EXPECT_EQ(loaded.config.backends[0].api_key.reveal(), "sk-123456");
}

TEST_F(ConfigLoad, ReadsTheFullerShape) {
  const Loaded loaded = load(R"(
server: {tls: {cert: c.pem, key: k.pem}, cors: {origins: ["https://app.example"]}, max_body: 1MiB, keep_alive: 0s}
backends:
  my-vllm: {type: openai, base_url: "http://127.0.0.1:9001/v1", models: ["*"]}
  claude:
    models: [{name: fast, upstream: claude-3-haiku-20240307}]
    timeouts: {connect: 3s, first_token: 60s, between_tokens: 30s, total: 10m}
    proxy: http://127.0.0.1:7890
    headers: {anthropic-beta: x}
limits: {requests_per_minute: 600, per_caller: {concurrent_requests: 4}}
auth: open
)");
  EXPECT_TRUE(loaded.ok()) << told(loaded);
  const Config& config = loaded.config;
  EXPECT_EQ(config.server.tls->cert, "c.pem");
  EXPECT_THAT(config.server.cors->origins, ElementsAre("https://app.example"));
  EXPECT_EQ(config.server.max_body, 1 << 20);
  EXPECT_EQ(config.server.keep_alive, Millis(0));
  EXPECT_EQ(config.backends[1].timeouts.total, Millis(600'000));
  EXPECT_EQ((*config.backends[1].models)[0].upstream, "claude-3-haiku-20240307");
  EXPECT_EQ(config.backends[1].headers.at("anthropic-beta"), "x");
  EXPECT_EQ(config.limits.all.requests_per_minute, 600);
  EXPECT_EQ(config.limits.per_caller.concurrent_requests, 4);
  EXPECT_EQ(config.auth, "open");
}

TEST_F(ConfigLoad, RefusesWhatWouldNotBeEnforced) {
  const auto fault = [&](std::string_view yaml) {
    const Loaded loaded = load(yaml);
    return loaded.ok() ? "nothing was wrong" : told(loaded);
  };
  EXPECT_THAT(fault("server: {tls: {cert: c.pem}}"), HasSubstr("needs both cert and key"));
  EXPECT_THAT(fault("backends: {x: {type: compatible, models: [a]}}"), HasSubstr("needs a base_url"));
  EXPECT_THAT(fault("backends: {x: {type: compatible, base_url: http://h}}"), HasSubstr("needs a list of models"));
  EXPECT_THAT(fault("backends: {openai: {dialects: [gemini]}}"), HasSubstr("dialect that it does not speak"));
  EXPECT_THAT(fault("backends: {openai: {models: [{name: \"a*\", upstream: b}]}}"), HasSubstr("cannot have one"));
  EXPECT_THAT(fault("backends: {openai: {headers: {\"a b\": c}}}"), HasSubstr("is no header name"));
  EXPECT_THAT(fault("backends: {openai: {headers: {a: \"b\\r\\nc: d\"}}}"), HasSubstr("line break"));
  EXPECT_THAT(fault("backends: {openai: {base_url: \"http://h/v1?x=1\"}}"), HasSubstr("no query"));
  EXPECT_THAT(fault("backends: {openai: {base_url: \"http://h/a\\r\\nb\"}}"), HasSubstr("white space"));
  EXPECT_THAT(fault("backends: {\"a/b\": {type: openai}}"), HasSubstr("hold \"/\""));
  EXPECT_THAT(fault("backends: {openai: {api_key: \"a\\nb\"}}"), HasSubstr("line break"));
  EXPECT_THAT(fault("server: {max_body: 10, grace: 5}"), HasSubstr("must be a time"));
}

TEST_F(ConfigLoad, AccountsAreNamedOnceAndStandAlone) {
  variables() = {{"A", "hidden-a"}, {"B", "hidden-b"}, {"OPENAI_API_KEY", "hidden-o"}};
  const Loaded good = load("backends: {openai: {accounts: [{key: \"${A}\", name: a, weight: 3}, {key: \"${B}\"}]}}");
  EXPECT_THAT(good.faults, IsEmpty()) << told(good);
  const BackendSettings& backend = good.config.backends[0];
  ASSERT_EQ(backend.accounts.size(), 2u);
  EXPECT_EQ(backend.account_name(0), "openai.a");
  EXPECT_EQ(backend.account_name(1), "openai.2");
  EXPECT_EQ(backend.accounts[0].weight, 3);
  EXPECT_EQ(backend.accounts[1].key.reveal(), "hidden-b");
  EXPECT_TRUE(backend.api_key.empty());
  EXPECT_EQ(load("backends: {openai: {accounts: [{key: \"${A}\", name: a}]}}").config.backends[0].account_name(0),
            "openai");

  const auto fault = [&](const std::string& inside) {
    const Loaded loaded = load("backends: {" + inside + "}");
    EXPECT_THAT(told(loaded), Not(HasSubstr("hidden")));
    return loaded.ok() ? "nothing was wrong" : told(loaded);
  };
  const std::string a = "{key: \"${A}\", name: a}";
  EXPECT_THAT(fault("openai: {accounts: [" + a + "], api_key: \"${A}\"}"), HasSubstr("has accounts and an api_key"));
  EXPECT_THAT(fault("openai: {accounts: [" + a + ", " + a + "]}"), HasSubstr("\"openai.a\" stands twice"));
  EXPECT_THAT(fault("openai: {accounts: [{key: \"${B}\", name: \"2\"}, {key: \"${A}\"}]}"),
              HasSubstr("\"openai.2\" stands twice"));
  EXPECT_THAT(fault("openai: {accounts: [" + a + ", {key: x}]}, openai.a: {type: openai}"),
              HasSubstr("called like a backend"));
  EXPECT_THAT(fault("openai: {accounts: []}"), HasSubstr("must be a list of keys"));
  EXPECT_THAT(fault("openai: {accounts: [{name: a}]}"), HasSubstr("an account needs a key"));
  EXPECT_THAT(fault("openai: {accounts: [{key: \"${A}\", name: a/b}]}"), HasSubstr("made of letters"));
  EXPECT_THAT(fault("openai: {accounts: [{key: \"${A}\", weight: 0}]}"), HasSubstr("1"));
  EXPECT_THAT(fault("openai: {accounts: [{key: hidden-in-file, weigth: 1}]}"), HasSubstr("did you mean \"weight\"?"));
  EXPECT_THAT(
      fault("bedrock: {accounts: [" + a + "], aws: {region: r, access_key_id: I, secret_access_key: \"${A}\"}}"),
      HasSubstr("has accounts and AWS credentials"));
}

TEST_F(ConfigLoad, KeysNameTheirCallers) {
  variables() = {{"TEAM_A_KEY", "sk-team-a-0123456789"}};
  const Loaded loaded = load(
      "keys:\n  - {name: team-a, key: \"${TEAM_A_KEY}\"}\n"
      "  - {name: 团队, key: sk-team-b-0123456789, access_key_id: TEAM-B}\n");
  EXPECT_TRUE(loaded.ok()) << told(loaded);
  ASSERT_EQ(loaded.config.keys.size(), 2u);
  EXPECT_EQ(loaded.config.keys[0].name, "team-a");
  EXPECT_TRUE(loaded.config.keys[0].key.equals("sk-team-a-0123456789"));
  EXPECT_EQ(loaded.config.keys[1].name, "团队");
  EXPECT_EQ(loaded.config.keys[1].access_key_id, "TEAM-B");
  EXPECT_EQ(loaded.config.auth, "keys");
  EXPECT_EQ(load("").config.auth, "local");
  EXPECT_EQ(load("auth: local").config.auth, "local");
  EXPECT_TRUE(load("auth: keys\nkeys: [{name: a, key: sk-team-a-0123456789}]").ok());
}

TEST_F(ConfigLoad, KeysAreSaidOnceAndWellMade) {
  const auto fault = [&](std::string_view yaml) {
    const Loaded loaded = load(yaml);
    const std::string out = told(loaded);
    EXPECT_THAT(out, Not(HasSubstr("0123456789"))) << "a key is shown";
    return loaded.ok() ? "nothing was wrong" : out;
  };
  const std::string one = "keys:\n- {name: a, key: sk-team-a-0123456789, access_key_id: ID}\n";
  EXPECT_THAT(fault(one + "- {name: a, key: sk-team-b-0123456789}"), HasSubstr("the key \"a\" stands twice"));
  EXPECT_THAT(fault(one + "- {name: a, key: sk-team-b-0123456789}"), HasSubstr("config.yaml:3:10"));
  EXPECT_THAT(fault(one + "- {name: b, key: sk-team-a-0123456789}"), HasSubstr("is another caller's too"));
  EXPECT_THAT(fault(one + "- {name: b, key: sk-team-b-0123456789, access_key_id: ID}"),
              HasSubstr("the access_key_id \"ID\" stands twice"));
  EXPECT_THAT(fault(one + "- {name: b, key: sk-team-b-0123456789, access_key_id: I/D}"), HasSubstr("made of letters"));
  EXPECT_THAT(fault("keys: [{name: a, key: abcdefghijklmno}]"), HasSubstr("shorter than 16 characters"));
  EXPECT_THAT(fault("keys: [{name: a, key: \"abcdefgh ijklmnop\"}]"), HasSubstr("no header may carry"));
  EXPECT_THAT(fault("keys: [{name: a, key: abcdefghijklmnopé}]"), HasSubstr("no header may carry"));
  EXPECT_THAT(fault("keys: [{key: sk-team-a-0123456789}]"), HasSubstr("a key needs a name"));
  EXPECT_THAT(fault("keys: [{name: \"a\\nb\", key: sk-team-a-0123456789}]"), HasSubstr("control characters"));
  EXPECT_THAT(fault("keys: [{name: a}]"), HasSubstr("has no key"));
  EXPECT_THAT(fault("keys: [{name: a, key: \"${NOT_SET}\"}]"), HasSubstr("NOT_SET"));
  EXPECT_THAT(fault("keys: [{name: a, keys: x}]"), HasSubstr("did you mean \"key\"?"));
  EXPECT_THAT(fault("keys: [sk-team-a-0123456789]"), HasSubstr("must be a map"));
  EXPECT_THAT(fault("keys: {a: sk-team-a-0123456789}"), HasSubstr("must be a list"));
  EXPECT_THAT(fault("keys:"), HasSubstr("must be a list"));
  EXPECT_THAT(fault("keys: []"), HasSubstr("nobody could call"));
}

TEST_F(ConfigLoad, WhoMayCallIsSaidOnce) {
  variables() = {{"TEAM_A_KEY", "sk-team-a-0123456789"}};
  const std::string keys = "keys: [{name: a, key: \"${TEAM_A_KEY}\"}]\n";
  for (const auto* auth : {"open", "local"}) {
    const Loaded loaded = load(keys + "auth: " + auth);
    ASSERT_EQ(loaded.faults.size(), 1u);
    EXPECT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.faults[0].mark.line, 2);
    EXPECT_THAT(loaded.faults[0].message, HasSubstr("in without a key, but there are keys"));
    EXPECT_THAT(loaded.faults[0].hint, HasSubstr("remove"));
  }
  EXPECT_THAT(told(load("auth: keys")), HasSubstr("needs a list of keys"));
}

// The generated pages are files of the repository, so that they can be read there; this keeps them fresh.
void expect_fresh(const std::string& made, const char* name) {
  const std::string path = std::string(SLUICE_SOURCE_DIR) + "/docs/" + name;
  if (const char* golden = std::getenv("SLUICE_GOLDEN"); golden && std::string_view(golden) == "rewrite") {
    std::ofstream(path, std::ios::binary) << made;
  }
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(made, std::string(std::istreambuf_iterator<char>(file), {})) << "`make golden` rewrites docs/" << name;
}

TEST_F(ConfigLoad, CredentialsOfAwsComeFromOnePlace) {
  variables() = {{"AWS_REGION", "us-west-2"},
                 {"AWS_ACCESS_KEY_ID", "AKIA0"},
                 {"AWS_SECRET_ACCESS_KEY", "secret-of-the-environment"},
                 {"AWS_SESSION_TOKEN", "token-of-the-environment"}};
  // Without a file they are a backend.
  const auto bare = load("");
  ASSERT_EQ(bare.config.backends.size(), 1U);
  EXPECT_EQ(bare.config.backends[0].name, "bedrock");
  EXPECT_EQ(bare.config.backends[0].aws.region, "us-west-2");
  EXPECT_TRUE(bare.config.backends[0].aws.session_token.equals("token-of-the-environment"));
  // The file's are not mixed with them, a server of another name gets none.
  const auto filed = load(
      "backends: {bedrock: {aws: {access_key_id: AKIA1, secret_access_key: secret-of-the-file}}, "
      "other: {type: bedrock, base_url: \"http://127.0.0.1:1\", models: [m]}}");
  EXPECT_TRUE(filed.config.backends[0].aws.session_token.empty());
  EXPECT_EQ(filed.config.backends[0].aws.access_key_id, "AKIA1");
  EXPECT_TRUE(filed.config.backends[1].aws.secret_access_key.empty());
  EXPECT_EQ(filed.config.backends[1].aws.region, "us-west-2");
}

TEST_F(ConfigLoad, HalfOfAwsIsAFault) {
  EXPECT_THAT(told(load("backends: {bedrock: {aws: {region: us-east-1, access_key_id: AKIA1}}}")),
              HasSubstr("half of its AWS credentials"));
  const std::string bad = told(load("backends: {bedrock: {aws: {region: us/east, secret_access_key: secret-of-aws}}}"));
  EXPECT_THAT(bad, HasSubstr("names no region of AWS"));
  EXPECT_THAT(bad, Not(HasSubstr("secret-of-aws")));
  EXPECT_THAT(told(load("backends: {openai: {api_key: k, aws: {region: us-east-1}}}")), HasSubstr("no vendor in AWS"));
  EXPECT_THAT(told(load("backends: {bedrock: {api_key: k}}")), HasSubstr("has no region"));
}

TEST(ConfigReference, PageAndSchemaOfTheRepositoryAreFresh) {
  EXPECT_TRUE(json::valid(config_schema()));
  expect_fresh(config_reference(), "config.md");
  expect_fresh(config_schema() + '\n', "config.schema.json");
}

}  // namespace
}  // namespace sluice
