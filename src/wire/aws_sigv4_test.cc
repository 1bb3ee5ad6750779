// Against what AWS's own botocore signs (its SigV4Auth with these credentials, this time and these addresses).
// SPDX-License-Identifier: MIT
#include "wire/aws_sigv4.h"

#include <gtest/gtest.h>

namespace sluice::aws_sigv4 {
namespace {

constexpr Credentials known{.access_key_id = "AKIDEXAMPLE",
                            .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
constexpr std::int64_t then = 1440938160;

TEST(AwsSigV4, SignsAsTheVendorDocuments) {
  // "get-vanilla" of the published test suite.
  const std::string fields = signing_fields(known, {.method = "GET",
                                                    .target = "/",
                                                    .host = "example.amazonaws.com",
                                                    .region = "us-east-1",
                                                    .service = "service",
                                                    .unix_seconds = then});
  EXPECT_EQ(fields,
            "x-amz-date: 20150830T123600Z\r\n"
            "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\r\n");
}

TEST(AwsSigV4, EscapesThePathOnceMore) {
  const Request request{
      .method = "POST",
      .target = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
      .host = "bedrock-runtime.us-east-1.amazonaws.com",
      .body = R"({"messages":[]})",
      .region = "us-east-1",
      .service = "bedrock",
      .unix_seconds = then,
  };
  EXPECT_EQ(canonical_request(known, request),
            "POST\n/model/us.anthropic.claude-sonnet-4-5-20250929-v1%253A0/converse\n\n"
            "host:bedrock-runtime.us-east-1.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n"
            "5e4ce7b36ba37b78a5d5f9fd08e6b7b54ba6879d651aa46ec9e1d6fa24ebe30a");
  EXPECT_NE(signing_fields(known, request).find("e093f52e9f3cb40f5ed10d98a50a1e8f7bdbd9cac36fe2149690255d8743de54"),
            std::string::npos);
}

TEST(AwsSigV4, SignsTheTokenOfTemporaryCredentials) {
  Credentials temporary = known;
  temporary.session_token = "FwoGZXIvYXdzEXAMPLE//token==";
  const std::string fields = signing_fields(
      temporary, {.method = "POST",
                  .target = "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx/converse-stream",
                  .host = "bedrock-runtime.eu-west-1.amazonaws.com",
                  .body = "{}",
                  .region = "eu-west-1",
                  .service = "bedrock",
                  .unix_seconds = then});
  EXPECT_NE(fields.find("\r\nx-amz-security-token: FwoGZXIvYXdzEXAMPLE//token==\r\n"), std::string::npos);
  EXPECT_NE(fields.find("SignedHeaders=host;x-amz-date;x-amz-security-token, "
                        "Signature=07cb3d4e1ea35641a03a1a10835702894aa133ee55651995271b722a6b46d8a5"),
            std::string::npos);
}

TEST(AwsSigV4, OrdersTheQuery) {
  const std::string fields = signing_fields(known, {.method = "POST",
                                                    .target = "/base/model/m/invoke?b=2&a=1&a=0&e=",
                                                    .host = "127.0.0.1:9001",
                                                    .region = "us-east-1",
                                                    .service = "bedrock",
                                                    .unix_seconds = 1790000000});
  EXPECT_NE(fields.find("0c84db6bfcb0add17b040a2fbf67e5124e63a57d27bd23b0b9e5ba05cbb47232"), std::string::npos);
}

}  // namespace
}  // namespace sluice::aws_sigv4
