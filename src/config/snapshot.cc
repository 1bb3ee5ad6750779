// SPDX-License-Identifier: MIT
#include "config/snapshot.h"

#include <algorithm>
#include <atomic>

#include "base/text.h"

namespace sluice {
namespace {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::string with_region(std::string_view base_url, std::string_view region) {
  constexpr std::string_view place = "{region}";
  std::string out(base_url);
  // A backend without a region is off; its address must be one all the same.
  if (const auto at = out.find(place); at != std::string::npos) {
    out.replace(at, place.size(), region.empty() ? std::string_view("no-region") : region);
  }
  return out;
}

std::unique_ptr<Backend> compile_account(const BackendSettings& in, const Secret& key) {
  auto out = std::make_unique<Backend>();
  const Provider& vendor = *provider(in.type.empty() ? in.name : in.type);
  const bool own_place = in.base_url.empty();
  out->serial = next_serial();
  out->name = out->group = in.name;
  out->provider = &vendor;
  // A server of another name that borrows OpenAI's type is a look-alike: it gets no field that only OpenAI knows.
  const bool look_alike = vendor.name == "openai" && !own_place && provider(in.name) != &vendor;
  out->flavour = look_alike ? std::string_view("compatible") : vendor.flavour;
  out->url = *parse_url(own_place ? with_region(vendor.base_url, in.aws.region) : in.base_url);
  out->own_place = own_place;
  out->key = key;
  out->max_concurrent = in.max_concurrent;
  out->timeouts = in.timeouts;
  out->read_on = in.read_on;
  out->probe = in.probe;
  out->ca_file = in.ca_file;
  if (!in.proxy.empty()) {
    out->proxy_from_environment = false;
    if (in.proxy != "none") out->proxy = *parse_url(in.proxy);
  }
  if (!key.empty()) {
    switch (vendor.auth.kind) {
      case AuthKind::aws:
      case AuthKind::bearer: out->headers.emplace_back("authorization", "Bearer " + std::string(key.reveal())); break;
      case AuthKind::header: out->headers.emplace_back(vendor.auth.header, key.reveal()); break;
      case AuthKind::none: break;
    }
  } else if (vendor.auth.kind == AuthKind::aws && in.aws.complete()) {
    out->aws = in.aws;
    out->service = vendor.auth.service;
  }
  for (const auto& [name, value] : in.headers) out->headers.emplace_back(name, value);
  for (const Endpoint& e : vendor.endpoints) {
    const bool allowed = in.dialects.empty() || std::ranges::find(in.dialects, name(e.dialect)) != in.dialects.end();
    if (allowed && !out->speaks(e.dialect)) out->dialects.push_back(e.dialect);
  }
  out->vendor = in.vendor();
  out->region = in.aws.region;
  out->listed = in.models.has_value();
  if (in.models) {
    out->models = *in.models;
  } else {
    for (const std::string_view pattern : vendor.owns) out->models.push_back({.name = std::string(pattern)});
  }
  if (!in.enabled) {
    out->off = "it is switched off in the configuration";
  } else if (vendor.auth.kind == AuthKind::aws && in.aws.region.empty() && (own_place || key.empty())) {
    out->off = "it has no region; set AWS_REGION";
  } else if (key.empty() && !in.accounts.empty()) {
    out->off = "its key is empty";
  } else if (key.empty() && !in.aws.complete() && vendor.key_required && own_place) {
    out->off = "it has no key; set " + std::string(vendor.key_env.front());
  }
  return out;
}

void compile_backend(const BackendSettings& in, std::vector<std::unique_ptr<Backend>>& out) {
  if (in.accounts.empty()) out.push_back(compile_account(in, in.api_key));
  for (std::size_t i = 0; i < in.accounts.size(); ++i) {
    out.push_back(compile_account(in, in.accounts[i].key));
    out.back()->name = in.account_name(i);
    out.back()->weight = in.accounts[i].weight;
    if (in.accounts[i].max_concurrent > 0) out.back()->max_concurrent = in.accounts[i].max_concurrent;
  }
}

bool is_pattern(std::string_view name) {
  return name.find('*') != std::string_view::npos;
}

// The entry of `backend` that serves `model`: an exact name, else the longest pattern; null when none.
const ModelName* serves(const Backend& backend, std::string_view model, bool exact) {
  const ModelName* best = nullptr;
  for (const ModelName& entry : backend.models) {
    if (exact ? entry.name == model : is_pattern(entry.name) && wildcard_match(entry.name, model)) {
      if (!best || entry.name.size() > best->name.size()) best = &entry;
    }
  }
  return best;
}

Target target(const Backend& backend, const ModelName& entry, std::string_view model) {
  return {&backend, entry.upstream.empty() ? std::string(model) : entry.upstream};
}

void note_headers(const std::vector<TrySettings>& entries, std::vector<std::string>& out) {
  for (const TrySettings& one : entries) {
    if (one.affinity.by == AffinitySettings::By::header) out.push_back(one.affinity.header);
    note_headers(one.entries, out);
  }
}

void note_headers(const RouteSettings& route, std::vector<std::string>& out) {
  for (const auto& [name, pattern] : route.when.headers) out.push_back(name);
  note_headers(route.targets, out);
}

}  // namespace

bool Backend::speaks(DialectId dialect) const {
  return std::ranges::find(dialects, dialect) != dialects.end();
}

const Endpoint* Backend::way(DialectId dialect, Operation operation, std::string_view model) const {
  if (!provider || !speaks(dialect)) return nullptr;
  // Whoever borrowed a vendor's type serves its own models on each path.
  return endpoint(*provider, dialect, operation, flavour == "compatible" ? std::nullopt : std::optional(model));
}

const Endpoint* Backend::first_way(DialectId own, Operation operation, std::string_view model) const {
  if (const Endpoint* same = way(own, operation, model)) return same;
  for (const DialectId one : dialects) {
    if (const Endpoint* other = way(one, operation, model)) return other;
  }
  return nullptr;
}

std::optional<std::string> Backend::upstream_name(std::string_view model) const {
  const ModelName* entry = serves(*this, model, true);
  if (!entry) entry = serves(*this, model, false);
  if (!entry && makes(model)) return std::string(model);
  if (!entry) return std::nullopt;
  return entry->upstream.empty() ? std::string(model) : entry->upstream;
}

bool Backend::makes(std::string_view model) const {
  return !listed && !provider->owns.empty() && catalogue->find(provider->name, model);
}

std::optional<CatalogueRow> Backend::row(std::string_view name_there) const {
  return vendor.empty() ? std::nullopt : catalogue->find(vendor, name_there, region);
}

bool Backend::serves_upstream(std::string_view name_there) const {
  if (upstream_name(name_there) == name_there) return true;
  return std::ranges::any_of(models, [&](const ModelName& entry) { return entry.upstream == name_there; });
}

std::shared_ptr<const Snapshot> Snapshot::compile(Config config) {
  auto out = std::make_shared<Snapshot>();
  out->config_ = std::move(config);
  for (const BackendSettings& backend : out->config_.backends) compile_backend(backend, out->backends_);
  auto demo = std::make_unique<Backend>();
  demo->serial = next_serial();
  demo->name = demo->group = "demo";
  demo->flavour = "demo";
  demo->models.push_back({.name = "demo"});
  out->backends_.push_back(std::move(demo));
  for (const auto& backend : out->backends_) backend->catalogue = &out->catalogue();
  out->index();
  for (const RouteSettings& route : out->config_.routes) {
    out->routes_.push_back(compile_route(route, out->config_.failover, out->backends_));
    note_headers(route, out->routed_headers_);
  }
  return out;
}

void Snapshot::index() {
  for (const auto& backend : backends_) {
    if (!backend->off.empty()) continue;
    for (const ModelName& entry : backend->models) {
      auto& same = names_[entry.name];
      if (same.empty() || same.back().backend != backend.get()) same.push_back({backend.get(), &entry});
      if (is_pattern(entry.name)) (backend->listed ? patterns_ : vendor_patterns_).push_back({backend.get(), &entry});
    }
  }
  for (auto* patterns : {&patterns_, &vendor_patterns_})
    std::ranges::stable_sort(*patterns, std::greater<>(), [](const Served& one) { return one.entry->name.size(); });
}

std::vector<Target> Snapshot::addressed(std::string_view model) const {
  std::vector<Target> found;
  const auto slash = model.find('/');
  if (slash == std::string_view::npos) return found;
  const std::string_view name = model.substr(0, slash);
  const std::string_view rest = model.substr(slash + 1);
  for (const auto& backend : backends_) {
    if (backend->name != name && backend->group != name) continue;
    if (auto there = backend->upstream_name(rest)) found.push_back({backend.get(), *std::move(there)});
  }
  return found;
}

Result<std::vector<Target>> Snapshot::targets(std::string_view model) const {
  std::vector<Target> found;
  if (const auto named = names_.find(model); named != names_.end()) {
    found.reserve(named->second.size());
    for (const auto& [backend, entry] : named->second) found.push_back(target(*backend, *entry, model));
  } else {
    found = addressed(model);
    std::erase_if(found, [](const Target& one) { return !one.backend->off.empty(); });
    if (!found.empty()) return found;
  }
  // A backend that names the model comes first; one that takes it by a pattern can still step in for it.
  for (const auto* patterns : {&patterns_, &vendor_patterns_}) {
    for (const auto& [backend, entry] : *patterns) {
      if (!wildcard_match(entry->name, model)) continue;
      if (std::ranges::find(found, backend, &Target::backend) != found.end()) continue;
      found.push_back(target(*backend, *entry, model));
    }
  }
  if (!found.empty()) return found;
  for (const auto& backend : backends_) {
    if (backend->off.empty() && backend->makes(model)) found.push_back({backend.get(), std::string(model)});
  }
  if (found.empty()) return fail(unknown(model));
  return found;
}

// Whose model it is, where that vendor is no backend here or does not list it; empty when nobody knows.
std::string Snapshot::whose(std::string_view model) const {
  for (const Provider& vendor : providers()) {
    const auto fits = [&](std::string_view pattern) { return wildcard_match(pattern, model); };
    const bool owns = std::ranges::any_of(vendor.owns, fits);
    if (!owns && (vendor.owns.empty() || !catalogue().find(vendor.name, model))) continue;
    const auto of_vendor = [&](const auto& backend) { return backend->provider == &vendor; };
    const auto backend = std::ranges::find_if(backends_, of_vendor);
    if (backend == backends_.end())
      return " It is a model of " + std::string(vendor.name) + ", and there is no backend for that vendor.";
    return " It is not among the models of the backend \"" + (*backend)->group + "\".";
  }
  return {};
}

Error Snapshot::unknown(std::string_view model) const {
  Error error{.fault = Fault::not_found, .code = "model_not_found", .param = "model"};
  error.message = "The model \"" + visible_ascii(model, 128) + "\" is not served here.";
  const Backend* off = nullptr;  // one that would serve it; none that is on does
  if (const auto named = addressed(model); !named.empty()) off = named.front().backend;
  for (const bool exact : {true, false}) {
    for (const auto& backend : backends_) {
      if (!off && (exact ? serves(*backend, model, true) != nullptr : backend->upstream_name(model).has_value()))
        off = backend.get();
    }
  }
  if (off) {
    error.message += " The backend \"" + off->name + "\" would serve it, but " + off->off + ".";
    return error;
  }
  error.message += whose(model);
  std::vector<std::string> names;
  for (const ModelRow& row : models()) names.push_back(row.id);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = closest(model, views);
  if (near.empty()) {
    error.message += " GET /v1/models lists what is.";
    return error;
  }
  error.message += " Did you mean";
  for (std::size_t i = 0; i < near.size(); ++i) {
    error.message += i == 0 ? " \"" : i + 1 == near.size() ? " or \"" : ", \"";
    error.message += std::string(near[i]) + '"';
  }
  error.message += '?';
  return error;
}

namespace {

bool any_leg(const Branch& branch, const Snapshot::Likes& may) {
  if (branch.leg) return may(*branch.leg->backend);
  return std::ranges::any_of(branch.over, [&](const Branch& one) { return any_leg(one, may); });
}

}  // namespace

std::vector<ModelRow> Snapshot::models(const Likes& may) const {
  std::vector<ModelRow> rows;
  for (const auto& backend : backends_) {
    if (!backend->off.empty() || (may && !may(*backend))) continue;
    for (const ModelName& entry : backend->models) {
      const auto same = [&](const ModelRow& row) { return row.id == entry.name; };
      if (!is_pattern(entry.name) && std::ranges::none_of(rows, same))
        rows.push_back({.id = entry.name, .owner = backend->group});
    }
  }
  for (const Route& route : routes_) {
    const auto same = [&](const ModelRow& row) { return row.id == route.model; };
    const bool there = route.tree && (!may || any_leg(*route.tree, may));
    if (there && !is_pattern(route.model) && std::ranges::none_of(rows, same))
      rows.push_back({.id = route.model, .owner = "sluice"});
  }
  return rows;
}

}  // namespace sluice
