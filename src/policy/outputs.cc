// SPDX-License-Identifier: MIT
#include "policy/outputs.h"

#include <algorithm>
#include <bit>
#include <mutex>

#include "policy/balance.h"
#include "policy/dice.h"

namespace sluice {
namespace {

constexpr std::uint16_t halved_from = 200;

}  // namespace

// Four to a doubling: 0 to 7 one each, then 8, 10, 12, 14, 16, 20 …
int Outputs::bucket(std::int64_t tokens) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(tokens, 0));
  if (value < 2 * steps) return static_cast<int>(value);
  const int doubling = std::bit_width(value) - 1;  // from 3
  const int index = 2 * steps + (doubling - 3) * steps + static_cast<int>((value >> (doubling - 2)) & 3);
  return std::min(index, buckets - 1);
}

std::int64_t Outputs::upper(int bucket) {
  if (bucket < 2 * steps) return bucket;
  const int doubling = 3 + (bucket - 2 * steps) / steps;
  const std::int64_t width = std::int64_t{1} << (doubling - 2);
  return (steps + (bucket - 2 * steps) % steps + 1) * width - 1;
}

std::uint64_t Outputs::hash(std::uint64_t who, std::string_view model) {
  return std::max<std::uint64_t>(Dice::mix(who ^ stable_hash(model)), 1);
}

void Outputs::add(std::uint64_t who, std::string_view model, std::int64_t tokens) {
  const std::uint64_t of = hash(who, model);
  Place& place = (*places_)[of % places];
  const std::scoped_lock guard(place.lock);
  if (place.of != of) {
    place.of = of;
    place.weight = 0;
    place.counts.fill(0);
  }
  if (place.weight >= halved_from) {
    place.weight = 0;
    for (std::uint8_t& count : place.counts) {
      count /= 2;
      place.weight += count;
    }
  }
  ++place.counts[static_cast<std::size_t>(bucket(tokens))];
  if (++place.weight % known_after == 0) place.p95 = percentile(place);
}

std::int64_t Outputs::percentile(const Place& place) {
  int above = place.weight / 20;  // a twentieth may be longer
  for (int i = buckets - 1; i > 0; --i) {
    above -= place.counts[static_cast<std::size_t>(i)];
    if (above < 0) return upper(i);
  }
  return 0;
}

std::optional<std::int64_t> Outputs::p95(std::uint64_t who, std::string_view model) const {
  const std::uint64_t of = hash(who, model);
  const Place& place = (*places_)[of % places];
  const std::scoped_lock guard(place.lock);
  if (place.of != of || place.weight < known_after) return std::nullopt;
  return place.p95;
}

}  // namespace sluice
