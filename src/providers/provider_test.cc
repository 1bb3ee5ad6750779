// SPDX-License-Identifier: MIT
#include "providers/provider.h"

#include <gtest/gtest.h>

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
  const auto& openai = *endpoint(*provider("openai"), DialectId::openai_chat, Operation::chat);
  EXPECT_EQ(call_path("/v1", openai, "gpt-4", true), "/v1/chat/completions");
  EXPECT_EQ(call_path("/v1/", openai, "gpt-4", true), "/v1/chat/completions");
  const auto& claude = *endpoint(*provider("claude"), DialectId::anthropic, Operation::chat);
  EXPECT_EQ(call_path("", claude, "c", false), "/v1/messages");
  EXPECT_EQ(call_path("/v1", claude, "c", false), "/v1/messages");
  EXPECT_EQ(call_path("/anthropic", claude, "c", false), "/anthropic/v1/messages");
  const auto& gemini = *endpoint(*provider("gemini"), DialectId::gemini, Operation::chat);
  EXPECT_EQ(call_path("/", gemini, "gemini-2.5-pro", false), "/v1beta/models/gemini-2.5-pro:generateContent");
  EXPECT_EQ(call_path("/v1beta", gemini, "a/b:c", true), "/v1beta/models/a%2Fb%3Ac:streamGenerateContent?alt=sse");
}

}  // namespace
}  // namespace sluice
