// Proto JSON's member names: every field may be written in camelCase or snake_case, and a null is an absent field.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace sluice::gemini {

// True if `key` spells the field `camel` ("mimeType": also "mime_type"). No allocation.
[[nodiscard]] bool is_name(std::string_view key, std::string_view camel);
// The member of that field, whichever way it is spelled; absent when it is missing or null.
[[nodiscard]] json::Value field(json::Value object, std::string_view camel);
// "mime_type" -> "mimeType"; what has no underscore inside comes back unchanged.
[[nodiscard]] std::string to_camel(std::string_view key);

// Adds `key: raw` to the text of an object that is still open: "" -> {"key":raw , then ,"key":raw . close() ends it.
// For the unknown members of an object inside a known one.
class Leftovers {
 public:
  void add(std::string_view key, std::string_view raw);
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] std::string take();

 private:
  std::string text_;
};

}  // namespace sluice::gemini
