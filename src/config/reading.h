// Reads YAML nodes into settings and collects every fault with its place. Used by settings.cc and load.cc only.
// SPDX-License-Identifier: MIT
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace sluice::config {

class Reading {
 public:
  // Without an environment texts are what they are: nothing in them is filled in.
  explicit Reading(Environment environment) : environment_(environment) {}

  void fault(const YAML::Mark& mark, std::string message, std::string hint = {});
  void warn(const YAML::Mark& mark, std::string message, std::string hint = {});
  // "unknown key …" with the nearest of `known`.
  void unknown_key(const YAML::Mark& mark, std::string_view key, std::string_view path,
                   std::span<const std::string_view> known);

  // The scalar's text with ${VAR}, ${VAR:-x} and ${file:…} replaced. False and a fault when it is no scalar or a
  // variable is missing.
  bool text(const YAML::Node& node, std::string_view path, std::string& out);
  bool secret(const YAML::Node& node, std::string_view path, Secret& out);
  bool boolean(const YAML::Node& node, std::string_view path, bool& out);
  bool integer(const YAML::Node& node, std::string_view path, std::int64_t min, std::int64_t max, std::int64_t& out);
  bool duration(const YAML::Node& node, std::string_view path, Millis min, Millis& out);
  bool size(const YAML::Node& node, std::string_view path, std::int64_t min, std::int64_t& out);
  bool choice(const YAML::Node& node, std::string_view path, std::span<const std::string_view> allowed,
              std::string& out);
  bool texts(const YAML::Node& node, std::string_view path, std::vector<std::string>& out);

  [[nodiscard]] std::optional<std::string> variable(const char* name) const { return environment_(name); }
  std::vector<ConfigFault> faults;

 private:
  bool expand(const YAML::Mark& mark, std::string_view path, const std::string& raw, std::string& out);
  Environment environment_;
};

[[nodiscard]] inline Mark place(const YAML::Mark& mark) {
  return mark.line < 0 ? Mark{} : Mark{mark.line + 1, mark.column + 1};
}
// The way back.
[[nodiscard]] inline YAML::Mark mark_of(const Mark& mark) {
  YAML::Mark out = YAML::Mark::null_mark();
  if (mark.line > 0) {
    out.line = mark.line - 1;
    out.column = mark.column - 1;
  }
  return out;
}
[[nodiscard]] std::string quoted_name(std::string_view text);

// What a setting is, for people: the same row serves loading, the reference page and the schema.
struct Doc {
  std::string_view name;
  // "text", "secret", "yes/no", "number", "duration", "size", "list of text", "section", "one of a, b"
  std::string_view type;
  std::string_view fallback;  // the default as people would write it
  std::string_view sentence;
  bool restart = false;  // takes effect only on the next start
};

template <class T>
struct Setting {
  Doc doc;
  void (*read)(Reading&, const YAML::Node&, std::string_view path, T&);
};

// Reads a map by its table. Unknown and double keys are faults; an empty node is an empty map.
template <class T>
void read_section(Reading& in, const YAML::Node& node, std::string_view path, std::span<const Setting<T>> table,
                  T& out) {
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) {
    in.fault(node.Mark(), quoted_name(path) + " must be a map of settings");
    return;
  }
  std::vector<std::string> seen;
  for (const auto& pair : node) {
    const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : std::string();
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      in.fault(pair.first.Mark(), "the key " + quoted_name(key) + " stands twice", "keep one of the two");
      continue;
    }
    seen.push_back(key);
    const Setting<T>* found = nullptr;
    for (const Setting<T>& s : table) {
      if (s.doc.name == key) found = &s;
    }
    if (!found) {
      std::vector<std::string_view> known;
      for (const Setting<T>& s : table) known.push_back(s.doc.name);
      in.unknown_key(pair.first.Mark(), key, path, known);
      continue;
    }
    found->read(in, pair.second, path.empty() ? key : std::string(path) + "." + key, out);
  }
}

// The tables, one per section.
[[nodiscard]] std::span<const Setting<Config>> root_settings();
[[nodiscard]] std::span<const Setting<ServerSettings>> server_settings();
[[nodiscard]] std::span<const Setting<TlsFiles>> tls_settings();
[[nodiscard]] std::span<const Setting<CorsSettings>> cors_settings();
[[nodiscard]] std::span<const Setting<ProbeSettings>> probe_settings();
[[nodiscard]] std::span<const Setting<BackendSettings>> backend_settings();
[[nodiscard]] std::span<const Setting<AccountSettings>> account_settings();
[[nodiscard]] std::span<const Setting<Timeouts>> timeout_settings();
[[nodiscard]] std::span<const Setting<AwsSettings>> aws_settings();
[[nodiscard]] std::span<const Setting<RouteSettings>> route_settings();
[[nodiscard]] std::span<const Setting<WhenSettings>> when_settings();
[[nodiscard]] std::span<const Setting<TrySettings>> try_settings();
[[nodiscard]] std::span<const Setting<TimeoutChanges>> timeout_changes();
[[nodiscard]] std::span<const Setting<KeySettings>> key_settings();
[[nodiscard]] std::span<const Setting<GroupSettings>> group_settings();
[[nodiscard]] std::span<const Setting<AdminSettings>> admin_settings();
[[nodiscard]] std::span<const Setting<MonitoringSettings>> monitoring_settings();
[[nodiscard]] std::span<const Setting<LedgerSettings>> ledger_settings();
[[nodiscard]] std::span<const Setting<FailoverSettings>> failover_settings();
[[nodiscard]] std::span<const Setting<FailoverChanges>> failover_changes();
[[nodiscard]] std::span<const Setting<BreakerSettings>> breaker_settings();
[[nodiscard]] std::span<const Setting<LimitSettings>> limit_settings();
[[nodiscard]] std::span<const Setting<QueueLimits>> queue_limits();
[[nodiscard]] std::span<const Setting<MirrorSettings>> mirror_settings();
[[nodiscard]] std::span<const Setting<CallerLimits>> caller_limit_settings();

void read_routes(Reading& in, const YAML::Node& node, std::string_view path, Config& out);
// A file of models and prices.
void read_catalogue(Reading& in, const YAML::Node& node, std::string_view path, Config& out);
void read_keys(Reading& in, const YAML::Node& node, std::string_view path, Config& out);
void read_groups(Reading& in, const YAML::Node& node, std::string_view path, Config& out);
// The tree of groups is one, and what keys and groups name is there.
void check_groups(Reading& in, const Config& config);
// What a route names is served, and every route can be reached.
void check_routes(Reading& in, const Config& config);

}  // namespace sluice::config
