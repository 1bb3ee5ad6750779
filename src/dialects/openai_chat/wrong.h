// What is said to a client whose request is malformed, in the words that this vendor uses. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace sluice::openai_chat {

// `param` as the vendor writes places: "messages[0].content".
[[nodiscard]] std::unexpected<Failure> wrong_type(std::string_view param, std::string_view expected, json::Kind got);
[[nodiscard]] std::unexpected<Failure> missing(std::string_view param);
[[nodiscard]] std::unexpected<Failure> twice(std::string_view param);
[[nodiscard]] std::unexpected<Failure> invalid(std::string_view param, std::string message);

[[nodiscard]] inline json::Kind kind_of(json::Value value) {
  for (const json::Kind kind : {json::Kind::null, json::Kind::boolean, json::Kind::number, json::Kind::string,
                                json::Kind::array, json::Kind::object}) {
    if (value.is(kind)) return kind;
  }
  return json::Kind::null;
}

}  // namespace sluice::openai_chat
