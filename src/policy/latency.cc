// SPDX-License-Identifier: MIT
#include "policy/latency.h"

#include <algorithm>
#include <bit>

namespace sluice {
namespace {

constexpr double half_ms = 10'000;
constexpr std::int64_t halving_ms = 60'000;
constexpr double halved_from = 100;
constexpr std::int64_t longest_ms = (1 << 20) - 1;

// What is left of a peak. A quotient, because every request asks and an exponential costs three times as much.
double kept(std::int64_t ms) {
  return half_ms / (half_ms + static_cast<double>(std::max<std::int64_t>(ms, 0)));
}

}  // namespace

int Latency::bucket(std::int64_t ms) {
  const auto value = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 0, longest_ms));
  if (value < 16) return static_cast<int>(value);
  const int doubling = std::bit_width(value) - 1;  // 4 to 19
  return 16 + (doubling - 4) * 8 + static_cast<int>((value >> (doubling - 3)) & 7);
}

double Latency::middle(int bucket) {
  if (bucket < 16) return bucket;
  const int doubling = 4 + (bucket - 16) / 8;
  const double width = static_cast<double>(1 << (doubling - 3));
  return (8 + (bucket - 16) % 8) * width + (width - 1) / 2;
}

void Latency::add(std::int64_t sample_ms, std::int64_t now_ms) {
  const auto sample = static_cast<double>(std::max<std::int64_t>(sample_ms, 0));
  if (samples_ == 0 || sample >= peak_) {
    peak_ = sample;
  } else {
    // The longer since the last sample, the more the new one counts.
    const double old = kept(now_ms - peak_at_);
    peak_ = peak_ * old + sample * (1 - old);
  }
  peak_at_ = std::max(peak_at_, now_ms);
  if (samples_++ == 0) halved_at_ = now_ms;

  if (now_ms - halved_at_ >= halving_ms) {
    halved_at_ = now_ms;
    if (weight_ >= halved_from) {
      for (float& count : counts_) count *= 0.5f;
      weight_ *= 0.5;
    }
  }
  counts_[static_cast<std::size_t>(bucket(sample_ms))] += 1;
  weight_ += 1;
}

std::optional<double> Latency::mean_ms(std::int64_t now_ms) const {
  if (samples_ == 0) return std::nullopt;
  return peak_ * kept(now_ms - peak_at_);
}

std::optional<double> Latency::percentile_ms(double share) const {
  if (samples_ < known_after) return std::nullopt;
  // From above, where the high percentiles are.
  double above = weight_ * (1 - share);
  for (int i = buckets - 1; i > 0; --i) {
    above -= static_cast<double>(counts_[static_cast<std::size_t>(i)]);
    if (above < 0) return middle(i);
  }
  return middle(0);
}

}  // namespace sluice
