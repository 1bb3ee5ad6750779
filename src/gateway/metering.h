// What the caller's key and its groups are asked before an exchange makes calls, and told when it is over. Without a
// key that is limited all of it is one branch. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "policy/meters.h"

namespace sluice {

struct Exchange;

class Metering {
 public:
  // What is known of a request before it is read.
  struct Ask {
    std::string_view body;                     // as far as it is held
    std::span<const json::TopMember> members;  // of it
    bool counts = false;                       // it only asks for a number of tokens
  };
  // Errors: as Meters::admit().
  [[nodiscard]] static Result<void> admit(Exchange& ex, const Ask& ask);
  // It is over, and its record says what it used.
  void settle(const Exchange& ex);

 private:
  Grant grant_;
  Claim claim_;
};

// Tokens of output that the request allows at most, in whatever dialect; nullopt: it does not say.
[[nodiscard]] std::optional<std::int64_t> most_output(std::span<const json::TopMember> members);

}  // namespace sluice
