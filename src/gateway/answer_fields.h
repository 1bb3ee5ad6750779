// Which fields of an upstream's answer go along to the client when the gateway writes the answer itself: what the
// client's dialect has a name for, under that name. What passes untouched: passage.h. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dialects/dialect.h"
#include "dialects/limits_told.h"
#include "wire/http1.h"

namespace sluice {

// The names under which upstreams tell their ids, whatever they speak.
[[nodiscard]] std::span<const std::string_view> request_id_names();
[[nodiscard]] bool names_request_id(std::string_view field);

// Of which the gateway tells a limit.
struct OwnLimits {
  bool requests = false, tokens = false;
  // Whether a field of the upstream's that tells of a limit gives way to it. `name`: as far as that is understood;
  // input and output apart are tokens, too.
  [[nodiscard]] bool replace(const http1::Field& field, const std::optional<LimitName>& name) const;
};

struct FieldsFor {
  const Dialect& client;
  OwnLimits own;                 // the gateway tells its own, which are the client's
  std::int64_t now_unix_ms = 0;  // limits that are over at a time are told as a duration, and the reverse
};

// Appends lines: limits in the client's spelling, the vendor's own fields to clients of its dialect, the upstream's id
// under a name of ours, whether to try again. Not how long to wait: send_error() tells that. `limits` gets what they
// tell of the vendor's limits.
void append_answer_fields(std::string& out, const http1::Fields& fields, const FieldsFor& to, LimitsTold& limits);

// Takes one field, if it tells of a limit, and tells which: in whatever spelling.
std::optional<LimitName> take_limit(const http1::Field& field, std::int64_t now_unix_ms, LimitsTold& limits);

}  // namespace sluice
