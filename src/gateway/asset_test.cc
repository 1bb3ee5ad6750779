// SPDX-License-Identifier: MIT
#include "gateway/asset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "gateway/operations.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Assets, AreFoundByPathAndUnpackWhole) {
  for (const Asset& one : assets()) {
    EXPECT_EQ(asset(one.path), &one);
    EXPECT_TRUE(one.gzip) << one.path;
    EXPECT_GT(plain(one).size(), 100u) << one.path;
    EXPECT_THAT(std::string(one.etag), testing::MatchesRegex("W/\"[0-9a-f]+\"")) << one.path;
  }
  EXPECT_EQ(asset("/docs/missing.js"), nullptr);
  EXPECT_EQ(asset(""), nullptr);
}

TEST(Assets, ThePageNeedsNothingFromElsewhere) {
  const std::string page = plain(*asset("/docs"));
  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, Not(HasSubstr("<script>"))) << "the policy forbids scripts in the page itself";
  EXPECT_THAT(page, Not(HasSubstr("<style")));
  std::size_t files = 0;
  for (const std::string_view mark : {"src=\"", "href=\""}) {
    for (auto at = page.find(mark); at != std::string::npos; at = page.find(mark, at + 1)) {
      const auto start = at + mark.size();
      const std::string file = page.substr(start, page.find('"', start) - start);
      EXPECT_NE(asset("/" + file), nullptr) << file;
      ++files;
    }
  }
  EXPECT_GE(files, 6u);
}

TEST(Assets, TheReferenceDescribesEveryDoor) {
  const std::string text = plain(*asset("/openapi.json"));
  json::Document document;
  const auto root = document.parse(text);
  ASSERT_TRUE(root);
  EXPECT_TRUE((*root)["openapi"].equals("3.1.0"));
  std::set<std::string> paths;
  for (const auto& [path, item] : (*root)["paths"].members()) {
    paths.emplace(path);
    for (const auto& [method, operation] : item.members()) {
      if (method != "parameters") EXPECT_GE(operation["responses"].size(), 1u) << path;  // which are all methods'
    }
  }
  for (const auto* path :
       {"/v1/chat/completions", "/openai/deployments/{model}/chat/completions", "/v1/responses",
        "/v1/responses/input_tokens", "/v1/messages", "/v1beta/models/{model}:generateContent", "/v1/completions",
        "/v1/messages/count_tokens", "/v1beta/models/{model}:countTokens",
        "/v1beta/models/{model}:streamGenerateContent", "/v2/chat", "/model/{model}/converse",
        "/model/{model}/converse-stream", "/v1/models", "/health", "/health/live", "/health/ready", "/metrics"})
    EXPECT_TRUE(paths.contains(path)) << path;
  for (const VendorOperation& row : vendor_operations()) {
    std::string path(row.pattern);
    if (path.ends_with('*')) path.replace(path.size() - 1, 1, "{rest}");
    EXPECT_TRUE(paths.contains(path)) << path;
  }
  // Every reference leads to a schema.
  const auto schemas = (*root)["components"]["schemas"];
  constexpr std::string_view mark = "\"#/components/schemas/";
  std::size_t references = 0;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const auto start = at + mark.size();
    const std::string name = text.substr(start, text.find('"', start) - start);
    EXPECT_TRUE(schemas[name]) << name;
    ++references;
  }
  EXPECT_GE(references, 10u);
}

}  // namespace
}  // namespace sluice
