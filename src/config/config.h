// The configuration as people write it: one struct per section of config.yaml. Every setting is declared once in
// settings.cc (name, sentence, default, bounds), from which loading, the reference page and the JSON Schema come.
// Not here: the form that requests use (snapshot.h). SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/allowance.h"

namespace sluice {

class Catalogue;

using Millis = std::chrono::milliseconds;

// Where something stands in the file: 1-based; 0 = not from a file.
struct Mark {
  int line = 0;
  int column = 0;
};

struct TlsFiles {
  std::string cert, key;
};

struct CorsSettings {
  std::vector<std::string> origins;  // exact origins, or "*"
};

// The four clocks. Zero = none.
struct Timeouts {
  Millis connect{5'000};
  Millis first_token{600'000};
  bool learn_first_token = false;  // from how quick the target is; then first_token is the longest
  Millis between_tokens{300'000};
  Millis total{0};
};

// Clocks that differ from the backend's own.
struct TimeoutChanges {
  std::optional<Millis> connect, first_token, between_tokens, total;
  std::optional<bool> learn_first_token;
  [[nodiscard]] TimeoutChanges or_else(const TimeoutChanges& other) const;
  [[nodiscard]] Timeouts on(const Timeouts& base) const;
};

// Who waits where as many run as may.
struct QueueLimits {
  std::int64_t size = 1'000;    // requests that wait for the server, and for each account; 0 = nobody waits
  Millis longest_wait{30'000};  // of one request, in all
};

struct ServerSettings {
  std::string host = "127.0.0.1";
  std::int64_t port = 8000;
  std::int64_t workers = 0;  // 0 = one per core
  std::optional<TlsFiles> tls;
  std::optional<CorsSettings> cors;
  std::int64_t max_body = 32 * 1024 * 1024;
  std::int64_t max_upload = 512 * 1024 * 1024;  // of what is passed on as it comes
  std::int64_t turn_memory = 64 * 1024 * 1024;  // bytes; 0 = off
  Millis turn_memory_age{3'600'000};
  std::int64_t response_store = 256 * 1024 * 1024;  // bytes; 0 = off
  std::int64_t response_store_count = 100'000;
  Millis response_store_age{720LL * 3'600'000};
  std::int64_t max_connections = 0;  // 0 = a third of the open-files limit
  std::int64_t max_concurrent = 0;   // requests to models at once; 0 = no cap
  QueueLimits queue;
  Millis header_timeout{10'000};
  Millis body_timeout{60'000};  // longest silence while a body arrives
  Millis idle_timeout{75'000};
  Millis keep_alive{15'000};  // comment to a streaming client while the upstream thinks
  Millis grace{30'000};
  TimeoutChanges request_timeouts;  // up to which a request may lengthen a clock; else it may only shorten it
  // Where a successor meets the running process.
  [[nodiscard]] std::string handover_address() const;
  std::string handover;  // a path, "@name", "none"; empty = a name made of the port
};

// Cheap calls, never billed, that tell how a backend is while nobody else may call it.
struct ProbeSettings {
  Millis every{10'000};
  Millis timeout{5'000};
  bool always = false;  // also while nothing rests
  std::string path;     // below the base URL; empty = the vendor's list of models, "none" = a connection is enough
};

struct ModelName {
  std::string name;      // as clients ask; may hold '*'
  std::string upstream;  // the vendor's name; empty = the same
  Mark mark;
};

// Credentials of AWS, where requests are signed, and the region.
struct AwsSettings {
  std::string region;
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // of temporary credentials
  [[nodiscard]] bool complete() const { return !access_key_id.empty() && !secret_access_key.empty(); }
};

// One of several keys at the same vendor.
struct AccountSettings {
  std::string name;  // empty: its place in the list, from 1
  Secret key;
  std::int64_t weight = 1;
  std::int64_t max_concurrent = 0;  // 0 = the backend's
  Mark mark;
};

struct BackendSettings {
  // What the account at `place` is called as a backend: "openai.a", "openai.2"; with one account or none "openai".
  [[nodiscard]] std::string account_name(std::size_t place) const;
  [[nodiscard]] bool keyed() const { return !api_key.empty() || !accounts.empty(); }
  // Whose prices are its own, as the catalogue calls it; empty: a server elsewhere, of which nothing is known.
  [[nodiscard]] std::string_view vendor() const;

  std::string name;
  bool enabled = true;
  std::string type;  // a provider's name; empty = the backend's own name
  std::string base_url;
  Secret api_key;
  AwsSettings aws;
  std::string api_key_from;               // "OPENAI_API_KEY" when it came from the environment by default
  std::vector<AccountSettings> accounts;  // instead of api_key
  std::int64_t max_concurrent = 0;        // calls at once, of each account; 0 = no cap
  std::optional<std::vector<ModelName>> models;
  std::vector<std::string> dialects;
  Timeouts timeouts;
  Millis read_on{0};    // how long an answer is read on whose client has left; 0 = it is cut off
  std::string proxy;    // http://…, socks5://…, or "none"; empty = HTTPS_PROXY and NO_PROXY
  std::string ca_file;  // extra roots for this backend
  std::map<std::string, std::string> headers;
  std::optional<ProbeSettings> probe;
  Mark mark;
};

// Which requests for its model a route takes: all that is said must fit. Texts are wildcards.
struct WhenSettings {
  std::vector<std::string> callers;
  std::vector<std::string> dialects;
  std::map<std::string, std::string> headers;  // names in lower case
  std::optional<bool> stream, tools, vision;
  std::optional<std::int64_t> tokens_over;  // of input, estimated
  bool operator==(const WhenSettings&) const = default;
  [[nodiscard]] bool empty() const { return *this == WhenSettings(); }
};

// How the entries of a branch are put in order.
enum class Order : std::uint8_t { fallback, weighted, round_robin, least_busy, latency, cheapest, quota, split };

struct AffinitySettings {
  enum class By : std::uint8_t { none, prompt, caller, header };
  By by = By::none;
  std::string header;  // its name in lower case
};

// One entry of `try` or `over`: a target, or a branch with entries of its own.
struct TrySettings {
  std::string backend;  // of a target: a backend's name or an account's
  std::string model;    // as that backend's list has it; empty: the one that was asked for
  std::vector<json::Edit> edits;
  TimeoutChanges timeouts;
  Order balance = Order::fallback;  // of a branch
  AffinitySettings affinity;
  std::vector<TrySettings> entries;
  std::int64_t weight = 0;  // within `over`; 0: not said, which is 1
  Mark mark;
  [[nodiscard]] bool branch() const { return !entries.empty(); }
};

// When a target that fails is left alone.
struct BreakerSettings {
  bool enabled = true;
  std::int64_t faults = 5;       // one after the other
  std::int64_t error_rate = 50;  // percent
  Millis rest{1'000};            // the first; each further one is twice as long
  Millis longest_rest{5'000};
};

// When a second target is asked besides one that is slow to begin.
struct HedgeSettings {
  bool on = false;
  bool p95 = false;  // after the time that 95 of 100 calls of that target needed to their first token, once it is known
  Millis after{0};   // else after this
};

// What is done about a fault before the caller notices.
struct FailoverSettings {
  std::int64_t attempts = 3;    // calls of upstreams for one request; every target is tried once all the same
  Millis longest_wait{10'000};  // for one retry
  Millis deadline{0};           // for one request over all its calls, until it is answered whole; 0 = none
  HedgeSettings hedge;
  BreakerSettings breaker;
};

// What a route does otherwise.
struct FailoverChanges {
  std::optional<std::int64_t> attempts;
  std::optional<Millis> longest_wait, deadline;
  std::optional<HedgeSettings> hedge;
  [[nodiscard]] FailoverSettings on(const FailoverSettings& base) const;
};

// Where copies of a route's requests go, whose answers nobody waits for.
struct MirrorSettings {
  TrySettings target;
  double share = 1;                  // of the requests, up to 1
  std::int64_t max_concurrent = 32;  // copies at once; what comes beyond is not mirrored
};

// The way that requests for a model take.
struct RouteSettings {
  std::string model;                  // as clients ask; may hold '*'
  bool strict = false;                // a request of which something would be lost is refused
  bool coalesce = false;              // requests that are the same at the same time share one call
  bool shares_among_callers = false;  // also those of different callers
  bool next_on_filter = false;        // an answer that a content filter stopped before its text goes to the next target
  bool resume = false;                // a text stream that breaks off is gone on with by another call
  WhenSettings when;
  std::vector<TrySettings> targets;  // `try`: in this order; empty: whoever serves the model
  TimeoutChanges timeouts;
  FailoverChanges failover;
  std::vector<MirrorSettings> mirrors;
  Mark mark;
};

struct CallerLimits {
  std::int64_t requests_per_minute = 0;  // 0 = no limit
  std::int64_t concurrent_requests = 0;
};
struct LimitSettings {
  CallerLimits all;
  CallerLimits per_caller;
};

// Who may call, by the key that must be shown.
struct KeySettings {
  std::string name;  // of the caller, for records; not secret
  Secret key;
  std::string access_key_id;  // of AWS's clients, which sign with `key` instead of showing it
  std::string group;          // empty: none
  Allowance allowance;
  Mark mark;
};

// A user, a team, a project: what is allowed to all keys in it, and to the groups below it.
struct GroupSettings {
  enum class Kind : std::uint8_t { team, user, project };
  std::string name;
  Kind kind = Kind::team;
  std::string parent;  // empty: none
  Allowance allowance;
  Mark mark;
};

// Who may reach the admin API, besides programs on this machine; an admin key is needed in any case.
struct AdminSettings {
  std::vector<std::string> from;  // addresses and networks
};

// Where every call that may cost money is written down.
struct LedgerSettings {
  bool strict = false;                   // an answer ends when the disk has its row
  Millis retention{400LL * 86'400'000};  // 0 = for ever
  std::string path;  // a directory, "none"; empty = beside the storage where that is a file, else none
};

struct MonitoringSettings {
  bool enable_logging = true;
  std::string log_level = "INFO";
  std::string log_file;             // empty = standard error
  std::string log_format = "auto";  // auto, json, text
};

struct Config {
  ServerSettings server;
  std::vector<BackendSettings> backends;
  std::vector<RouteSettings> routes;  // the first that fits counts
  FailoverSettings failover;
  MonitoringSettings monitoring;
  LimitSettings limits;
  std::string storage = "memory";  // memory, sqlite:PATH
  LedgerSettings ledger;
  std::string catalogue;                    // a file of models and prices; empty: the built-in one
  std::shared_ptr<const Catalogue> models;  // what the file holds; null: the built-in one
  AdminSettings admin;
  std::vector<GroupSettings> groups;
  std::vector<KeySettings> keys;
  std::string auth;    // local, open, keys; load_config() fills in what the file leaves out
  std::string source;  // the file's path, empty without one
  // The ledger's directory; empty: there is none.
  [[nodiscard]] std::string ledger_path() const;
};

[[nodiscard]] std::string_view name(Order order);
[[nodiscard]] std::string_view name(GroupSettings::Kind kind);
// The catalogue that a configuration chose.
[[nodiscard]] const Catalogue& catalogue(const Config& config);

// One fault or warning about a configuration.
struct ConfigFault {
  Mark mark;
  std::string message;  // "unknown key \"timeut\" in backends.openai"
  std::string hint;     // "did you mean \"timeouts\"?"
  bool warning = false;
};

// The environment as a function, so that tests are exact. nullopt = not set.
using Environment = std::optional<std::string> (*)(const char* name);
[[nodiscard]] std::optional<std::string> process_environment(const char* name);

struct Loaded {
  Config config;
  std::vector<ConfigFault> faults;  // in the order of the file; config is usable only when no fault is an error
  [[nodiscard]] bool ok() const;
};

// Reads YAML text strictly: every fault at once. `source` is the name for messages. An empty text is the default
// configuration: a backend for every vendor whose key the environment holds. PORT in the environment beats the file.
[[nodiscard]] Loaded load_config(std::string_view yaml, std::string source, Environment environment);

// Faults as people read them: "error: … --> file:line:column", the line itself and a caret.
[[nodiscard]] std::string render(const std::vector<ConfigFault>& faults, std::string_view yaml,
                                 std::string_view source);

// JSON Schema of config.yaml and the reference page (Markdown), both from the table of settings.
[[nodiscard]] std::string config_schema();
[[nodiscard]] std::string config_reference();

}  // namespace sluice
