// The way that requests for a model take, as requests use it: which requests, and a tree of targets whose names are
// resolved. Immutable. Not here: which branch is taken (policy/plan.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace sluice {

struct Backend;

// A target as a route has it.
struct Leg {
  const Backend* backend = nullptr;
  std::string model;              // the upstream's name; empty: whatever the backend calls the one that was asked for
  std::vector<json::Edit> edits;  // of the outgoing body, after the model
  Timeouts timeouts;              // the target's, else the route's, else the backend's
};

// A target, or several ways to go and the order in which they are tried.
struct Branch {
  std::string id;    // the same after a reload, differs from all others': "smart/1/2"
  std::string name;  // among those beside it: of a target "openai.a:gpt-4"
  double weight = 1;
  Order order = Order::fallback;
  AffinitySettings affinity;
  std::unique_ptr<const Leg> leg;  // of a target
  std::vector<Branch> over;        // of all others; without those that are off
};

struct Route {
  // Where copies of a share of the requests go.
  struct Mirror {
    std::string id;  // the same after a reload: "smart/mirror/1"
    double share = 1;
    std::int64_t max_concurrent = 0;
    Branch way;
  };
  std::string model;  // a wildcard
  WhenSettings when;
  bool strict = false;
  bool coalesce = false;
  bool shares_among_callers = false;
  bool next_on_filter = false;
  bool resume = false;
  FailoverSettings failover;
  int line = 0;                 // of the file
  std::optional<Branch> tree;   // none: whoever serves the model
  std::vector<Mirror> mirrors;  // without those that are off
  std::string off;              // why none of its targets can be called; empty when one can
};

[[nodiscard]] Route compile_route(const RouteSettings& settings, const FailoverSettings& failover,
                                  const std::vector<std::unique_ptr<Backend>>& backends);

}  // namespace sluice
