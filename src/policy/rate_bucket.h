// A bucket that refills evenly over its window, as one number: the time at which it is full again (GCRA), so that
// taking is one addition. SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace sluice {

// Times are nanoseconds of a clock that nobody sets. `full_at` is the whole state; one in the past is a full bucket.
struct RateBucket {
  static constexpr std::int64_t full = INT64_MIN / 4;

  std::int64_t most;  // it holds so many, at least 1
  std::int64_t window_ns;

  // What refilling so many takes.
  [[nodiscard]] std::int64_t time_of(std::int64_t amount) const {
    const std::int64_t time = share(amount, window_ns, most);
    return time == 0 && amount > 0 ? 1 : time;
  }
  // When it is full again after taking `amount`; nullopt: there is not so much in it now. More than `most` never is.
  [[nodiscard]] std::optional<std::int64_t> take(std::int64_t full_at, std::int64_t amount, std::int64_t now) const {
    const std::int64_t next = std::max(full_at, now) + time_of(amount);
    if (next - now > window_ns) return std::nullopt;
    return next;
  }
  // Until take() would succeed.
  [[nodiscard]] std::int64_t wait_ns(std::int64_t full_at, std::int64_t amount, std::int64_t now) const {
    return std::max<std::int64_t>(full_at + time_of(amount) - window_ns - now, 0);
  }
  // After the fact: takes what was used beyond what had been taken, or puts back what was not. It may owe then.
  [[nodiscard]] std::int64_t correct(std::int64_t full_at, std::int64_t more, std::int64_t now) const {
    return more > 0 ? std::max(full_at, now) + time_of(more) : full_at + time_of(more);
  }
  [[nodiscard]] std::int64_t left(std::int64_t full_at, std::int64_t now) const {
    const std::int64_t owed_ns = std::max<std::int64_t>(full_at - now, 0);
    const std::int64_t used = share(owed_ns, most, window_ns, window_ns - 1);
    return std::max<std::int64_t>(most - used, 0);
  }

 private:
  // (a * b + round) / c, far off at most. A division of 128 bits costs ten times one of 64.
  static std::int64_t share(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t round = 0) {
    std::int64_t product = 0;
    if (!__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(product, round, &product))
      return product / c;
    __extension__ using Wide = __int128;
    constexpr Wide far = INT64_MAX / 8;
    return static_cast<std::int64_t>(std::clamp((Wide(a) * b + round) / c, -far, far));
  }
};

}  // namespace sluice
