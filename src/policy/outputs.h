// How long answers were of late, by who asked and which model answered: how much of a limit a request will likely need.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "policy/lock.h"

namespace sluice {

// Bounded: a fixed number of places. Two that fall on the same place take turns in forgetting each other.
// Safe from any thread.
class Outputs {
 public:
  static constexpr int known_after = 8;  // answers

  void add(std::uint64_t who, std::string_view model, std::int64_t tokens);
  // As many as 95 of 100 recent answers did not exceed, at most a quarter too high; nullopt: too few were seen.
  [[nodiscard]] std::optional<std::int64_t> p95(std::uint64_t who, std::string_view model) const;

 private:
  static constexpr std::size_t places = 4096;
  static constexpr int steps = 4;             // to a doubling
  static constexpr int buckets = 20 * steps;  // a million tokens and more are the last
  struct Place {
    std::uint64_t of = 0;
    std::int64_t p95 = 0;  // made anew at every few answers
    std::uint16_t weight = 0;
    std::array<std::uint8_t, buckets> counts{};
    mutable Lock lock;
  };
  static std::int64_t percentile(const Place& place);
  static int bucket(std::int64_t tokens);
  static std::int64_t upper(int bucket);
  static std::uint64_t hash(std::uint64_t who, std::string_view model);
  std::unique_ptr<std::array<Place, places>> places_ = std::make_unique<std::array<Place, places>>();
};

}  // namespace sluice
