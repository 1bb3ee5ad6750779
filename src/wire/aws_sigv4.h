// AWS Signature Version 4, both ways: what a request must carry so that AWS knows who sent it, and whether one that
// came was signed with a secret. Pure: the time is an argument. Not here: where credentials come from.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http1.h"

namespace sluice::aws_sigv4 {

struct Credentials {
  std::string_view access_key_id, secret_access_key;
  std::string_view session_token;  // of temporary credentials; empty otherwise
};

struct Request {
  std::string_view method;
  std::string_view target;  // path and query as they go over the wire, escapes included
  std::string_view host;    // as in the field Host
  std::string_view body;
  std::string_view region, service;
  std::int64_t unix_seconds = 0;
};

// The fields that sign it, each line with its CRLF: x-amz-date, x-amz-security-token where there is one, authorization.
// The body counts by its hash; of the fields, Host and those named here are signed.
[[nodiscard]] std::string signing_fields(const Credentials& credentials, const Request& request);

// The two texts in between, for who must find out why a signature is refused.
[[nodiscard]] std::string canonical_request(const Credentials& credentials, const Request& request);
// "20150830T123600Z"
[[nodiscard]] std::string amz_date(std::int64_t unix_seconds);

// What the Authorization of a signed request says. Views into it.
struct Claim {
  std::string_view access_key_id;
  std::string_view date;  // "20150830"
  std::string_view region, service;
  std::string_view signed_names;  // "host;x-amz-date": in lower case and in order, each once
  std::string_view signature;     // 64 hex digits
};

// True when the value of Authorization means to be a signature.
[[nodiscard]] bool is_signature(std::string_view authorization);
// nullopt when it is malformed.
[[nodiscard]] std::optional<Claim> read_claim(std::string_view authorization);

// What can be wrong with a claim, in the order in which it is looked for. A signature counts the whole body in; all the
// rest is known from the head.
enum class Doubt : std::uint8_t {
  none,
  token,        // it carries a token of temporary credentials, and none were given out here
  service,      // signed for another one than Bedrock
  date,         // no x-amz-date, or the claim names another day
  clock,        // more than five minutes from ours
  not_covered,  // a signed field did not come, or one that must be signed is not: host, every x-amz-*
  signature,
};

[[nodiscard]] Doubt doubt_head(const Claim& claim, const http1::Fields& fields, std::int64_t unix_seconds);

struct Received {
  std::string_view method, target;  // as they came
  const http1::Fields& fields;
  std::string_view body;  // without chunks, else as it came
};

// Whether `secret` made the signature: none or signature. Takes the same time whatever is wrong with it.
[[nodiscard]] Doubt doubt_signature(const Claim& claim, std::string_view secret, const Received& request);

}  // namespace sluice::aws_sigv4
