// What a request shows of who sends it, in whichever form its SDK has, and whose key that is.
// Not here: what an address alone allows (caller.h), the keys themselves (directory.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "policy/caller.h"
#include "policy/directory.h"
#include "wire/aws_sigv4.h"
#include "wire/http1.h"

namespace sluice {

struct Credential {
  std::string key;                          // what was shown as it is; empty for a signature
  std::optional<aws_sigv4::Claim> claim{};  // views into the head
};

// Every form at every door: Authorization: Bearer, x-api-key, x-goog-api-key, api-key, ?key= and AWS's signatures.
// Empty fields show nothing, and the same key twice is one. Error: unauthorized, when nothing, two different things or
// something of another kind is shown.
[[nodiscard]] Result<Credential> read_credential(const http1::Fields& fields, std::string_view query);

// A call, as far as it decides whether a key may be shown.
struct CallPlace {
  std::string_view peer;
  std::string_view dialect;  // empty: none is spoken
  std::int64_t unix_ms = 0;
};

// Whose key that is, if it may be shown there. A signature is judged as far as the head tells (the caller is then only
// claimed); the rest of it is for prove(). Errors: unauthorized, forbidden.
[[nodiscard]] Result<Caller> find_caller(const Directory& directory, const Credential& credential,
                                         const http1::Fields& fields, const CallPlace& place);

// Checks the signature of a caller who is claimed, over the whole request. Errors: as above.
[[nodiscard]] Result<void> prove(const Caller& caller, const aws_sigv4::Received& request, const CallPlace& place);

}  // namespace sluice
