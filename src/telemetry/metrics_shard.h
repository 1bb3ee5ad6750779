// What one thread has counted. Private to metrics*.cc. SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "telemetry/metrics.h"
#include "telemetry/series.h"

namespace sluice {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct SeriesHash {
  using is_transparent = void;
  template <class Text>
  std::size_t operator()(const SeriesKey<Text>& key) const {
    std::size_t sum = key.status_class * 64U + key.stream * 32U + key.fault;
    for (const std::string_view part : {std::string_view(key.door), std::string_view(key.dialect),
                                        std::string_view(key.backend), std::string_view(key.model)})
      sum = sum * 31 + TextHash{}(part);
    return sum;
  }
};

// Only its thread adds to it, and only under the lock, so that the thread itself may search without; a scrape reads
// under the lock.
struct Metrics::Shard {
  static constexpr std::size_t most_series = 4096;
  using Key = SeriesKey<std::string>;

  explicit Shard(std::thread::id owner) : thread(owner) {}

  const std::thread::id thread;
  std::mutex lock;
  std::unordered_map<Key, Series, SeriesHash, std::equal_to<>> series;
  std::unordered_map<std::string, Outcomes, TextHash, std::equal_to<>> attempts;  // by backend
  Histogram<bounds::first_token> queue_us;                                        // of those that waited
  std::array<Count, 3> notes;                                                     // by NoteKind
  std::unordered_set<std::string, TextHash, std::equal_to<>> models;  // labels of their own; the thread's only
  std::pair<const Key, Series>* last = nullptr;                       // what was found the last time

  Series& find(const SeriesKey<std::string_view>& key) {
    if (last && last->first == key) return last->second;
    auto at = series.find(key);
    if (at == series.end()) {
      Key own{std::string(key.door),
              std::string(key.dialect),
              std::string(key.backend),
              std::string(key.model),
              key.status_class,
              key.stream,
              key.fault};
      if (series.size() >= most_series) own.model = "other";
      const std::lock_guard guard(lock);
      at = series.try_emplace(std::move(own)).first;
    }
    last = &*at;
    return at->second;
  }

  Outcomes& outcomes(std::string_view backend) {
    if (const auto at = attempts.find(backend); at != attempts.end()) return at->second;
    const std::lock_guard guard(lock);
    return attempts.try_emplace(std::string(backend)).first->second;
  }
};

}  // namespace sluice
