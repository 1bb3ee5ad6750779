// What we carry without understanding it: unknown members of known objects.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "model/dialect_id.h"

namespace sluice {

struct Extra {
  std::string key;
  std::string raw;  // JSON text exactly as it came
  bool operator==(const Extra&) const = default;
};

// Unknown members of one object in their order. Written back to the dialect they came from; a Note elsewhere.
struct Extras {
  DialectId origin = DialectId::openai_chat;
  std::vector<Extra> members;

  [[nodiscard]] bool empty() const { return members.empty(); }
  void add(DialectId from, std::string_view key, std::string_view raw) {
    origin = from;
    members.push_back({std::string(key), std::string(raw)});
  }
  bool operator==(const Extras&) const = default;
};

}  // namespace sluice
