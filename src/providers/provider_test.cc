// SPDX-License-Identifier: MIT
#include "providers/provider.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice {
namespace {

TEST(Providers, AreFoundByEveryNamePeopleUse) {
  EXPECT_EQ(provider("claude"), provider("anthropic"));
  EXPECT_EQ(provider("google"), provider("gemini"));
  EXPECT_EQ(provider("nobody"), nullptr);
  for (const Provider& p : providers()) {
    EXPECT_EQ(provider(p.name), &p) << p.name;
    EXPECT_FALSE(p.endpoints.empty()) << p.name;
    EXPECT_FALSE(p.flavour.empty()) << p.name;
  }
}

TEST(CallPath, PutsTheModelInAndNeverDoublesTheVersion) {
  const auto& openai = *endpoint(*provider("openai"), DialectId::openai_chat, Operation::chat, "m");
  EXPECT_EQ(call_path("/v1", openai, "gpt-4", true), "/v1/chat/completions");
  EXPECT_EQ(call_path("/v1/", openai, "gpt-4", true), "/v1/chat/completions");
  EXPECT_EQ(provider("openai")->endpoints.front().dialect, DialectId::openai_chat);  // which translations use
  const auto& responses = *endpoint(*provider("openai"), DialectId::openai_responses, Operation::chat, "m");
  EXPECT_EQ(call_path("/v1", responses, "gpt-5", true), "/v1/responses");
  const auto& counted = *endpoint(*provider("openai"), DialectId::openai_responses, Operation::count_tokens, "m");
  EXPECT_EQ(call_path("/v1", counted, "gpt-5", false), "/v1/responses/input_tokens");
  const auto& claude = *endpoint(*provider("claude"), DialectId::anthropic, Operation::chat, "m");
  EXPECT_EQ(call_path("", claude, "c", false), "/v1/messages");
  EXPECT_EQ(call_path("/v1", claude, "c", false), "/v1/messages");
  EXPECT_EQ(call_path("/anthropic", claude, "c", false), "/anthropic/v1/messages");
  const auto& gemini = *endpoint(*provider("gemini"), DialectId::gemini, Operation::chat, "m");
  EXPECT_EQ(call_path("/", gemini, "gemini-2.5-pro", false), "/v1beta/models/gemini-2.5-pro:generateContent");
  EXPECT_EQ(call_path("/v1beta", gemini, "a/b:c", true), "/v1beta/models/a%2Fb%3Ac:streamGenerateContent?alt=sse");
  const auto& cohere = *endpoint(*provider("cohere"), DialectId::cohere, Operation::chat, "m");
  EXPECT_EQ(call_path("", cohere, "command-a", true), "/v2/chat");
  EXPECT_EQ(call_path("/v2", cohere, "command-a", true), "/v2/chat");
  // The same vendor in OpenAI's words.
  EXPECT_EQ(call_path("", *endpoint(*provider("cohere"), DialectId::openai_chat, Operation::chat, "command-a"),
                      "command-a", false),
            "/compatibility/v1/chat/completions");
}

TEST(Providers, SpeakTheOldTextApiWhereTheyHaveIt) {
  const auto path = [](std::string_view name, std::string_view model) -> std::string {
    const Endpoint* found = endpoint(*provider(name), DialectId::openai_completions, Operation::chat, model);
    return found ? call_path("/v1", *found, model, false) : "";
  };
  EXPECT_EQ(path("openai", "gpt-3.5-turbo-instruct"), "/v1/completions");
  EXPECT_EQ(path("openai", "ft:davinci-002:acme::1"), "/v1/completions");
  EXPECT_EQ(path("openai", "gpt-4o"), "");
  EXPECT_EQ(path("compatible", "any"), "/v1/completions");
  EXPECT_EQ(path("claude", "any"), "");
}

TEST(Endpoint, MayServeSomeModelsOnly) {
  static constexpr std::array old = {std::string_view("davinci-*"), std::string_view("babbage-002")};
  static constexpr std::array both = {
      Endpoint{.operation = Operation::chat, .path = "/old", .models = old},
      Endpoint{.operation = Operation::chat, .path = "/new"},
  };
  const Provider row{.name = "some", .endpoints = both};
  const auto path = [&](std::string_view model) {
    return endpoint(row, DialectId::openai_chat, Operation::chat, model)->path;
  };
  EXPECT_EQ(path("davinci-002"), "/old");
  EXPECT_EQ(path("babbage-002"), "/old");
  EXPECT_EQ(path("gpt-4o"), "/new");
  EXPECT_EQ(path(""), "/new");
  EXPECT_EQ(endpoint(row, DialectId::openai_chat, Operation::chat, std::nullopt)->path, "/old");
  EXPECT_EQ(endpoint(row, DialectId::openai_chat, Operation::count_tokens, "gpt-4o"), nullptr);
}

// Vendors to come, as rows of this very contract (docs/decisions/next-dialects.md). Compiling is half of the test.
constexpr std::array azure_v1 = {
    Endpoint{DialectId::openai_responses, Operation::chat, "/responses", ""},
    Endpoint{DialectId::openai_chat, Operation::chat, "/chat/completions", ""},
};
constexpr std::array azure_classic = {
    Endpoint{DialectId::openai_chat, Operation::chat,
             "/openai/deployments/{model}/chat/completions?api-version=2024-10-21", ""},
};
constexpr std::array vertex = {
    Endpoint{DialectId::gemini, Operation::chat, "/publishers/google/models/{model}:generateContent",
             "/publishers/google/models/{model}:streamGenerateContent?alt=sse"},
    Endpoint{DialectId::anthropic, Operation::chat, "/publishers/anthropic/models/{model}:rawPredict",
             "/publishers/anthropic/models/{model}:streamRawPredict"},
};

constexpr Provider azure_row{
    .name = "azure", .auth = {AuthKind::header, "api-key"}, .endpoints = azure_v1, .flavour = "azure"};
constexpr Provider azure_classic_row{
    .name = "azure-classic", .auth = {AuthKind::header, "api-key"}, .endpoints = azure_classic, .flavour = "azure"};
constexpr Provider vertex_row{.name = "vertex", .endpoints = vertex, .flavour = "vertex"};

std::string way(const Provider& row, DialectId dialect, std::string_view base, std::string_view model, bool stream) {
  const Endpoint* found = endpoint(row, dialect, Operation::chat, model);
  return found ? call_path(base, *found, model, stream) : "";
}

TEST(ProvidersToCome, HaveTheirPathsInThisContract) {
  using enum DialectId;
  EXPECT_EQ(way(azure_row, openai_responses, "/openai/v1", "my-gpt", true), "/openai/v1/responses");
  EXPECT_EQ(way(azure_row, openai_chat, "/openai/v1/", "my-gpt", true), "/openai/v1/chat/completions");
  EXPECT_EQ(way(azure_classic_row, openai_chat, "", "my gpt", false),
            "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21");
  const std::string_view place = "/v1/projects/p1/locations/global";
  EXPECT_EQ(way(vertex_row, gemini, place, "gemini-3-pro", true),
            "/v1/projects/p1/locations/global/publishers/google/models/gemini-3-pro:streamGenerateContent?alt=sse");
  EXPECT_EQ(way(vertex_row, anthropic, place, "claude-opus-4-6@20260101", false),
            "/v1/projects/p1/locations/global/publishers/anthropic/models/claude-opus-4-6@20260101:rawPredict");
  // One vendor, two dialects: the client's own is found, and translations use the first.
  EXPECT_EQ(azure_row.endpoints.front().dialect, openai_responses);
}

TEST(Bedrock, SpeaksClaudesOwnDialectForClaudeOnly) {
  using enum DialectId;
  const Provider& bedrock = *provider("bedrock");
  const std::string_view claude = "us.anthropic.claude-opus-4-6-v1:0", nova = "amazon.nova-pro-v1:0";
  EXPECT_EQ(way(bedrock, bedrock_converse, "", claude, true),
            "/model/us.anthropic.claude-opus-4-6-v1%3A0/converse-stream");
  EXPECT_EQ(way(bedrock, bedrock_converse, "", "arn:aws:bedrock:eu-west-1:1:inference-profile/x", false),
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx/converse");
  EXPECT_EQ(way(bedrock, anthropic, "", claude, false), "/model/us.anthropic.claude-opus-4-6-v1%3A0/invoke");
  EXPECT_EQ(way(bedrock, anthropic, "", claude, true),
            "/model/us.anthropic.claude-opus-4-6-v1%3A0/invoke-with-response-stream");
  EXPECT_EQ(way(bedrock, anthropic, "", nova, false), "");
  EXPECT_EQ(way(bedrock, openai_chat, "", nova, false), "");
  // Translations use the first.
  EXPECT_EQ(bedrock.endpoints.front().dialect, bedrock_converse);
}

}  // namespace
}  // namespace sluice
