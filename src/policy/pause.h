// A time until which nobody calls, longer each time it has to be set before anything worked. SPDX-License-Identifier:
// MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace sluice {

struct Pause {
  std::int64_t since_ms = INT64_MIN;
  std::int64_t until_ms = INT64_MIN;
  int step = 0;  // times in a row; whoever saw something work sets it to 0

  // Whether what began then can know of the pause: nothing begins while it lasts.
  [[nodiscard]] bool is_news(std::int64_t began_ms) const { return began_ms > since_ms; }

  // `first`, doubled at each step up to `most`, times `factor`, at least `floor`.
  void grow(std::int64_t now_ms, std::chrono::milliseconds first, std::chrono::milliseconds most, double factor,
            std::optional<std::chrono::milliseconds> floor = {}) {
    const double doubled = static_cast<double>(first.count()) * static_cast<double>(1LL << std::min(step, 30));
    const double wait = std::min(doubled, static_cast<double>(most.count())) * factor;
    ++step;
    since_ms = now_ms;
    hold(now_ms + std::max({static_cast<std::int64_t>(wait), floor ? floor->count() : 0, std::int64_t{1}}));
  }
  void hold(std::int64_t until) { until_ms = std::max(until_ms, until); }
};

}  // namespace sluice
