// Counters that one thread writes and any thread may read: no lock, no read-modify-write on the bus.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sluice {

class Count {
 public:
  // Only by the thread that owns it.
  void add(std::uint64_t more = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// Whole numbers sorted into buckets; `Bounds` are inclusive upper ends, ascending, in the unit of the values.
template <const auto& Bounds>
class Histogram {
 public:
  static constexpr std::size_t size = Bounds.size();

  void add(std::int64_t value) {
    const std::uint64_t positive = value > 0 ? static_cast<std::uint64_t>(value) : 0;
    std::size_t i = 0;
    while (i < size && positive > Bounds[i]) ++i;
    counts_[i].add();
    sum_.add(positive);
  }
  // Not cumulative; the last one counts what is above every bound.
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const { return counts_[i].get(); }
  [[nodiscard]] std::uint64_t sum() const { return sum_.get(); }

 private:
  std::array<Count, size + 1> counts_;
  Count sum_;
};

}  // namespace sluice
