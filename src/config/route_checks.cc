// What can only be judged with the whole configuration at hand: a route's targets are served, and a request can reach
// it. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "config/reading.h"
#include "pricing/catalogue.h"
#include "providers/provider.h"

namespace sluice::config {
namespace {

bool is_pattern(std::string_view name) {
  return name.contains('*');
}

// A backend as routes see it: what it is called, and which models it takes.
struct Served {
  std::vector<std::string> names;
  std::vector<std::string> models;
  const BackendSettings* settings = nullptr;  // null: the demo
  // Of a backend that lists none: also what the catalogue has of its vendor.
  [[nodiscard]] bool takes(std::string_view model, const Catalogue& catalogue) const {
    const auto fits = [&](const std::string& pattern) { return wildcard_match(pattern, model); };
    if (std::ranges::any_of(models, fits)) return true;
    const Provider* vendor = settings && !settings->models ? provider_of(*settings) : nullptr;
    return vendor && !vendor->owns.empty() && catalogue.find(vendor->name, model);
  }
  // As its vendor calls it.
  [[nodiscard]] std::string upstream_name(const std::string& model) const {
    const ModelName* best = nullptr;
    if (!settings || !settings->models) return model;
    for (const ModelName& one : *settings->models) {
      if (one.name == model) return one.upstream.empty() ? model : one.upstream;
      if (wildcard_match(one.name, model) && (!best || one.name.size() > best->name.size())) best = &one;
    }
    return best && !best->upstream.empty() ? best->upstream : model;
  }
  static const Provider* provider_of(const BackendSettings& backend) {
    return provider(backend.type.empty() ? backend.name : backend.type);
  }
};

std::vector<Served> served(const Config& config) {
  std::vector<Served> out{{.names = {"demo"}, .models = {"demo"}}};
  for (const BackendSettings& backend : config.backends) {
    Served one{.names = {backend.name}, .models = {}, .settings = &backend};
    for (std::size_t i = 0; i < backend.accounts.size(); ++i) one.names.push_back(backend.account_name(i));
    if (backend.models) {
      for (const ModelName& model : *backend.models) one.models.push_back(model.name);
    } else if (const Provider* vendor = Served::provider_of(backend)) {
      one.models.assign(vendor->owns.begin(), vendor->owns.end());
    }
    out.push_back(std::move(one));
  }
  return out;
}

// "did you mean …?", else all there are.
std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  if (const auto near = closest(name, views); !near.empty()) return "did you mean " + quoted_name(near.front()) + "?";
  std::string out = known.empty() ? "there is none" : "there are:";
  for (const std::string& one : known) out += " " + one;
  return out;
}

class Checks {
 public:
  Checks(Reading& in, const Config& config) : in_(in), catalogue_(catalogue(config)), backends_(served(config)) {}

  void route(const RouteSettings& route) {
    for (const TrySettings& one : route.targets) entry(route, one);
    for (const MirrorSettings& one : route.mirrors) entry(route, one.target);
    const auto weighs = [](const TrySettings& one) { return one.weight != 0; };
    if (const auto found = std::ranges::find_if(route.targets, weighs); found != route.targets.end())
      idle_weight(*found);
  }

 private:
  void entry(const RouteSettings& route, const TrySettings& in) {
    if (!in.branch()) {
      if (!in.backend.empty()) target(route, in);
      return;
    }
    for (const TrySettings& one : in.entries) {
      if (in.balance == Order::fallback && one.weight != 0) idle_weight(one);
      entry(route, one);
    }
    if (in.balance == Order::cheapest && !any_price(route, in)) {
      in_.fault(mark_of(in.mark), "no price is known of any target that the cheapest is to be chosen of",
                "`sluice models list --vendor NAME` prints what is known; or take another balance");
    }
  }

  // Whether a price is known below it, or may be for some request.
  [[nodiscard]] bool any_price(const RouteSettings& route, const TrySettings& in) const {
    if (in.branch())
      return std::ranges::any_of(in.entries, [&](const TrySettings& one) { return any_price(route, one); });
    const Served* found = backend(in.backend);
    if (!found) return true;  // told already
    const std::string_view vendor = found->settings ? found->settings->vendor() : std::string_view();
    const std::string& model = in.model.empty() ? route.model : in.model;
    if (vendor.empty()) return false;
    if (is_pattern(model)) return true;
    const auto row = catalogue_.find(vendor, found->upstream_name(model), found->settings->aws.region);
    return row && !row->price.empty();
  }

  [[nodiscard]] const Served* backend(std::string_view name) const {
    const auto named = [&](const Served& one) { return std::ranges::find(one.names, name) != one.names.end(); };
    const auto found = std::ranges::find_if(backends_, named);
    return found == backends_.end() ? nullptr : &*found;
  }

  void idle_weight(const TrySettings& in) {
    in_.fault(mark_of(in.mark), "a weight counts within `over` only", "write {balance: weighted, over: [...]}");
  }

  void target(const RouteSettings& route, const TrySettings& in) {
    const Served* found = backend(in.backend);
    if (!found) {
      std::vector<std::string> names;
      for (const Served& one : backends_) names.insert(names.end(), one.names.begin(), one.names.end());
      return in_.fault(mark_of(in.mark), "there is no backend " + quoted_name(in.backend),
                       suggestion(in.backend, names));
    }
    if (is_pattern(in.model)) {
      return in_.fault(mark_of(in.mark), "a target's model is one, not a pattern: " + quoted_name(in.model),
                       "without model: the target is asked for what the client asked for");
    }
    const std::string& model = in.model.empty() ? route.model : in.model;
    if (in.model.empty() && is_pattern(route.model)) return;  // each request shows
    if (found->takes(model, catalogue_)) return;
    std::string hint = in.model.empty() ? "say which model: model: …" : suggestion(model, found->models);
    in_.fault(mark_of(in.mark), "the backend " + quoted_name(in.backend) + " does not serve " + quoted_name(model),
              std::move(hint));
  }

  Reading& in_;
  const Catalogue& catalogue_;
  std::vector<Served> backends_;
};

}  // namespace

void check_routes(Reading& in, const Config& config) {
  Checks checks(in, config);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const RouteSettings& route = config.routes[i];
    checks.route(route);
    for (std::size_t k = 0; k < i; ++k) {
      const RouteSettings& before = config.routes[k];
      if (before.model.empty() || !wildcard_match(before.model, route.model)) continue;
      if (!before.when.empty() && before.when != route.when) continue;
      in.fault(mark_of(route.mark), "no request reaches this route for " + quoted_name(route.model),
               "the one of line " + std::to_string(before.mark.line) + " takes them all: put this one before it");
      break;
    }
  }
}

}  // namespace sluice::config
