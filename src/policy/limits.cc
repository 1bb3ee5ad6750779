// Buckets as one number each: the time at which they are full again (GCRA), so that taking is one addition.
// SPDX-License-Identifier: MIT
#include "policy/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sluice {
namespace {

constexpr std::int64_t minute = 60'000'000'000;

// Nanoseconds until one request's room is refilled.
std::int64_t step(std::int64_t per_minute) {
  return std::max<std::int64_t>(minute / per_minute, 1);
}

struct Bucket {
  std::int64_t per_minute;
  std::int64_t now;

  // When the bucket is full again after one more request, or nullopt when there is no room for it now.
  [[nodiscard]] std::optional<std::int64_t> take(std::int64_t full_at) const {
    const std::int64_t next = std::max(full_at, now) + step(per_minute);
    if (next - now > step(per_minute) * per_minute) return std::nullopt;
    return next;
  }
  // Nanoseconds until take() would succeed.
  [[nodiscard]] std::int64_t wait(std::int64_t full_at) const {
    return full_at + step(per_minute) - step(per_minute) * per_minute - now;
  }
  [[nodiscard]] LimitNumbers numbers(std::int64_t full_at) const {
    const std::int64_t owed = std::max<std::int64_t>(full_at - now, 0);
    const std::int64_t used = (owed + step(per_minute) - 1) / step(per_minute);
    return {.limit = per_minute,
            .remaining = std::max<std::int64_t>(per_minute - used, 0),
            .reset = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(owed))};
  }
};

// Adds one unless that makes more than `most`.
bool enter(std::atomic<std::int64_t>& running, std::int64_t most) {
  std::int64_t seen = running.load(std::memory_order_relaxed);
  do {
    if (seen >= most) return false;
  } while (!running.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
  return true;
}

constexpr std::string_view whose(bool own) {
  return own ? "you" : "all callers together";
}
constexpr std::string_view section(bool own) {
  return own ? "limits.per_caller" : "limits";
}

std::unexpected<Failure> too_many_running(bool own, std::int64_t most, std::string_view caller) {
  return fail(Error{.fault = Fault::rate_limited,
                    .message = fmt::format("Rate limit reached: at most {} requests at once for {}. "
                                           "Wait for one of them to end, then try again.",
                                           most, whose(own)),
                    .detail = fmt::format("{}.concurrent_requests is {}; caller {}", section(own), most, caller),
                    .code = "rate_limit_exceeded",
                    .retry_after = std::chrono::seconds(1)});
}

std::unexpected<Failure> too_many_per_minute(bool own, const Bucket& bucket, std::int64_t full_at,
                                             std::string_view caller) {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(bucket.wait(full_at)));
  return fail(
      Error{.fault = Fault::rate_limited,
            .message = fmt::format("Rate limit reached: {} requests per minute for {}. Try again in {:.3f} s.",
                                   bucket.per_minute, whose(own), static_cast<double>(wait.count()) / 1000),
            .detail = fmt::format("{}.requests_per_minute is {}; caller {}", section(own), bucket.per_minute, caller),
            .code = "rate_limit_exceeded",
            .retry_after = wait});
}

}  // namespace

Limits::Counters& Limits::counters(Shard& shard, std::string_view caller, std::int64_t now, std::size_t most) {
  if (const auto found = shard.callers.find(caller); found != shard.callers.end()) return found->second;
  const bool full = shard.callers.size() >= most;
  // A full shard is searched at most once a second, so that a flood of names costs little.
  if (full && now - shard.full_since < 1'000'000'000) return shard.rest;
  if (full || shard.callers.size() >= shard.sweep_at) {
    std::erase_if(shard.callers, [now](const auto& entry) {
      return entry.second.running.load(std::memory_order_acquire) == 0 && entry.second.full_at <= now;
    });
    shard.sweep_at = std::max<std::size_t>(64, shard.callers.size() * 2);
    if (shard.callers.size() >= most) {
      shard.full_since = now;
      return shard.rest;
    }
  }
  return shard.callers.try_emplace(std::string(caller)).first->second;
}

Result<Lease> Limits::admit(std::string_view caller, const LimitSettings& settings, Time time, LimitNumbers& numbers) {
  const std::int64_t now = std::chrono::nanoseconds(time.time_since_epoch()).count();
  const Bucket all{settings.all.requests_per_minute, now};
  const Bucket own{settings.per_caller.requests_per_minute, now};
  numbers = {};
  Lease lease;  // what was entered so far is left again by each early return

  if (const auto most = settings.all.concurrent_requests; most > 0) {
    if (!enter(running_, most)) return too_many_running(false, most, caller);
    lease.all_ = &running_;
  }

  std::unique_lock<std::mutex> guard;
  Counters* mine = nullptr;
  std::int64_t mine_before = long_ago;
  if (own.per_minute > 0 || settings.per_caller.concurrent_requests > 0) {
    Shard& shard = shards_[Hash{}(caller) % shard_count];
    guard = std::unique_lock(shard.lock);
    mine = &counters(shard, caller, now, most_per_shard_);
    if (const auto most = settings.per_caller.concurrent_requests; most > 0) {
      if (!enter(mine->running, most)) return too_many_running(true, most, caller);
      lease.own_ = &mine->running;
    }
    if (own.per_minute > 0) {
      mine_before = mine->full_at;
      const auto next = own.take(mine_before);
      numbers = own.numbers(next.value_or(mine_before));
      if (!next) return too_many_per_minute(true, own, mine_before, caller);
      mine->full_at = *next;
    }
  }

  if (all.per_minute > 0) {
    std::int64_t seen = full_at_.load(std::memory_order_relaxed);
    std::optional<std::int64_t> next;
    do {
      next = all.take(seen);
    } while (next && !full_at_.compare_exchange_weak(seen, *next, std::memory_order_relaxed));
    const LimitNumbers shared = all.numbers(next.value_or(seen));
    if (!next) {
      numbers = shared;
      if (own.per_minute > 0) mine->full_at = mine_before;
      return too_many_per_minute(false, all, seen, caller);
    }
    if (numbers.limit == 0 || shared.remaining < numbers.remaining) numbers = shared;
  }
  return lease;
}

std::size_t Limits::callers() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard guard(shard.lock);
    sum += shard.callers.size();
  }
  return sum;
}

}  // namespace sluice
