// What can only be judged with the whole configuration at hand: a route's targets are served, and a request can reach
// it. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "config/reading.h"
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
};

std::vector<Served> served(const Config& config) {
  std::vector<Served> out{{.names = {"demo"}, .models = {"demo"}}};
  for (const BackendSettings& backend : config.backends) {
    Served one{.names = {backend.name}, .models = {}};
    for (std::size_t i = 0; i < backend.accounts.size(); ++i) one.names.push_back(backend.account_name(i));
    if (backend.models) {
      for (const ModelName& model : *backend.models) one.models.push_back(model.name);
    } else if (const Provider* vendor = provider(backend.type.empty() ? backend.name : backend.type)) {
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
  Checks(Reading& in, const Config& config) : in_(in), backends_(served(config)) {}

  void route(const RouteSettings& route) {
    for (const TrySettings& one : route.targets) entry(route, one);
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
  }

  void idle_weight(const TrySettings& in) {
    in_.fault(mark_of(in.mark), "a weight counts within `over` only", "write {balance: weighted, over: [...]}");
  }

  void target(const RouteSettings& route, const TrySettings& in) {
    const Served* found = nullptr;
    std::vector<std::string> names;
    for (const Served& one : backends_) {
      if (std::ranges::find(one.names, in.backend) != one.names.end()) found = &one;
      names.insert(names.end(), one.names.begin(), one.names.end());
    }
    if (!found) {
      return in_.fault(mark_of(in.mark), "there is no backend " + quoted_name(in.backend),
                       suggestion(in.backend, names));
    }
    if (is_pattern(in.model)) {
      return in_.fault(mark_of(in.mark), "a target's model is one, not a pattern: " + quoted_name(in.model),
                       "without model: the target is asked for what the client asked for");
    }
    const std::string& model = in.model.empty() ? route.model : in.model;
    if (in.model.empty() && is_pattern(route.model)) return;  // each request shows
    const auto takes = [&](const std::string& pattern) { return wildcard_match(pattern, model); };
    if (std::ranges::any_of(found->models, takes)) return;
    std::string hint = in.model.empty() ? "say which model: model: …" : suggestion(model, found->models);
    in_.fault(mark_of(in.mark), "the backend " + quoted_name(in.backend) + " does not serve " + quoted_name(model),
              std::move(hint));
  }

  Reading& in_;
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
