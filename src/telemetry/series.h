// One row of counters per combination of labels, as the metrics' shards hold it. Private to metrics*.cc.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/record.h"
#include "telemetry/histogram.h"
#include "telemetry/token_buckets.h"

namespace sluice {

namespace bounds {
// Microseconds.
inline constexpr std::array<std::uint64_t, 16> request = {
    5'000,     10'000,    25'000,     50'000,     100'000,    250'000,     500'000,     1'000'000,
    2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000, 120'000'000, 300'000'000, 600'000'000};
inline constexpr std::array<std::uint64_t, 12> first_token = {10'000,    20'000,     50'000,     100'000,
                                                              200'000,   500'000,    1'000'000,  2'000'000,
                                                              5'000'000, 10'000'000, 30'000'000, 60'000'000};
inline constexpr std::array<std::uint64_t, 10> own = {10, 25, 50, 100, 250, 500, 1'000, 2'500, 10'000, 50'000};
// The OpenTelemetry GenAI conventions': 0.01 s doubled up to 81.92 s, and tokens by powers of four.
inline constexpr auto operation = [] {
  std::array<std::uint64_t, 14> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = std::uint64_t{10'000} << i;
  return all;
}();
inline constexpr auto tokens = [] {
  std::array<std::uint64_t, 14> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = std::uint64_t{1} << (2 * i);
  return all;
}();
}  // namespace bounds

// The labels. `Text` is string_view for looking up, string for keeping.
template <class Text>
struct SeriesKey {
  Text door, dialect, backend, model;
  std::uint8_t status_class = 0;  // 2 for 2xx …; 0 for anything that is no status
  bool stream = false;
  std::uint8_t fault = fault_count;  // fault_count = none
};
template <class A, class B>
bool operator==(const SeriesKey<A>& a, const SeriesKey<B>& b) {
  return a.status_class == b.status_class && a.stream == b.stream && a.fault == b.fault && a.model == b.model &&
         a.backend == b.backend && a.door == b.door && a.dialect == b.dialect;
}

// Attempts against one backend by how they ended; the last one counts those without a fault.
using Outcomes = std::array<Count, fault_count + 1>;

struct Series {
  Count requests;
  Histogram<bounds::request> request_us;
  Histogram<bounds::first_token> first_token_us;
  Histogram<bounds::own> own_us;
  Histogram<bounds::operation> operation_us;    // the last attempt
  Histogram<bounds::operation> first_chunk_us;  // of the last attempt, streams only
  Histogram<bounds::tokens> input_tokens, output_tokens;
  std::array<Count, token_buckets.size()> tokens;
  std::array<Count, media_buckets.size()> media;
  std::array<Count, unit_buckets.size()> units;
  Outcomes* last_backend = nullptr;  // attempts of the key's backend, so that the common case needs no search
};

}  // namespace sluice
