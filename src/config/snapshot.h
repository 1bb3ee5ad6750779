// The configuration as requests use it: names resolved, addresses parsed, immutable. One is current; an exchange keeps
// the one it began with. It holds no counters. SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.h"
#include "config/route.h"
#include "config/url.h"
#include "pricing/catalogue.h"
#include "providers/provider.h"

namespace sluice {

// A backend ready to be called: one address with one key. Several accounts of a backend are one of these each.
struct Backend {
  std::uint64_t serial = 0;  // differs between any two compiled backends of this process: a key for caches
  std::string name;
  std::string group;                // the backend as configured, of which this is one account: "openai" of "openai.a"
  std::int64_t weight = 1;          // its share among the accounts of its group
  std::int64_t max_concurrent = 0;  // calls at once; 0 = no cap
  const Provider* provider = nullptr;  // null for the built-in demo
  std::string_view flavour;            // Destination::provider
  Url url;
  bool own_place = false;  // the vendor's own address
  Secret key;
  std::optional<AwsSettings> aws;  // requests are signed with these, for `service`
  std::string_view service;
  Timeouts timeouts;
  Millis read_on{0};  // how long an answer is read on whose client has left; 0 = it is cut off
  std::optional<ProbeSettings> probe;
  std::optional<Url> proxy;
  bool proxy_from_environment = true;
  std::string ca_file;
  std::vector<Header> headers;      // auth and extra headers, in wire form
  std::vector<DialectId> dialects;  // what it may be spoken to in, first = preferred for translations
  std::vector<ModelName> models;
  bool listed = true;  // by the configuration; else they are patterns of what its vendor makes, and so is the catalogue
  const Catalogue* catalogue = nullptr;  // of the snapshot
  std::string_view vendor;               // whose prices are its own, in the catalogue; empty: not known
  std::string region;                    // of prices that differ by it
  std::string off;                       // why it cannot be called; empty when it can

  [[nodiscard]] bool demo() const { return provider == nullptr; }
  [[nodiscard]] bool speaks(DialectId dialect) const;
  // Where it takes an operation in that dialect, asked of that model (its own name for it); null where it does not.
  [[nodiscard]] const Endpoint* way(DialectId dialect, Operation operation, std::string_view model) const;
  // The same in `own` where it takes it so, else in the first of its dialects that has it.
  [[nodiscard]] const Endpoint* first_way(DialectId own, Operation operation, std::string_view model) const;
  // The upstream's name of a model that clients ask for; nullopt when this backend does not serve it.
  [[nodiscard]] std::optional<std::string> upstream_name(std::string_view model) const;
  // True for a model of its vendor, by the catalogue, when the configuration lists none.
  [[nodiscard]] bool makes(std::string_view model) const;
  // What is known of a model of its own; nullopt: nothing.
  [[nodiscard]] std::optional<CatalogueRow> row(std::string_view name_there) const;
  // True when it serves what it calls so itself.
  [[nodiscard]] bool serves_upstream(std::string_view name_there) const;
};

struct Target {
  const Backend* backend = nullptr;
  std::string model;         // the upstream's name
  const Leg* leg = nullptr;  // what a route wants of it; null without one
  [[nodiscard]] const Timeouts& clocks() const { return leg ? leg->timeouts : backend->timeouts; }
};

class Snapshot {
 public:
  // Never fails on a Config without faults.
  [[nodiscard]] static std::shared_ptr<const Snapshot> compile(Config config);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Backend>>& backends() const { return backends_; }
  [[nodiscard]] const Catalogue& catalogue() const { return sluice::catalogue(config_); }

  // Who serves this model, in order: the backend that "backend/model" addresses, alone, unless some backend names the
  // whole of it; else backends that name it, then those that take it by a pattern, longest first; then, of backends
  // that list no models, those whose vendor makes it: by the vendor's patterns, and where nobody was found, by the
  // catalogue. The accounts of a backend stand beside each other, in the order of the file. Backends that are off are
  // left out. Errors: not_found with the closest names, or with the reason when only a backend that is off would serve
  // it.
  [[nodiscard]] Result<std::vector<Target>> targets(std::string_view model) const;
  // The first that fits a request counts (policy/plan.h).
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
  // The fields of a request that routes ask for, in lower case.
  [[nodiscard]] const std::vector<std::string>& routed_headers() const { return routed_headers_; }
  // What a model list shows: names without wildcards of every usable backend, in order, then those that only routes
  // have, each once; of those backends only that `may` likes, where it is given.
  using Likes = std::function<bool(const Backend&)>;
  [[nodiscard]] std::vector<ModelRow> models(const Likes& may = {}) const;

 private:
  struct Served {
    const Backend* backend;
    const ModelName* entry;
  };
  void index();
  // What "backend/model" means, by a backend's name or an account's, whether they are on or off.
  [[nodiscard]] std::vector<Target> addressed(std::string_view model) const;
  [[nodiscard]] Error unknown(std::string_view model) const;
  [[nodiscard]] std::string whose(std::string_view model) const;
  Config config_;
  std::vector<std::unique_ptr<Backend>> backends_;
  // The models of the backends that are on: by name, and the patterns, those that the configuration has and those of
  // the vendors, longest first.
  std::unordered_map<std::string_view, std::vector<Served>> names_;
  std::vector<Served> patterns_, vendor_patterns_;
  std::vector<Route> routes_;
  std::vector<std::string> routed_headers_;
};

}  // namespace sluice
