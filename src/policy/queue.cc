// SPDX-License-Identifier: MIT
#include "policy/queue.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace sluice {
namespace {

// How much the latest run counts in the mean.
constexpr double newest = 0.1;

}  // namespace

std::int64_t Queue::estimate(std::size_t ahead, const QueueSettings& settings) const {
  if (settings.most_running == 0) return 0;
  // Endings come one by one, `most_running` of them in the time that one takes.
  return std::llround(mean_ms_ * static_cast<double>(ahead + 1) / static_cast<double>(settings.most_running));
}

Queue::Answer Queue::enter(std::string_view name, Waiter waiter, std::int64_t now_ms, std::int64_t deadline_ms,
                           const QueueSettings& settings) {
  using Verdict = Answer::Verdict;
  const std::scoped_lock lock(lock_);
  if (by_waiter_.empty() && has_room(settings)) {
    ++running_;
    return {};
  }
  const auto known = by_name_.find(name);
  // In each round until its turn every other caller goes once at most.
  const std::size_t own = known == by_name_.end() ? 0 : known->second->places.size();
  const std::size_t others = callers_.size() - (own > 0 ? 1 : 0);
  const std::size_t ahead = std::min(by_waiter_.size(), own + (own + 1) * others);
  const std::int64_t wait_ms = estimate(ahead, settings);
  const bool is_full = by_waiter_.size() >= settings.most_waiting;
  if (is_full && own >= settings.most_waiting / (others + 1))
    return {.verdict = Verdict::full, .wait_ms = wait_ms, .pushed_out = {}};
  if (wait_ms >= deadline_ms - now_ms) return {.verdict = Verdict::too_late, .wait_ms = wait_ms, .pushed_out = {}};

  Answer out{.verdict = Verdict::wait, .wait_ms = wait_ms, .pushed_out = {}};
  if (is_full) out.pushed_out = push_out();
  Callers::iterator caller;
  if (own > 0) {
    caller = known->second;
  } else {
    caller = callers_.insert(callers_.end(), Caller{.name = std::string(name), .places = {}});
    by_name_.emplace(caller->name, caller);
  }
  caller->places.push_back({waiter, deadline_ms});
  by_waiter_.insert_or_assign(waiter, Where{caller, std::prev(caller->places.end())});
  return out;
}

Queue::Waiter Queue::push_out() {
  const auto most = std::ranges::max_element(callers_, {}, [](const Caller& one) { return one.places.size(); });
  const Where where{most, std::prev(most->places.end())};
  const Waiter out = where.place->waiter;
  remove(where);
  return out;
}

void Queue::remove(const Where& where) {
  by_waiter_.erase(where.place->waiter);
  where.caller->places.erase(where.place);
  if (!where.caller->places.empty()) return;
  by_name_.erase(where.caller->name);
  callers_.erase(where.caller);
}

Queue::Next Queue::ended(std::int64_t took_ms, std::int64_t now_ms, const QueueSettings& settings) {
  const std::scoped_lock lock(lock_);
  const auto took = static_cast<double>(std::max<std::int64_t>(took_ms, 0));
  mean_ms_ = mean_ms_ == 0 ? took : mean_ms_ + (took - mean_ms_) * newest;
  if (running_ > 0) --running_;
  return go_on(now_ms, settings);
}

Queue::Next Queue::unused(std::int64_t now_ms, const QueueSettings& settings) {
  const std::scoped_lock lock(lock_);
  if (running_ > 0) --running_;
  return go_on(now_ms, settings);
}

Queue::Next Queue::next(std::int64_t now_ms, const QueueSettings& settings) {
  const std::scoped_lock lock(lock_);
  return go_on(now_ms, settings);
}

bool Queue::take(const QueueSettings& settings) {
  const std::scoped_lock lock(lock_);
  if (!by_waiter_.empty() || !has_room(settings)) return false;
  ++running_;
  return true;
}

bool Queue::crowded(const QueueSettings& settings) const {
  const std::scoped_lock lock(lock_);
  return !by_waiter_.empty() || !has_room(settings);
}

Queue::Next Queue::go_on(std::int64_t now_ms, const QueueSettings& settings) {
  Next out;
  while (!callers_.empty() && has_room(settings)) {
    const auto caller = callers_.begin();
    const Place place = caller->places.front();
    const bool late = place.deadline_ms <= now_ms;
    (late ? out.too_late : out.run).push_back(place.waiter);
    // Whoever was too late did not use the caller's turn.
    if (!late) {
      ++running_;
      callers_.splice(callers_.end(), callers_, caller);
    }
    remove({caller, caller->places.begin()});
  }
  return out;
}

bool Queue::leave(Waiter waiter) {
  const std::scoped_lock lock(lock_);
  const auto found = by_waiter_.find(waiter);
  if (found == by_waiter_.end()) return false;
  const Where where = found->second;
  remove(where);
  return true;
}

std::int64_t Queue::wait_ms(const QueueSettings& settings) const {
  const std::scoped_lock lock(lock_);
  if (by_waiter_.empty() && has_room(settings)) return 0;
  return estimate(callers_.size(), settings);
}

std::size_t Queue::running() const {
  const std::scoped_lock lock(lock_);
  return running_;
}

std::size_t Queue::waiting() const {
  const std::scoped_lock lock(lock_);
  return by_waiter_.size();
}

}  // namespace sluice
