// Two attempts at once: when the first is slow to begin, a second target starts, and the first token wins. The other
// is dropped, which cancels it at its vendor. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "base/task.h"
#include "gateway/attempt.h"

namespace sluice {

// Whom to ask besides.
class Second {
 public:
  struct Runner {
    const Target* target;
    std::size_t place;  // in the plan
    Permit permit;
  };
  virtual ~Second() = default;
  // Asked once, when the first is late; nullopt when nobody is to be asked.
  [[nodiscard]] virtual std::optional<Runner> take(std::int64_t now_ms) = 0;
  // One of the two failed; the other, if there is one, runs on.
  virtual void failed(std::size_t place, const Error& error) = 0;
  // One of them was dropped.
  virtual void given_up(std::size_t place) = 0;
  // While the other runs on: true when this one's end is no answer yet, and was taken for the case that nobody does
  // better.
  [[nodiscard]] virtual bool sets_aside(Result<Answer>& answer) = 0;
};

// Asks `first`, and a second target once `late_ms` (the loop's time) has come without an answer that has begun well.
// Errors: as those of an attempt; all but client_gone were told to `second`. One that no other target would cure ends
// it.
[[nodiscard]] Task<Result<Answer>> race(const Try& t, const Target& first, std::size_t place, Permit permit,
                                        std::int64_t late_ms, Second& second);

}  // namespace sluice
