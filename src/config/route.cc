// SPDX-License-Identifier: MIT
#include "config/route.h"

#include <algorithm>

#include "config/snapshot.h"

namespace sluice {
namespace {

class Compiler {
 public:
  Compiler(const RouteSettings& route, const std::vector<std::unique_ptr<Backend>>& backends)
      : route_(route), backends_(backends) {}

  // Empty when all below it is off.
  std::optional<Branch> entry(const TrySettings& in, const std::string& id) {
    if (!in.branch()) return target(in, id);
    return branch(in.balance, in.affinity, in.entries, id, in.weight);
  }
  std::optional<Branch> branch(Order order, const AffinitySettings& affinity, const std::vector<TrySettings>& entries,
                               const std::string& id, std::int64_t weight) {
    Branch out{.id = id, .name = id, .weight = share(weight), .order = order, .affinity = affinity};
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto one = entry(entries[i], id + '/' + std::to_string(i + 1));
      if (!one) continue;
      // The accounts of a target are balanced as all the others are. A list and a split have a place for each target.
      const bool apart = order == Order::fallback || order == Order::split || one->leg || entries[i].branch();
      if (apart) {
        out.over.push_back(*std::move(one));
      } else {
        double sum = 0;
        for (const Branch& account : one->over) sum += account.weight;
        for (Branch& account : one->over) account.weight *= one->weight / sum;
        std::ranges::move(one->over, std::back_inserter(out.over));
      }
    }
    if (out.over.empty()) return std::nullopt;
    name_apart(out.over);
    return out;
  }
  [[nodiscard]] const std::string& off() const { return off_; }

 private:
  static double share(std::int64_t weight) { return static_cast<double>(std::max<std::int64_t>(weight, 1)); }

  std::unique_ptr<const Leg> leg(const TrySettings& in, const Backend& backend) const {
    auto out = std::make_unique<Leg>();
    out->backend = &backend;
    if (!in.model.empty()) out->model = backend.upstream_name(in.model).value_or(in.model);
    out->edits = in.edits;
    out->timeouts = in.timeouts.or_else(route_.timeouts).on(backend.timeouts);
    return out;
  }

  std::optional<Branch> target(const TrySettings& in, const std::string& id) {
    Branch out{.id = id, .name = in.backend + ':' + in.model, .weight = share(in.weight), .order = Order::weighted};
    for (const auto& backend : backends_) {
      if (backend->name != in.backend && backend->group != in.backend) continue;
      if (backend->off.empty()) {
        Branch one{.id = id + '/' + backend->name, .name = backend->name + ':' + in.model};
        one.weight = static_cast<double>(backend->weight);
        one.leg = leg(in, *backend);
        out.over.push_back(std::move(one));
      } else if (off_.empty()) {
        off_ = "\"" + backend->name + "\" is off: " + backend->off;
      }
    }
    if (out.over.empty()) return std::nullopt;
    if (out.over.size() > 1) return out;
    out.over.front().weight = out.weight;
    return std::move(out.over.front());
  }

  // The same target may stand twice, with other edits.
  static void name_apart(std::vector<Branch>& beside) {
    for (std::size_t i = 0; i < beside.size(); ++i) {
      const auto same = std::count_if(beside.begin(), beside.begin() + static_cast<std::ptrdiff_t>(i),
                                      [&](const Branch& b) { return b.name == beside[i].name; });
      if (same > 0) beside[i].name += '#' + std::to_string(same + 1);
    }
  }

  const RouteSettings& route_;
  const std::vector<std::unique_ptr<Backend>>& backends_;
  std::string off_;
};

}  // namespace

Route compile_route(const RouteSettings& settings, const FailoverSettings& failover,
                    const std::vector<std::unique_ptr<Backend>>& backends) {
  Route out{.model = settings.model,
            .when = settings.when,
            .strict = settings.strict,
            .coalesce = settings.coalesce,
            .shares_among_callers = settings.shares_among_callers,
            .next_on_filter = settings.next_on_filter,
            .resume = settings.resume,
            .failover = settings.failover.on(failover),
            .line = settings.mark.line};
  Compiler mirrors(settings, backends);
  for (std::size_t i = 0; i < settings.mirrors.size(); ++i) {
    const MirrorSettings& mirror = settings.mirrors[i];
    const std::string id = settings.model + "/mirror/" + std::to_string(i + 1);
    // Several accounts share the copies by weight.
    auto way = mirrors.branch(Order::weighted, {}, {mirror.target}, id + "/to", 1);
    if (!way) continue;
    out.mirrors.push_back(
        {.id = id, .share = mirror.share, .max_concurrent = mirror.max_concurrent, .way = *std::move(way)});
  }
  if (settings.targets.empty()) return out;
  Compiler compiler(settings, backends);
  out.tree = compiler.branch(Order::fallback, {}, settings.targets, settings.model, 1);
  if (!out.tree) out.off = compiler.off();
  return out;
}

}  // namespace sluice
