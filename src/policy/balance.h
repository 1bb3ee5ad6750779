// In which order the targets of one request are tried. Each way of balancing orders all of them: the first is tried
// first, the rest is the order in which others step in. Not here: what is known about a target (health.h), how often a
// request is repeated (retry.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "policy/dice.h"
#include "policy/health.h"

namespace sluice {

enum class Balance : std::uint8_t { weighted, round_robin, least_busy, latency, cheapest, quota };

struct Candidate {
  std::string_view name;  // of the account; only stable_order() looks at it
  View view;
  double weight = 1;            // 0 = only when nothing else is left
  std::optional<double> price;  // per million tokens, in any currency that all candidates share
  bool full = false;            // its account is at its cap
};

// Indices of all candidates, best first. Behind those that may be called come those of whose quota the vendor says that
// nothing is left, then those that are at their cap, and then those that may not be called, the soonest ready first.
// `turn` counts the calls to it, over all workers: what smooths the weighted way and makes round robin go round. What
// is half-open and may be tried counts as healthy: a request is its probe.
[[nodiscard]] std::vector<std::uint32_t> balance(Balance kind, std::span<const Candidate> candidates,
                                                 std::uint64_t turn, Dice& dice);

// The same, by a key (a conversation's beginning, a caller's header): one key has one order, in every process. Another
// account that comes or goes moves only the keys that are its share.
[[nodiscard]] std::vector<std::uint32_t> stable_order(std::uint64_t key, std::span<const Candidate> candidates);

// The index that a key always chooses, whatever is healthy: for splits that an experiment is made of. `shares` is not
// empty; a share of 0 or less is never chosen unless all are.
struct Share {
  std::string_view name;
  double weight = 1;
};
[[nodiscard]] std::size_t stable_choice(std::uint64_t key, std::span<const Share> shares);

// Whether that turn is one of a share of all: evenly over any few of them.
[[nodiscard]] bool falls_in(double share, std::uint64_t turn);

// A hash that is the same in every process and version.
[[nodiscard]] std::uint64_t stable_hash(std::string_view text);

}  // namespace sluice
