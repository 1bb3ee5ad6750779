// Every way gives each candidate a number, and the lowest goes first. SPDX-License-Identifier: MIT
#include "policy/balance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace sluice {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
// Of a target whose vendor says nothing about quotas, among those whose do.
constexpr double unknown_headroom = 0.5;

enum Tier : std::uint8_t { callable, spent, full, not_ready };

struct Place {
  std::uint32_t index;
  Tier tier;
  double rank;
  double second;
  std::uint64_t lot;
};

// Few as they are, they need no memory of their own.
class Places {
 public:
  explicit Places(std::size_t most) {
    if (most > few_.size()) many_.resize(most);
    at_ = most > few_.size() ? many_.data() : few_.data();
  }
  void add(const Place& place) { at_[size_++] = place; }
  Place& last() { return at_[size_ - 1]; }
  std::span<Place> all() { return {at_, size_}; }

 private:
  std::array<Place, 8> few_;
  std::vector<Place> many_;
  Place* at_;
  std::size_t size_ = 0;
};

Tier tier(const Candidate& one) {
  if (!one.view.ready) return not_ready;
  if (one.full) return full;
  return is_spent(one.view) ? spent : callable;
}

double weight(const Candidate& one) {
  return one.weight * one.view.warmth;
}

double busy(const Candidate& one) {
  return static_cast<double>(one.view.in_flight + 1);
}

double per_weight(double cost, const Candidate& one) {
  return one.weight > 0 ? cost / weight(one) : never;
}

// Exponentially distributed, the heavier the sooner: sorting by it draws by weight without replacement. And with the
// name's hash in place of chance it is rendezvous hashing.
double race(std::uint64_t bits, double weight) {
  const double unit = (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
  return weight > 0 ? -std::log(unit) / weight : never;
}

// The longest time to a first token among them: what an untried target that has a call is taken for until it answers.
double slowest(std::span<const Candidate> all) {
  double out = 1;
  for (const Candidate& one : all) out = std::max(out, one.view.mean_ms.value_or(0));
  return out;
}

double expected_wait(const Candidate& one, double slowest_ms) {
  // One call at a time finds out about the untried.
  if (!one.view.mean_ms) return per_weight(one.view.in_flight == 0 ? 0 : slowest_ms * busy(one), one);
  return per_weight(*one.view.mean_ms * busy(one), one);
}

double golden(std::uint64_t turn) {
  return static_cast<double>((turn * 0x9e3779b97f4a7c15) >> 11) * 0x1p-53;
}

// Puts first the one at which a point on their weights laid end to end falls. Points that
// follow each other by the golden ratio fill the line evenly, so shares hold over any few calls, not only in the long
// run.
void draw_first(std::span<Place> callables, std::span<const Candidate> all, std::uint64_t turn) {
  double sum = 0;
  for (const Place& one : callables) sum += weight(all[one.index]);
  double point = golden(turn) * sum;
  for (Place& one : callables) {
    point -= weight(all[one.index]);
    if (point >= 0) continue;
    one.rank = -1;
    return;
  }
}

// The better of two at random goes first: whoever looks best to everyone is not run over.
void best_of_two(std::span<Place> callables, Dice& dice) {
  if (callables.size() < 3) return;  // both are looked at anyway
  const std::size_t first = dice.below(callables.size());
  const std::size_t other = dice.below(callables.size() - 1);
  Place& a = callables[first];
  Place& b = callables[other >= first ? other + 1 : other];
  (a.rank < b.rank || (a.rank == b.rank && a.lot < b.lot) ? a : b).rank = -1;
}

std::vector<std::uint32_t> sorted(std::span<Place> places) {
  std::ranges::sort(places, [](const Place& a, const Place& b) {
    if (a.tier != b.tier) return a.tier < b.tier;
    if (a.rank != b.rank) return a.rank < b.rank;
    if (a.second != b.second) return a.second < b.second;
    return a.lot < b.lot;
  });
  std::vector<std::uint32_t> out;
  out.reserve(places.size());
  for (const Place& one : places) out.push_back(one.index);
  return out;
}

}  // namespace

std::vector<std::uint32_t> balance(Balance kind, std::span<const Candidate> all, std::uint64_t turn, Dice& dice) {
  if (all.size() == 1) return {0};
  Places places(all.size());
  const double slowest_ms = kind == Balance::latency || kind == Balance::cheapest ? slowest(all) : 0;
  std::uint64_t callables = 0;
  for (const Candidate& one : all) callables += tier(one) == callable && one.weight > 0 ? 1 : 0;
  std::uint64_t seat = 0;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const Candidate& one = all[i];
    Place place{.index = i, .tier = tier(one), .rank = 0, .second = 0, .lot = dice.next()};
    switch (kind) {
      case Balance::weighted:
        // Of two, the one that is not drawn is all the rest.
        place.rank = one.weight > 0 && all.size() <= 2 ? 0 : race(place.lot, weight(one));
        break;
      case Balance::round_robin:
        place.rank = never;
        if (place.tier == callable && one.weight > 0)
          place.rank = static_cast<double>((seat++ + callables - turn % callables) % callables);
        break;
      case Balance::least_busy: place.rank = per_weight(busy(one), one); break;
      case Balance::latency: place.rank = expected_wait(one, slowest_ms); break;
      case Balance::cheapest:
        place.rank = one.weight > 0 ? one.price.value_or(std::numeric_limits<double>::max()) : never;
        place.second = expected_wait(one, slowest_ms);
        break;
      case Balance::quota:
        place.rank = one.weight > 0 ? -one.view.headroom.value_or(unknown_headroom) * weight(one) / busy(one) : never;
        break;
    }
    if (place.tier == not_ready) place.rank = static_cast<double>(one.view.ready_at_ms);
    places.add(place);
  }
  if (kind == Balance::weighted || kind == Balance::latency) {
    const auto rest = std::ranges::partition(
        places.all(), [&](const Place& place) { return place.tier == callable && all[place.index].weight > 0; });
    const std::span drawn(places.all().begin(), rest.begin());
    if (kind == Balance::weighted) draw_first(drawn, all, turn);
    if (kind == Balance::latency) best_of_two(drawn, dice);
  }
  return sorted(places.all());
}

bool falls_in(double share, std::uint64_t turn) {
  return golden(turn) < share;
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t out = 0xcbf29ce484222325;  // FNV-1a, and then every bit over all
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Dice::mix(out);
}

std::vector<std::uint32_t> stable_order(std::uint64_t key, std::span<const Candidate> all) {
  Places places(all.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const Candidate& one = all[i];
    const std::uint64_t lot = Dice::mix(key ^ stable_hash(one.name));
    places.add({.index = i, .tier = tier(one), .rank = race(lot, one.weight), .second = 0, .lot = lot});
    if (places.last().tier == not_ready) places.last().rank = static_cast<double>(one.view.ready_at_ms);
  }
  return sorted(places.all());
}

std::size_t stable_choice(std::uint64_t key, std::span<const Share> shares) {
  std::size_t out = 0;
  double best = never;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double mine = race(Dice::mix(key ^ stable_hash(shares[i].name)), shares[i].weight);
    if (mine < best) best = mine, out = i;
  }
  return out;
}

}  // namespace sluice
