// A dialect to come, as far as the contracts of dialect.h and model/ need it to be tried: test code, no dialect. What
// it reads and writes is small, but real; contract_trial_test.cc holds it to the laws. SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "dialects/dialect.h"

namespace sluice::trial {

struct Wire {
  DialectId id = DialectId::bedrock_converse;
  std::string_view content_type;
  Result<ChatRequest> (*read_request)(const Asked& asked);
  Result<Reply> (*read_reply)(std::string_view body);
  std::unique_ptr<Framer> (*framer)();
  std::unique_ptr<StreamReader> (*stream_reader)();
  std::unique_ptr<StreamWriter> (*stream_writer)(const Question& question);
};
[[nodiscard]] const Wire& bedrock();
// As Dialect::read_error would.
[[nodiscard]] Error bedrock_error(int status, std::string_view body, std::string_view kind);
[[nodiscard]] std::unique_ptr<StreamWriter> bedrock_stream_writer(const Question& question);

// Members of `object` that are not in `known` and not null.
inline void read_rest(json::Value object, std::initializer_list<std::string_view> known, DialectId from, Extras& out) {
  for (const auto [key, value] : object.members()) {
    if (!value.is_null() && std::ranges::find(known, key) == known.end()) out.add(from, key, value.raw());
  }
}

inline Error broken(std::string detail) {
  return {.fault = Fault::upstream_broken,
          .message = "The upstream's answer broke in the middle of the stream.",
          .detail = std::move(detail)};
}

}  // namespace sluice::trial
