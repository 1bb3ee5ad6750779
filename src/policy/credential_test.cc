// What a request shows, in each SDK's form, and who that is. SPDX-License-Identifier: MIT
#include "policy/credential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

http1::Fields fields(std::initializer_list<http1::Field> all) {
  http1::Fields out;
  for (const http1::Field& f : all) EXPECT_TRUE(out.add(f));
  return out;
}

// The key that is shown; else what the caller is told.
std::string shown(std::initializer_list<http1::Field> all, std::string_view query = {}) {
  const auto credential = read_credential(fields(all), query);
  if (!credential) {
    EXPECT_EQ(credential.error()->fault, Fault::unauthorized);
    return credential.error()->message;
  }
  return credential->claim ? "signed by " + std::string(credential->claim->access_key_id) : credential->key;
}

const std::string signed_by_b =
    "AWS4-HMAC-SHA256 Credential=TEAMB/20261129/r/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
    std::string(64, 'a');

TEST(Credentials, AreReadInEachForm) {
  for (const auto* name : {"Authorization", "authorization"}) {
    for (const auto* value : {"Bearer k-1", "bearer k-1", "BEARER   k-1"}) EXPECT_EQ(shown({{name, value}}), "k-1");
    EXPECT_EQ(shown({{name, signed_by_b}}), "signed by TEAMB");
  }
  for (const auto* name : {"x-api-key", "X-Api-Key", "x-goog-api-key", "X-Goog-Api-Key", "api-key", "Api-Key"})
    EXPECT_EQ(shown({{"Host", "h"}, {name, "k-1"}}), "k-1");
  EXPECT_EQ(shown({}, "key=k-1"), "k-1");
  EXPECT_EQ(shown({}, "alt=sse&key=k%2D1&x=y"), "k-1");
}

TEST(Credentials, AreOneOrNone) {
  EXPECT_EQ(shown({{"Authorization", "Bearer k-1"}, {"x-api-key", "k-1"}}, "key=k-1"), "k-1");
  // SDKs send a field though they have no key for it.
  EXPECT_EQ(shown({{"Authorization", "Bearer "}, {"x-api-key", "k-1"}, {"api-key", ""}}, "key="), "k-1");
  const std::initializer_list<http1::Field> pairs[] = {
      {{"Authorization", "Bearer k-1"}, {"x-api-key", "k-2"}},
      {{"x-api-key", "k-1"}, {"x-api-key", "k-2"}},
      {{"x-goog-api-key", "k-1"}, {"api-key", "k-2"}},
      {{"Authorization", "Bearer k-1"}, {"Authorization", "Bearer k-2"}},
      {{"Authorization", signed_by_b}, {"x-api-key", "k-2"}},
  };
  for (const auto& pair : pairs) EXPECT_THAT(shown(pair), HasSubstr("two different keys"));
  EXPECT_THAT(shown({{"x-goog-api-key", "k-1"}}, "key=k-2"), HasSubstr("(x-goog-api-key and ?key=)"));
  EXPECT_THAT(shown({}, "key=k-1&key=k-2"), HasSubstr("two different keys"));
  for (const auto& nothing : {fields({}), fields({{"Authorization", ""}}), fields({{"Authorization", "Bearer"}}),
                              fields({{"x-api-key", ""}, {"Cookie", "key=k-1"}, {"x-key", "k"}})}) {
    const auto credential = read_credential(nothing, "monkey=1&Key=2");
    ASSERT_FALSE(credential);
    EXPECT_THAT(credential.error()->message, HasSubstr("Authorization: Bearer KEY"));
  }
}

TEST(Credentials, OfOtherKindsAreRefused) {
  for (const auto* value : {"Basic dTpw", "k-1", "Digest x", "Bearer2 k", "Bearerk-1"})
    EXPECT_THAT(shown({{"Authorization", value}}), HasSubstr("no other kind")) << value;
  for (const auto* value : {"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=x", "AWS4-ECDSA-P256-SHA256 Credential=x"})
    EXPECT_THAT(shown({{"Authorization", value}}), HasSubstr("no signature of the form")) << value;
}

struct Known {
  Known() {
    Config config;
    config.keys = {{.name = "team-a", .key = Secret("key-of-team-a-0123")},
                   {.name = "team-b", .key = Secret("key-of-team-b-0123"), .access_key_id = "TEAMB"}};
    config.keys[0].allowance.from = {"10.0.0.0/8"};
    config.keys[1].allowance.dialects = {"bedrock_converse"};
    directory = Directory::of(config);
  }
  std::shared_ptr<const Directory> directory;
};

constexpr CallPlace bedrock{.peer = "10.0.0.1", .dialect = "bedrock_converse", .unix_ms = 1795955760'000};

Result<Caller> caller(const Known& known, const http1::Fields& head, const CallPlace& place = bedrock) {
  TRY(const auto credential, read_credential(head, {}));
  return find_caller(*known.directory, credential, head, place);
}

TEST(Credentials, NameTheirCaller) {
  const Known known;
  const auto a = caller(known, fields({{"x-api-key", "key-of-team-a-0123"}}));
  ASSERT_TRUE(a);
  EXPECT_EQ(a->name, "team-a");
  EXPECT_EQ(a->tenant, "key team-a");
  EXPECT_EQ(a->key->name, "team-a");
  EXPECT_FALSE(a->claimed);
  // The secret of an access key is a key like any other.
  const auto b = caller(known, fields({{"Authorization", "Bearer key-of-team-b-0123"}}));
  ASSERT_TRUE(b);
  EXPECT_EQ(b->tenant, "key team-b");
  EXPECT_FALSE(b->claimed);
  const auto wrong = caller(known, fields({{"x-api-key", "key-of-team-c-0123"}}));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error()->fault, Fault::unauthorized);
  EXPECT_THAT(wrong.error()->message + wrong.error()->detail, Not(HasSubstr("key-of-team-c")));
}

TEST(Credentials, CountWhereTheyMayBeShown) {
  const Known known;
  const auto a = fields({{"x-api-key", "key-of-team-a-0123"}});
  const auto elsewhere = caller(known, a, {.peer = "192.0.2.1"});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error()->fault, Fault::forbidden);
  const auto b = fields({{"x-api-key", "key-of-team-b-0123"}});
  EXPECT_FALSE(caller(known, b, {.peer = "192.0.2.1", .dialect = "gemini"}));
  EXPECT_TRUE(caller(known, b, {.peer = "192.0.2.1", .dialect = "bedrock_converse"}));
}

TEST(Credentials, OfASignatureAreJudgedByTheHeadFirst) {
  const Known known;
  const auto head = [](std::string_view authorization) {
    return fields({{"Host", "h"}, {"X-Amz-Date", "20261129T123600Z"}, {"Authorization", authorization}});
  };
  const auto claimed = caller(known, head(signed_by_b));
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->tenant, "key team-b");
  ASSERT_TRUE(claimed->claimed);
  // Claimed is not proven.
  const http1::Fields same = head(signed_by_b);
  const auto proven = prove(*claimed, {.method = "POST", .target = "/", .fields = same, .body = "{}"}, bedrock);
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error()->code, "invalid_signature");

  const auto late = caller(known, head(signed_by_b), {.unix_ms = bedrock.unix_ms + 301'000});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error()->code, "invalid_signature");
  EXPECT_THAT(late.error()->message, HasSubstr("clock"));
  std::string stranger = signed_by_b;
  stranger.replace(stranger.find("TEAMB"), 5, "TEAMA");
  const auto unknown = caller(known, head(stranger));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error()->code, "");
  EXPECT_THAT(unknown.error()->message, HasSubstr("access_key_id"));
}

}  // namespace
}  // namespace sluice
