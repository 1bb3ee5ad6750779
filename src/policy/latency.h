// How long a target takes to its first token: a mean that rises at once and falls with time, and high percentiles.
// Not safe from several threads; its owner locks (health.h). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace sluice {

// Percentiles come from a histogram whose buckets are as wide as a 16th to an 8th of their value: what is told is the
// middle of a bucket, so it is at most 1/16 off (exact below 16 ms; longer than 17 minutes counts as 17). Old samples
// fade: every minute all counts are halved as long as a hundred weigh in. They are told from 20 samples on.
class Latency {
 public:
  static constexpr int known_after = 20;

  void add(std::int64_t sample_ms, std::int64_t now_ms);

  // Peak-EWMA: at least the latest sample; without samples it falls to a half in 10 s, a third in 20, so that what was
  // slow is tried again. Nothing before the first sample.
  [[nodiscard]] std::optional<double> mean_ms(std::int64_t now_ms) const;
  [[nodiscard]] std::optional<double> percentile_ms(double share) const;
  [[nodiscard]] std::uint64_t samples() const { return samples_; }

 private:
  static constexpr int buckets = 16 + 16 * 8;  // one each below 16 ms, then eight to a doubling
  static int bucket(std::int64_t ms);
  static double middle(int bucket);

  double peak_ = 0;
  std::int64_t peak_at_ = 0;
  std::uint64_t samples_ = 0;
  double weight_ = 0;  // sum of counts_
  std::int64_t halved_at_ = 0;
  std::array<float, buckets> counts_{};
};

}  // namespace sluice
