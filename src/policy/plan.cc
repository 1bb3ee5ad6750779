// SPDX-License-Identifier: MIT
#include "policy/plan.h"

#include <algorithm>
#include <span>

namespace sluice {
namespace {

// splitmix64
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t x = state += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t below(std::uint64_t most, std::uint64_t& state) {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next(state)) * most) >> 64);
}

void by_weight(std::span<Target> accounts, std::uint64_t& state) {
  std::uint64_t sum = 0;
  for (const Target& one : accounts) sum += static_cast<std::uint64_t>(one.backend->weight);
  for (std::size_t place = 0; place + 1 < accounts.size(); ++place) {
    std::uint64_t drawn = below(sum, state);
    std::size_t at = place;
    while (drawn >= static_cast<std::uint64_t>(accounts[at].backend->weight))
      drawn -= static_cast<std::uint64_t>(accounts[at++].backend->weight);
    sum -= static_cast<std::uint64_t>(accounts[at].backend->weight);
    std::swap(accounts[place], accounts[at]);
  }
}

}  // namespace

void spread_accounts(std::vector<Target>& targets, std::uint64_t seed) {
  for (std::size_t from = 0; from < targets.size();) {
    std::size_t to = from + 1;
    while (to < targets.size() && targets[to].backend->group == targets[from].backend->group) ++to;
    if (to - from > 1) by_weight(std::span(targets).subspan(from, to - from), seed);
    from = to;
  }
}

}  // namespace sluice
