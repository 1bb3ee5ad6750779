// A small random source that is handed in wherever a decision needs chance, so that a test or a simulation repeats
// itself exactly on every machine. Not for secrets. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace sluice {

// splitmix64: any seed will do. One per worker or per request; not shared between threads.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15); }
  // From 0 up to but not 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * unit(); }
  // From 0 to n-1; n is not 0.
  std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }

  // Spreads every bit of `x` over all bits of the result, one to one.
  [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace sluice
