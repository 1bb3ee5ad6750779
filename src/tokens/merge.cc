// SPDX-License-Identifier: MIT
#include "tokens/merge.h"

#include <algorithm>
#include <tuple>

namespace sluice {
namespace {

// Up to here looking at all pairs for each merge is quicker than a heap.
constexpr std::size_t few = 40;
constexpr std::uint32_t nowhere = ~0U;

}  // namespace

const std::vector<Token>& Merge::tokens(std::string_view piece) {
  start(piece);
  tokens_.size() <= few ? merge_few() : merge_many();
  return tokens_;
}

void Merge::start(std::string_view piece) {
  tokens_.clear();
  for (const char c : piece) tokens_.push_back(vocabulary_.bytes[static_cast<unsigned char>(c)]);
  merged_.assign(tokens_.size(), no_token);
  for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) merged_[i] = vocabulary_.merged(tokens_[i], tokens_[i + 1]);
}

void Merge::merge_few() {
  std::size_t size = tokens_.size();
  while (size > 1) {
    // The last one's is no_token, the highest there is.
    const auto lowest = std::min_element(merged_.begin(), merged_.begin() + static_cast<std::ptrdiff_t>(size));
    if (*lowest == no_token) break;
    const auto at = static_cast<std::size_t>(lowest - merged_.begin());
    tokens_[at] = *lowest;
    --size;
    for (std::size_t i = at + 1; i < size; ++i) {
      tokens_[i] = tokens_[i + 1];
      merged_[i] = merged_[i + 1];
    }
    merged_[at] = at + 1 < size ? vocabulary_.merged(tokens_[at], tokens_[at + 1]) : no_token;
    if (at > 0) merged_[at - 1] = vocabulary_.merged(tokens_[at - 1], tokens_[at]);
  }
  tokens_.resize(size);
}

void Merge::merge_many() {
  const auto later = [](const Due& a, const Due& b) { return std::tie(a.merged, a.left) > std::tie(b.merged, b.left); };
  const auto size = static_cast<std::uint32_t>(tokens_.size());
  before_.resize(size);
  after_.resize(size);
  due_.clear();
  for (std::uint32_t i = 0; i < size; ++i) {
    before_[i] = i == 0 ? nowhere : i - 1;
    after_[i] = i + 1 == size ? nowhere : i + 1;
    if (merged_[i] != no_token) due_.push_back({merged_[i], i});
  }
  std::ranges::make_heap(due_, later);
  const auto meet = [&](std::uint32_t left) {
    merged_[left] = after_[left] == nowhere ? no_token : vocabulary_.merged(tokens_[left], tokens_[after_[left]]);
    if (merged_[left] == no_token) return;
    due_.push_back({merged_[left], left});
    std::ranges::push_heap(due_, later);
  };
  while (!due_.empty()) {
    std::ranges::pop_heap(due_, later);
    const Due next = due_.back();
    due_.pop_back();
    if (merged_[next.left] != next.merged) continue;  // one of both has become another since
    const std::uint32_t gone = after_[next.left];
    tokens_[next.left] = next.merged;
    merged_[gone] = no_token;
    tokens_[gone] = no_token;
    after_[next.left] = after_[gone];
    if (after_[gone] != nowhere) before_[after_[gone]] = next.left;
    meet(next.left);
    if (before_[next.left] != nowhere) meet(before_[next.left]);
  }
  std::erase(tokens_, no_token);
}

}  // namespace sluice
