// SPDX-License-Identifier: MIT
#include "policy/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/money.h"
#include "base/text.h"
#include "policy/balance.h"
#include "pricing/price.h"

namespace sluice {
namespace {

// Tokens of input that a request has of which nobody said how long it is.
constexpr std::int64_t undescribed_tokens = 1'000;

// A target on its way into the plan.
struct Placed {
  Target target;
  View view;
  std::string place;
  bool full = false;  // its account is at its cap
};

// Those that may be called first, and of them those with something left of their quota; else each as it was.
void well_first(std::vector<Placed>& all) {
  if (all.size() < 2) return;
  const auto rest = std::ranges::stable_partition(all, [](const Placed& one) { return one.view.ready; });
  std::ranges::stable_partition(all.begin(), rest.begin(), [](const Placed& one) { return !is_spent(one.view); });
}

std::string share(double weight, double sum) {
  return fmt::format("weight {:.4g} of {:.4g}", weight, sum);
}

class Planner {
 public:
  Planner(const Sought* sought, const Odds& odds, bool tell) : sought_(sought), odds_(odds), tell_(tell) {}

  Placed place(Target target, std::string words) const {
    View view = odds_.health.of(target.backend->name, target.model, odds_.now_ms)->view(odds_.now_ms);
    const Gate* gate =
        odds_.gates && target.backend->max_concurrent > 0 ? odds_.gates->find(target.backend->name) : nullptr;
    return {.target = std::move(target), .view = view, .place = std::move(words), .full = gate && gate->crowded()};
  }

  void walk(const Branch& branch, const std::string& words, std::vector<Placed>& out) const {
    if (branch.leg) return walk(*branch.leg, words, out);
    if (branch.order == Order::fallback) {
      for (std::size_t i = 0; i < branch.over.size(); ++i)
        walk(branch.over[i], branch.over.size() == 1 ? words : more(words, [&] { return entry(branch, i); }), out);
      return;
    }
    std::vector<Way> ways;
    for (const Branch& one : branch.over) {
      Way way{.branch = &one, .targets = {}};
      walk(one, {}, way.targets);
      well_first(way.targets);
      if (!way.targets.empty()) ways.push_back(std::move(way));
    }
    std::vector<Candidate> candidates;
    for (const Way& way : ways) {
      candidates.push_back({.name = way.branch->name,
                            .view = way.targets.front().view,
                            .weight = way.branch->weight,
                            .full = way.targets.front().full});
      if (branch.order == Order::cheapest) candidates.back().price = price(way.targets.front().target);
    }
    if (candidates.empty()) return;
    std::string because;
    for (const std::uint32_t at : order(branch, candidates, because)) {
      const std::string why =
          more(words, [&] { return because.empty() ? reason(branch.order, candidates, at) : because; });
      for (Placed& one : ways[at].targets) {
        one.place = one.place.empty() ? why : more(why, [&] { return one.place; });
        out.push_back(std::move(one));
      }
    }
  }

  // Accounts of one backend that stand beside each other, as if they were a branch.
  void accounts(std::span<Placed> group) const {
    std::vector<Candidate> candidates;
    for (const Placed& one : group)
      candidates.push_back({.name = one.target.backend->name,
                            .view = one.view,
                            .weight = static_cast<double>(one.target.backend->weight),
                            .full = one.full});
    const std::uint64_t turn = odds_.turns.take(group.front().target.backend->group, odds_.look);
    std::vector<Placed> sorted;
    for (const std::uint32_t at : balance(Balance::weighted, candidates, turn, odds_.dice)) {
      group[at].place = more(group[at].place, [&] { return reason(Order::weighted, candidates, at); });
      sorted.push_back(std::move(group[at]));
    }
    std::ranges::move(sorted, group.begin());
  }

 private:
  struct Way {
    const Branch* branch;
    std::vector<Placed> targets;
  };

  void walk(const Leg& leg, const std::string& words, std::vector<Placed>& out) const {
    std::string model = leg.model;
    if (model.empty()) {
      auto name = leg.backend->upstream_name(sought_->model);
      if (!name) return;
      model = *std::move(name);
    }
    out.push_back(place({.backend = leg.backend, .model = std::move(model), .leg = &leg}, words));
  }

  // What the request would cost there, in nano-dollars; nullopt where the price is not known.
  std::optional<double> price(const Target& target) const {
    const auto row = target.backend->row(target.model);
    if (!row) return std::nullopt;
    if (!expected_) {
      const std::int64_t tokens = sought_->features.tokens();
      expected_ = {.input = tokens > 0 ? tokens : undescribed_tokens, .output = sought_->features.answer()};
    }
    const Cost sum = cost(row->price, *expected_);
    return sum.known() ? std::optional(static_cast<double>(sum.nano_dollars)) : std::nullopt;
  }

  template <class Words>
  std::string more(const std::string& words, const Words& next) const {
    if (!tell_) return {};
    return words.empty() ? next() : words + ", " + next();
  }

  static std::string entry(const Branch& branch, std::size_t i) {
    return fmt::format("entry {} of {}", i + 1, branch.over.size());
  }

  std::vector<std::uint32_t> order(const Branch& branch, std::span<const Candidate> all, std::string& because) const {
    if (branch.order == Order::split) return split(branch, all);
    if (const auto key = affinity(branch.affinity, because)) return stable_order(*key ^ stable_hash(branch.id), all);
    const std::uint64_t turn = odds_.turns.take(branch.id, odds_.look);
    return balance(kind(branch.order), all, turn, odds_.dice);
  }

  static Balance kind(Order order) {
    switch (order) {
      case Order::fallback:
      case Order::split:
      case Order::weighted: return Balance::weighted;
      case Order::round_robin: return Balance::round_robin;
      case Order::least_busy: return Balance::least_busy;
      case Order::latency: return Balance::latency;
      case Order::cheapest: return Balance::cheapest;
      case Order::quota: return Balance::quota;
    }
    return Balance::weighted;
  }

  std::vector<std::uint32_t> split(const Branch& branch, std::span<const Candidate> all) const {
    std::vector<Share> shares;
    for (const Candidate& one : all) shares.push_back({.name = one.name, .weight = one.weight});
    std::vector<std::uint32_t> out{
        static_cast<std::uint32_t>(stable_choice(stable_hash(sought_->caller) ^ stable_hash(branch.id), shares))};
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      if (i != out.front()) out.push_back(i);
    }
    return out;
  }

  std::optional<std::uint64_t> affinity(const AffinitySettings& to, std::string& because) const {
    using By = AffinitySettings::By;
    std::optional<std::uint64_t> key;
    switch (to.by) {
      case By::none: break;
      case By::caller: key = stable_hash(sought_->caller); break;
      case By::header:
        if (const auto value = sought_->features.header(to.header); !value.empty()) key = stable_hash(value);
        break;
      case By::prompt:
        if (const auto begins = sought_->features.beginning(); begins != 0) key = begins;
        break;
    }
    if (key && tell_) {
      because = to.by == By::caller   ? "the place of this caller"
                : to.by == By::header ? "the place of this " + to.header
                                      : "the place of this conversation";
    }
    return key;
  }

  static std::string reason(Order order, std::span<const Candidate> all, std::size_t at) {
    const Candidate& one = all[at];
    double sum = 0;
    for (const Candidate& each : all) sum += each.weight;
    switch (order) {
      case Order::fallback:
      case Order::weighted: return share(one.weight, sum);
      case Order::split: return share(one.weight, sum) + " of the callers";
      case Order::round_robin: return "in turn";
      case Order::least_busy: return fmt::format("{} calls under way", one.view.in_flight);
      case Order::latency:
        return one.view.mean_ms ? fmt::format("{:.0f} ms to the first token", *one.view.mean_ms)
                                : std::string("time to the first token not known yet");
      case Order::cheapest:
        if (!one.price) return "price not known";
        return "about $" + write_decimal(static_cast<std::int64_t>(*one.price), 9) + " for this request";
      case Order::quota: return one.view.headroom ? "by what is left of its quota" : "its quota is not known yet";
    }
    return {};
  }

  const Sought* sought_;
  const Odds& odds_;
  bool tell_;
  mutable std::optional<Usage> expected_;  // of the request, once somebody asked what it costs
};

void take_over(std::vector<Placed>& from, const Odds& odds, std::vector<Target>& targets, std::vector<Reason>* why) {
  well_first(from);
  targets.clear();
  for (Placed& one : from) {
    if (why) {
      const bool well =
          one.view.ready && one.view.state == View::State::closed && one.view.warmth >= 1 && !is_spent(one.view);
      std::string state = well ? std::string() : explain(one.view, odds.now_ms);
      if (one.full) {
        state += state.empty() ? "" : "; ";
        state += fmt::format("at its cap of {} calls", one.target.backend->max_concurrent);
      }
      why->push_back({.in = one.view.ready,
                      .place = std::move(one.place),
                      .state = std::move(state),
                      .quota_left = one.view.headroom});
    }
    targets.push_back(std::move(one.target));
  }
}

// Of a request about which nobody asks.
class NothingKnown final : public Features {
 public:
  [[nodiscard]] std::string_view header(std::string_view /*name*/) override { return {}; }
  [[nodiscard]] bool tools() override { return false; }
  [[nodiscard]] bool vision() override { return false; }
  [[nodiscard]] std::int64_t tokens() override { return 0; }
  [[nodiscard]] std::int64_t answer() override { return 0; }
  [[nodiscard]] std::uint64_t beginning() override { return 0; }
};

// A target that a tree names twice in the same words is tried once.
void drop_repeated(std::vector<Placed>& all) {
  const auto words = [](const Placed& one) {
    return one.target.leg ? std::span<const json::Edit>(one.target.leg->edits) : std::span<const json::Edit>();
  };
  const auto same_edit = [](const json::Edit& a, const json::Edit& b) {
    return a.op == b.op && a.pointer == b.pointer && a.value == b.value;
  };
  const auto same = [&](const Placed& a, const Placed& b) {
    return a.target.backend == b.target.backend && a.target.model == b.target.model &&
           std::ranges::equal(words(a), words(b), same_edit);
  };
  for (auto one = all.begin(); one != all.end();) {
    const bool seen = std::any_of(all.begin(), one, [&](const Placed& before) { return same(before, *one); });
    one = seen ? all.erase(one) : one + 1;
  }
}

bool any_fits(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const auto& one) { return wildcard_match(one, text); });
}

// What costs is asked for last.
bool fits(const WhenSettings& when, const Sought& sought) {
  if (when.stream && *when.stream != sought.stream) return false;
  if (!any_fits(when.dialects, sought.dialect) || !any_fits(when.callers, sought.caller)) return false;
  for (const auto& [name, pattern] : when.headers) {
    const std::string_view value = sought.features.header(name);
    if (value.empty() || !wildcard_match(pattern, value)) return false;
  }
  if (when.tools && *when.tools != sought.features.tools()) return false;
  if (when.vision && *when.vision != sought.features.vision()) return false;
  return !when.tokens_over || sought.features.tokens() > *when.tokens_over;
}

}  // namespace

std::uint64_t Turns::take(std::string_view branch, bool look) {
  const std::scoped_lock lock(mutex_);
  const auto found = turns_.find(branch);
  if (look) return found == turns_.end() ? 0 : found->second;
  if (found != turns_.end()) return found->second++;
  turns_.emplace(branch, 1);
  return 0;
}

const Route* find_route(std::span<const Route> routes, const Sought& sought) {
  for (const Route& route : routes) {
    if (wildcard_match(route.model, sought.model) && fits(route.when, sought)) return &route;
  }
  return nullptr;
}

void put_in_order(std::vector<Target>& targets, const Odds& odds, std::vector<Reason>* why) {
  if (targets.size() < 2 && !why) return;
  const Planner planner(nullptr, odds, why != nullptr);
  std::vector<Placed> all;
  all.reserve(targets.size());
  for (Target& target : targets) {
    std::string words = why && targets.size() > 1 ? fmt::format("entry {} of {}", all.size() + 1, targets.size()) : "";
    all.push_back(planner.place(std::move(target), std::move(words)));
  }
  for (std::size_t from = 0; from < all.size();) {
    std::size_t to = from + 1;
    while (to < all.size() && all[to].target.backend->group == all[from].target.backend->group) ++to;
    if (to - from > 1) planner.accounts(std::span(all).subspan(from, to - from));
    from = to;
  }
  take_over(all, odds, targets, why);
}

std::optional<Target> pick(const Branch& branch, std::string_view model, const Odds& odds) {
  NothingKnown nothing;
  const Sought sought{.model = model, .caller = {}, .dialect = {}, .features = nothing};
  std::vector<Placed> all;
  Planner(&sought, odds, false).walk(branch, {}, all);
  well_first(all);
  if (all.empty()) return std::nullopt;
  return std::move(all.front().target);
}

Result<std::vector<Target>> plan(const Snapshot& snapshot, const Route* route, const Sought& sought, const Odds& odds,
                                 std::vector<Reason>* why) {
  if (!route || (!route->tree && route->off.empty())) {
    TRY(auto targets, snapshot.targets(sought.model));
    put_in_order(targets, odds, why);
    return targets;
  }
  std::vector<Placed> all;
  if (route->tree) Planner(&sought, odds, why != nullptr).walk(*route->tree, {}, all);
  drop_repeated(all);
  std::vector<Target> targets;
  take_over(all, odds, targets, why);
  if (!targets.empty()) return targets;
  Error error{.fault = Fault::not_found, .code = "model_not_found", .param = "model"};
  error.message = "The route of the model \"" + visible_ascii(sought.model, 128) + "\" has no target that " +
                  (route->off.empty() ? "serves it." : "can be called: " + route->off + ".");
  return fail(std::move(error));
}

}  // namespace sluice
