// What of a message's head passes the gateway when its body does so untouched: which fields of a request go to the
// upstream, which of an answer to the client. Closed: what no list names stays behind.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "dialects/limits_told.h"
#include "model/dialect_id.h"
#include "wire/http1.h"

namespace sluice {

struct OwnLimits;

// Appends the lines of a request's fields that an upstream may see: about the body, conditions and ranges, and of the
// vendors' own those of the words that are spoken. Never who the caller is, by which way it came, who pays, or a key,
// in whatever field it stands.
void append_asked_fields(std::string& out, const http1::Fields& fields, DialectId spoken);

// Appends the lines of an answer's fields that the client may see: all but those of the connection, of framing, of the
// upstream's place, and those that the gateway itself sets. An address under which Google wants an upload to go on
// becomes one of the gateway's own ("http://host:port"). The gateway's own limits stand for
// the upstream's. `limits` gets what they tell of the vendor's limits.
void append_passed_fields(std::string& out, const http1::Fields& fields, std::string_view own_address,
                          const OwnLimits& own_limits, std::int64_t now_unix_ms, LimitsTold& limits);

// The query without a key in it, for clients that may put theirs there ("?key=", Gemini's; a signed address, AWS's).
[[nodiscard]] std::string without_key(std::string_view query);
// The value of a parameter as it stands; empty when there is none.
[[nodiscard]] std::string_view query_value(std::string_view query, std::string_view name);

}  // namespace sluice
