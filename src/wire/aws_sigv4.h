// AWS Signature Version 4: what a request must carry so that AWS knows who sent it. Pure: the time is an argument.
// Not here: where credentials come from. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

}  // namespace sluice::aws_sigv4
