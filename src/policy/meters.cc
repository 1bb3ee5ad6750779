// All meters of a request are locked at once, in the order of their addresses: what is checked is what is taken.
// SPDX-License-Identifier: MIT
#include "policy/meters.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "policy/meter_words.h"

namespace sluice {
namespace {

constexpr std::array<std::int64_t, 3> windows_ns = {60'000'000'000, 3'600'000'000'000, 86'400'000'000'000};

std::size_t place(const RateLimit& rate) {
  return static_cast<std::size_t>(rate.of) * windows_ns.size() + static_cast<std::size_t>(rate.per);
}
RateBucket bucket(const RateLimit& rate) {
  return {.most = std::max<std::int64_t>(rate.most, 1), .window_ns = windows_ns.at(static_cast<std::size_t>(rate.per))};
}
std::chrono::milliseconds ms(std::int64_t ns) {
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(ns));
}

// A guess at the answer never makes a request larger than a bucket.
std::int64_t amount(const RateLimit& rate, const Claim& claim) {
  if (rate.of == RateLimit::Of::requests) return 1;
  return std::max(claim.input_tokens, std::min(claim.input_tokens + claim.output_tokens, rate.most));
}

void tighter(LimitNumbers& numbers, const RateBucket& of, std::int64_t full_at, std::int64_t now) {
  const std::int64_t left = of.left(full_at, now);
  if (numbers.limit != 0 && numbers.remaining <= left) return;
  numbers = {.limit = of.most, .remaining = left, .reset = ms(std::max<std::int64_t>(full_at - now, 0))};
}

// The meters of one request, locked for as long as it lives.
template <class Held>
class LockAll {
 public:
  explicit LockAll(const std::vector<Held>& held) : held_(held) {
    for (const Held& one : held_) one.meter->lock.lock();
  }
  ~LockAll() {
    for (const Held& one : held_) one.meter->lock.unlock();
  }
  LockAll(const LockAll&) = delete;
  LockAll& operator=(const LockAll&) = delete;

 private:
  const std::vector<Held>& held_;
};

// Why not, by the node that is the last to allow it.
template <class Held>
std::optional<MeterRefusal> refusal(const Held& held, const Claim& claim, std::int64_t steady_ns) {
  const Allowance& may = *held.allowance;
  std::optional<MeterRefusal> out;
  const auto worse = [&](const MeterRefusal& one) {
    if (!out || *out < one) out = one;
  };
  if (!claim.copy && may.max_concurrent > 0 && held.meter->running >= may.max_concurrent)
    worse({.why = MeterRefusal::Why::running, .node = held.name, .most = may.max_concurrent, .wait_ns = 1'000'000'000});
  for (const RateLimit& rate : may.rates) {
    if (claim.copy) break;
    const RateBucket of = bucket(rate);
    const std::int64_t full_at = held.meter->rates.at(place(rate));
    const std::int64_t wanted = amount(rate, claim);
    if (wanted > of.most) {
      worse({.why = MeterRefusal::Why::too_large, .node = held.name, .most = of.most, .wanted = wanted, .rate = rate});
    } else if (!of.take(full_at, wanted, steady_ns)) {
      const std::int64_t wait_ns = of.wait_ns(full_at, wanted, steady_ns);
      worse({.why = MeterRefusal::Why::rate, .node = held.name, .most = of.most, .wait_ns = wait_ns, .rate = rate});
    }
  }
  for (const Budget& budget : may.budgets) {
    const BudgetPeriod& period = held.meter->budgets.at(static_cast<std::size_t>(budget.per));
    if (!claim.nano_dollars && may.unknown_price == UnknownPrice::refuse)
      worse({.why = MeterRefusal::Why::no_price, .node = held.name, .budget = budget});
    // What has no price is refused only where there is nothing left, what costs nothing never.
    const std::int64_t nano = claim.nano_dollars.value_or(1);
    if (nano == 0 || period.has_room(nano, budget.nano_dollars)) continue;
    const bool spent = period.spent > budget.nano_dollars - nano;
    worse({.why = spent ? MeterRefusal::Why::spent : MeterRefusal::Why::reserved,
           .node = held.name,
           .wait_ns = 1'000'000'000,
           .budget = budget,
           .ends_ms = period.ends_ms});
  }
  return out;
}

template <class Held>
void roll(const Held& held, std::int64_t unix_ms) {
  for (const Budget& budget : held.allowance->budgets)
    held.meter->budgets.at(static_cast<std::size_t>(budget.per)).roll(budget.per, budget.time_zone, unix_ms);
}

template <class Held>
void take(const Held& held, const Claim& claim, std::int64_t steady_ns) {
  if (!claim.copy) ++held.meter->running;
  for (const RateLimit& rate : held.allowance->rates) {
    if (claim.copy) break;
    std::int64_t& full_at = held.meter->rates.at(place(rate));
    full_at = bucket(rate).take(full_at, amount(rate, claim), steady_ns).value_or(full_at);
  }
  for (const Budget& budget : held.allowance->budgets)
    held.meter->budgets.at(static_cast<std::size_t>(budget.per)).reserve(claim.nano_dollars.value_or(0));
}

template <class Held>
void show(const Held& held, std::int64_t steady_ns, MeterNumbers& numbers) {
  for (const RateLimit& rate : held.allowance->rates) {
    tighter(rate.of == RateLimit::Of::requests ? numbers.requests : numbers.tokens, bucket(rate),
            held.meter->rates.at(place(rate)), steady_ns);
  }
}

// The alerts that this much spent is due, each once in a window.
template <class Held>
void alert(const Held& held, const Budget& budget, BudgetPeriod& period, std::vector<BudgetAlert>& due) {
  const int share = period.share(budget.nano_dollars);
  for (const int percent : budget.alerts) {
    if (percent > share || percent <= period.told) continue;
    due.push_back({.node = held.id,
                   .name = std::string(held.name),
                   .budget = budget,
                   .percent = percent,
                   .spent = period.spent,
                   .begins_ms = period.begins_ms,
                   .ends_ms = period.ends_ms});
  }
  period.told = std::max(period.told, share);
}

}  // namespace

Meters::Meters(OnAlert on_alert) : on_alert_(std::move(on_alert)) {}
Meters::~Meters() = default;

Meters::Shard& Meters::shard(NodeId node) {
  return shards_.at((node ^ (node >> 32)) % shard_count);
}
const Meters::Shard& Meters::shard(NodeId node) const {
  return shards_.at((node ^ (node >> 32)) % shard_count);
}

std::shared_ptr<Meters::Meter> Meters::meter(NodeId node) {
  Shard& in = shard(node);
  const std::scoped_lock guard(in.lock);
  auto& found = in.meters[node];
  if (!found) found = std::make_shared<Meter>();
  return found;
}

Result<Grant> Meters::admit(std::span<const MeteredNode> chain, const Claim& claim, MeterTime now,
                            MeterNumbers& numbers) {
  numbers = {};
  Grant grant;
  bool budgets = false;
  for (const MeteredNode& node : chain) {
    if (claim.copy ? node.allowance->budgets.empty() : !is_metered(*node.allowance)) continue;
    if (grant.held_.empty()) grant.held_.reserve(chain.size());
    Grant::Held held{meter(node.id), node.name, node.id, node.allowance};
    const auto at =
        std::ranges::lower_bound(grant.held_, held.meter.get(), {}, [](const auto& one) { return one.meter.get(); });
    if (at == grant.held_.end() || at->meter != held.meter) grant.held_.insert(at, std::move(held));
    budgets = budgets || !node.allowance->budgets.empty();
  }
  if (grant.held_.empty()) return grant;

  const std::int64_t unix_ms = budgets ? clock_.read(now.unix_ms, now.steady_ns) : 0;
  std::optional<MeterRefusal> refused;
  {
    const LockAll guard(grant.held_);
    for (const Grant::Held& one : grant.held_) {
      if (budgets) roll(one, unix_ms);
      const auto why = refusal(one, claim, now.steady_ns);
      if (why && (!refused || *refused < *why)) refused = why;
    }
    for (const Grant::Held& one : grant.held_) {
      if (!refused) take(one, claim, now.steady_ns);
      show(one, now.steady_ns, numbers);
    }
  }
  if (refused) return fail(words(*refused));
  grant.meters_ = this;
  grant.claim_ = claim;
  grant.has_budget_ = budgets;
  grant.reserved_ = claim.nano_dollars.value_or(0);
  return grant;
}

bool Meters::begin(const MeteredNode& node, const Spent& spent, MeterTime now) {
  if (node.allowance->budgets.empty()) return true;
  const std::int64_t unix_ms = clock_.read(now.unix_ms, now.steady_ns);
  const std::shared_ptr<Meter> of = meter(node.id);
  bool all = true;
  for (const Budget& budget : node.allowance->budgets) {
    BudgetPeriod& counted = of->budgets.at(static_cast<std::size_t>(budget.per));
    BudgetPeriod fresh;
    fresh.roll(budget.per, budget.time_zone, unix_ms);
    {
      const std::scoped_lock guard(of->lock);
      if (counted.begun()) continue;
    }
    const auto told = spent(node, fresh.begins_ms, fresh.ends_ms);
    all = all && told.has_value();
    if (!told) continue;
    const std::scoped_lock guard(of->lock);
    counted.roll(budget.per, budget.time_zone, unix_ms);
    counted.spent = std::max(counted.spent, *told);
    counted.told = std::max(counted.told, counted.share(budget.nano_dollars));
  }
  return all;
}

void Meters::keep_only(const std::function<bool(NodeId)>& still_there) {
  for (Shard& in : shards_) {
    const std::scoped_lock guard(in.lock);
    std::erase_if(in.meters, [&](const auto& one) { return !still_there(one.first); });
  }
}

std::optional<Meters::Figures> Meters::figures(NodeId node) const {
  const Shard& in = shard(node);
  const std::scoped_lock guard(in.lock);
  const auto found = in.meters.find(node);
  if (found == in.meters.end()) return std::nullopt;
  const std::scoped_lock inner(found->second->lock);
  Figures out{.running = found->second->running};
  for (std::size_t i = 0; i < found->second->budgets.size(); ++i) {
    const BudgetPeriod& period = found->second->budgets.at(i);
    if (period.begun()) out.budgets.emplace_back(static_cast<Budget::Per>(i), period);
  }
  return out;
}

std::size_t Meters::nodes() const {
  std::size_t sum = 0;
  for (const Shard& in : shards_) {
    const std::scoped_lock guard(in.lock);
    sum += in.meters.size();
  }
  return sum;
}

Grant::Grant(Grant&& other) noexcept
    : meters_(std::exchange(other.meters_, nullptr)),
      held_(std::move(other.held_)),
      claim_(other.claim_),
      reserved_(other.reserved_),
      has_budget_(other.has_budget_),
      settled_(other.settled_) {}

Grant& Grant::operator=(Grant&& other) noexcept {
  std::swap(meters_, other.meters_);
  std::swap(held_, other.held_);
  std::swap(claim_, other.claim_);
  std::swap(reserved_, other.reserved_);
  std::swap(has_budget_, other.has_budget_);
  std::swap(settled_, other.settled_);
  return *this;
}

Grant::~Grant() {
  if (meters_ == nullptr) return;
  if (!settled_) settle(0, 0, {});
  for (const Held& one : held_) {
    if (claim_.copy) break;
    const std::scoped_lock guard(one.meter->lock);
    --one.meter->running;
  }
}

Result<void> Grant::top_up(std::int64_t nano_dollars, MeterTime now) {
  if (meters_ == nullptr || !has_budget_ || settled_) return {};
  const std::int64_t unix_ms = meters_->clock_.read(now.unix_ms, now.steady_ns);
  std::optional<MeterRefusal> refused;
  {
    const LockAll guard(held_);
    for (const Held& one : held_) {
      roll(one, unix_ms);
      for (const Budget& budget : one.allowance->budgets) {
        const BudgetPeriod& period = one.meter->budgets.at(static_cast<std::size_t>(budget.per));
        if (!budget.hard_stop || period.has_room(nano_dollars, budget.nano_dollars)) continue;
        refused = MeterRefusal{
            .why = MeterRefusal::Why::stopped, .node = one.name, .budget = budget, .ends_ms = period.ends_ms};
      }
    }
    for (const Held& one : held_) {
      if (refused) break;
      for (const Budget& budget : one.allowance->budgets)
        one.meter->budgets.at(static_cast<std::size_t>(budget.per)).reserve(nano_dollars);
    }
  }
  if (refused) return fail(words(*refused));
  reserved_ += nano_dollars;
  return {};
}

void Grant::settle(std::int64_t tokens, std::int64_t nano_dollars, MeterTime now) {
  if (meters_ == nullptr || settled_) return;
  settled_ = true;
  const bool counts = now.unix_ms != 0;  // else nothing was used, and no clock was looked at
  const std::int64_t unix_ms = has_budget_ && counts ? meters_->clock_.read(now.unix_ms, now.steady_ns) : 0;
  std::vector<BudgetAlert> due;
  for (const Held& one : held_) {
    const std::scoped_lock guard(one.meter->lock);
    for (const RateLimit& rate : one.allowance->rates) {
      if (claim_.copy || rate.of == RateLimit::Of::requests) continue;
      std::int64_t& full_at = one.meter->rates.at(place(rate));
      full_at = bucket(rate).correct(full_at, tokens - amount(rate, claim_), now.steady_ns);
    }
    if (counts) roll(one, unix_ms);
    for (const Budget& budget : one.allowance->budgets) {
      BudgetPeriod& period = one.meter->budgets.at(static_cast<std::size_t>(budget.per));
      period.settle(reserved_, nano_dollars);
      if (counts && !budget.alerts.empty()) alert(one, budget, period, due);
    }
  }
  if (!meters_->on_alert_) return;
  for (const BudgetAlert& one : due) meters_->on_alert_(one);
}

}  // namespace sluice
