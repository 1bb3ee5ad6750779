// Whether a request that came was signed: with what botocore and AWS's SDK for Node sign, and with every part of it
// changed. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/aws_sigv4.h"

namespace sluice::aws_sigv4 {
namespace {

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::int64_t then = 1795955760;  // 2026-11-29T12:36:00Z

struct Sample {
  std::string who, head, body;
};

// SigV4Auth of botocore 1.40 and SignatureV4 of @smithy/signature-v4 made the signatures.
const std::vector<Sample> samples = {
    {"botocore, a conversation",
     "POST /model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse HTTP/1.1\r\n"
     "Host: 127.0.0.1:8000\r\n"
     "Content-Type: application/json\r\n"
     "amz-sdk-invocation-id: 0c0ffee0-1111-4222-8333-444444444444\r\n"
     "amz-sdk-request: attempt=1; max=5\r\n"
     "X-Amz-Date: 20261129T123600Z\r\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261129/eu-central-1/bedrock/aws4_request, "
     "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-type;host;x-amz-date, "
     "Signature=30d94ef8bcf097d36a8b51b19da0ad96991e7f4c7ea77a84e4fdc6f158884ffc\r\n"
     "Content-Length: 61\r\n\r\n",
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Gr\xc3\xbc"
     "ezi\"}]}]}"},
    {"botocore, an ARN",
     "POST /model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx/converse-stream HTTP/1.1\r\n"
     "Host: gateway.example\r\n"
     "Content-Type: application/json\r\n"
     "X-Amz-Date: 20261129T123600Z\r\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261129/eu-central-1/bedrock/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-date, "
     "Signature=222965b909f090d6cf92f1895c79f99af8ae2a244bd0edbec13a4a59ef11a94b\r\n"
     "Content-Length: 2\r\n\r\n",
     "{}"},
    {"botocore, a query and blanks",
     "GET /v1/models?b=2&a=1&a=0&e=&c=x%20y HTTP/1.1\r\n"
     "Host: gateway.example\r\n"
     "x-amz-meta: one   two  three\r\n"
     "X-Amz-Date: 20261129T123600Z\r\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261129/eu-central-1/bedrock/aws4_request, "
     "SignedHeaders=host;x-amz-date;x-amz-meta, "
     "Signature=86e7c8aaa063146f5316f9bf2285b26828c047c5cdc7b747ec6ea8d5675f8936\r\n\r\n",
     ""},
    {"botocore, bytes and what is not escaped",
     "POST /model/m~1_a.b-c%20d/invoke?x=~ HTTP/1.1\r\n"
     "Host: gateway.example\r\n"
     "Content-Type: application/json\r\n"
     "X-Amz-Date: 20261129T123600Z\r\n"
     "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261129/eu-central-1/bedrock/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-date, "
     "Signature=5db8a031608999354505326ae0726a9fd9b218d2f5a4afcd52f80439489a3a82\r\n"
     "Content-Length: 9\r\n\r\n",
     std::string("\x00\xff binary", 9)},
    {"node",
     "POST /model/us.amazon.nova-pro-v1%3A0/converse HTTP/1.1\r\n"
     "content-type: application/json\r\n"
     "content-length: 2\r\n"
     "host: localhost:8000\r\n"
     "x-amz-user-agent: aws-sdk-js/3\r\n"
     "user-agent: x\r\n"
     "amz-sdk-request: attempt=1\r\n"
     "x-amz-date: 20261129T123600Z\r\n"
     "x-amz-content-sha256: 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\r\n"
     "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261129/us-east-1/bedrock/aws4_request, "
     "SignedHeaders=amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date;"
     "x-amz-user-agent, "
     "Signature=8752047337ba81d850fa07eb72b6c764556a5502cb4e6bc4eeca8aa143852580\r\n\r\n",
     "{}"}};

// What is wrong with it; nullopt when its Authorization is malformed.
std::optional<Doubt> doubt(const Sample& sample, std::int64_t now = then, std::string_view key = secret) {
  http1::RequestHead head;
  std::size_t seen = 0;
  const auto parsed = http1::parse_request(sample.head, {}, seen, head);
  EXPECT_EQ(parsed.step, http1::Step::done) << parsed.why << '\n' << sample.head;
  const auto claim = read_claim(head.fields.get("authorization"));
  if (!claim) return std::nullopt;
  if (const Doubt found = doubt_head(*claim, head.fields, now); found != Doubt::none) return found;
  return doubt_signature(*claim, key,
                         {.method = head.method, .target = head.target, .fields = head.fields, .body = sample.body});
}

// The first sample's head with `from` replaced.
Sample changed(std::string_view from, std::string_view to, std::size_t which = 0) {
  Sample out = samples[which];
  const auto at = out.head.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  out.head.replace(at, from.size(), to);
  return out;
}

TEST(AwsSigV4Check, TakesWhatTheSdksSign) {
  for (const Sample& sample : samples) EXPECT_EQ(doubt(sample), Doubt::none) << sample.who;
}

TEST(AwsSigV4Check, KnowsItsSecret) {
  std::string other(secret);
  for (std::size_t i = 0; i < other.size(); i += 13) {
    other[i] ^= 1;
    EXPECT_EQ(doubt(samples[0], then, other), Doubt::signature);
    other[i] ^= 1;
  }
  EXPECT_EQ(doubt(samples[0], then, secret.substr(1)), Doubt::signature);
  EXPECT_EQ(doubt(samples[0], then, ""), Doubt::signature);
}

TEST(AwsSigV4Check, CountsEverythingIn) {
  const std::pair<const char*, const char*> changes[] = {
      {"POST", "PUT"},
      {"/converse ", "/invoke "},
      {"%3A0", ":0"},
      {"/converse ", "/converse?x "},
      {"127.0.0.1:8000", "127.0.0.1:8001"},
      {"application/json", "text/plain"},
      {"attempt=1; max=5", "attempt=2; max=5"},
      {"0c0ffee0", "0c0ffee1"},
      {"X-Amz-Date: 20261129T123600Z", "X-Amz-Date: 20261129T123601Z"},
      {"eu-central-1", "eu-central-2"},
      {"/bedrock/", "/bedrock-runtime/"},
      {"30d94ef8", "30d94ef9"},
      {"884ffc", "884ffd"},
      {"content-type;host", "content-length;content-type;host"},
      {"amz-sdk-request;", ""},
  };
  for (const auto& [from, to] : changes) EXPECT_EQ(doubt(changed(from, to)), Doubt::signature) << from;
  for (const auto& [from, to] :
       {std::pair("b=2", "b=3"), std::pair("a=0&", ""), std::pair("x%20y", "x+y"), std::pair("two  three", "twothree")})
    EXPECT_EQ(doubt(changed(from, to, 2)), Doubt::signature) << from;
  Sample sample = samples[0];
  for (std::size_t i = 0; i < sample.body.size(); ++i) {
    sample.body[i] ^= 1;
    EXPECT_EQ(doubt(sample), Doubt::signature) << i;
    sample.body[i] ^= 1;
  }
  sample.body.pop_back();
  EXPECT_EQ(doubt(sample), Doubt::signature);
}

TEST(AwsSigV4Check, LeavesTheRestOpen) {
  // What proxies and HTTP libraries add, and how the same is spelled.
  EXPECT_EQ(doubt(changed("Content-Length", "User-Agent: x\r\nX-Amzn-Trace-Id: y\r\nContent-Length")), Doubt::none);
  EXPECT_EQ(doubt(changed("X-Amz-Date:", "x-amz-date: ")), Doubt::none);
  EXPECT_EQ(doubt(changed(", SignedHeaders", ",SignedHeaders")), Doubt::none);
  EXPECT_EQ(doubt(changed("one   two  three", "  one two \t three ", 2)), Doubt::none);
  EXPECT_EQ(doubt(changed("b=2&a=1&a=0", "a=0&b=2&a=1", 2)), Doubt::none);
}

TEST(AwsSigV4Check, LooksAtTheClock) {
  for (const std::int64_t skew : {-300, 0, 300}) EXPECT_EQ(doubt(samples[0], then + skew), Doubt::none) << skew;
  for (const std::int64_t skew : {-301L, 301L, 86400L, -then})
    EXPECT_EQ(doubt(samples[0], then + skew), Doubt::clock) << skew;
}

TEST(AwsSigV4Check, WantsTheDayOfTheScope) {
  const std::string line = "X-Amz-Date: 20261129T123600Z\r\n";
  for (const auto* date : {"20261128T123600Z", "20261129T123600", "20261129T123600z", "2026-11-29T12:36:00Z",
                           "20261129T1236 0Z", "x", "20261329T123600Z", "20261129X123600Z", ""})
    EXPECT_EQ(doubt(changed(line, "X-Amz-Date: " + std::string(date) + "\r\n")), Doubt::date) << date;
  EXPECT_EQ(doubt(changed(line, "")), Doubt::date);
  EXPECT_EQ(doubt(changed("/20261129/", "/20261128/")), Doubt::date);
}

TEST(AwsSigV4Check, WantsBedrock) {
  for (const auto* service : {"s3", "sts", "bedroc", "bedrockx", "execute-api"})
    EXPECT_EQ(doubt(changed("/bedrock/", "/" + std::string(service) + "/")), Doubt::service) << service;
}

TEST(AwsSigV4Check, WantsNoTemporaryCredentials) {
  EXPECT_EQ(doubt(changed("Content-Length", "X-Amz-Security-Token: abc\r\nContent-Length")), Doubt::token);
}

TEST(AwsSigV4Check, WantsTheFieldsOfAwsToBeCountedIn) {
  EXPECT_EQ(doubt(changed("Content-Length", "X-Amz-Target: other\r\nContent-Length")), Doubt::not_covered);
  EXPECT_EQ(doubt(changed("host;", "")), Doubt::not_covered);
  EXPECT_EQ(doubt(changed(";x-amz-date,", ",")), Doubt::not_covered);
  EXPECT_EQ(doubt(changed("amz-sdk-request: attempt=1; max=5\r\n", "")), Doubt::not_covered);
}

TEST(AwsSigV4Check, RefusesAnUnsignedBody) {
  const Sample sample =
      changed("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "UNSIGNED-PAYLOAD", 4);
  EXPECT_EQ(doubt(sample), Doubt::signature);
}

TEST(AwsSigV4Check, ReadsOneForm) {
  const std::string good =
      "AWS4-HMAC-SHA256 Credential=ID/20261129/r/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
      std::string(64, 'a');
  const auto claim = read_claim(good);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->access_key_id, "ID");
  EXPECT_EQ(claim->date, "20261129");
  EXPECT_EQ(claim->region, "r");
  EXPECT_EQ(claim->service, "bedrock");
  EXPECT_EQ(claim->signed_names, "host;x-amz-date");
  EXPECT_EQ(claim->signature, std::string(64, 'a'));
  const std::pair<const char*, const char*> broken[] = {
      {"AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"},
      {"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"},
      {"Credential=", "credential="},
      {"Credential=ID", "Credential="},
      {"ID/", "I D/"},
      {"20261129", "2026112"},
      {"20261129", "2026112x"},
      {"/r/", "/"},
      {"/r/", "//"},
      {"/bedrock/", "//"},
      {"aws4_request", "aws4_request/more"},
      {"aws4_request", "aws4"},
      {"host;x-amz-date", "x-amz-date;host"},
      {"host;x-amz-date", "host;host;x-amz-date"},
      {"host;x-amz-date", "Host;x-amz-date"},
      {"host;x-amz-date", "host;x-amz-date;"},
      {"host;x-amz-date", ";host"},
      {"host;x-amz-date", ""},
      {", SignedHeaders=host;x-amz-date", ""},
      {"Credential=ID/20261129/r/bedrock/aws4_request, ", ""},
      {"Signature=aaaa", "Signature=aaa"},
      {"Signature=aaaa", "Signature=aaaaa"},
      {"Signature=a", "Signature=A"},
      {", Sign", ", Signature=b, Sign"},
      {", Sign", ", More=1, Sign"},
      {", Sign", ",, Sign"},
  };
  for (const auto& [from, to] : broken) {
    std::string text = good;
    text.replace(text.find(from), std::string_view(from).size(), to);
    EXPECT_FALSE(read_claim(text)) << text;
  }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(read_claim(good.substr(0, size))) << size;
  EXPECT_TRUE(is_signature(good));
  EXPECT_FALSE(is_signature("Bearer AWS4-HMAC-SHA256"));
}

}  // namespace
}  // namespace sluice::aws_sigv4
