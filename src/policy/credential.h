// What a request shows of who sends it, in whichever form its SDK has, and whose key that is.
// Not here: what an address alone allows (caller.h), the keys themselves (config/keys.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/keys.h"
#include "policy/caller.h"
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

// Whose key that is. A signature is judged as far as the head tells (the caller is then only claimed: Caller::signer);
// the rest of it is for prove(). Error: unauthorized.
[[nodiscard]] Result<Caller> find_caller(const Keys& keys, const Credential& credential, const http1::Fields& fields,
                                         std::int64_t unix_seconds);

// Checks the signature of a caller who has a signer, over the whole request. Error: unauthorized.
[[nodiscard]] Result<void> prove(const Caller& caller, const aws_sigv4::Received& request);

}  // namespace sluice
