// SPDX-License-Identifier: MIT
#include "policy/window.h"

#include <algorithm>

namespace sluice {
namespace {

// Of shorter questions nobody is asked: they fit, or the vendor says that they do not.
constexpr std::size_t long_bytes = 64UL * 1024;
// How far an estimate may be above what the vendor counts.
constexpr std::int64_t estimate_error = 2;

}  // namespace

bool too_long(const Error& error) {
  return error.fault == Fault::upstream_rejected && error.code == "context_length_exceeded";
}

std::optional<std::int64_t> window(const Target& target) {
  const auto row = target.backend->row(target.model);
  return row ? row->window : std::nullopt;
}

bool may_hold_more(const Target& other, const Target& than) {
  const auto mine = window(than), others = window(other);
  if (mine && others) return *others > *mine;
  return other.model != than.model;
}

bool may_be_too_long(const std::vector<Target>& targets, std::size_t bytes) {
  if (targets.size() < 2 || bytes < long_bytes) return false;
  return std::ranges::any_of(targets, [bytes](const Target& target) {
    const auto most = window(target);
    return most && static_cast<std::size_t>(*most) < bytes;
  });
}

void leave_out_small(std::vector<Target>& targets, std::int64_t tokens) {
  const auto small = [tokens](const Target& target) {
    const auto most = window(target);
    return most && *most < tokens / estimate_error;
  };
  if (!std::ranges::all_of(targets, small)) std::erase_if(targets, small);
}

}  // namespace sluice
