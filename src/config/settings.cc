// Every setting, declared once: name, type, default, sentence, and how it is read.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <limits>

#include "config/reading.h"
#include "config/url.h"
#include "providers/provider.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using YAML::Node;
using Path = std::string_view;

constexpr std::array<std::string_view, 5> log_levels = {"DEBUG", "INFO", "WARNING", "ERROR", "OFF"};
constexpr std::array<std::string_view, 3> log_formats = {"auto", "json", "text"};
constexpr std::array<std::string_view, 3> auth_modes = {"local", "open", "keys"};

void read_models(Reading& in, const Node& node, Path path, BackendSettings& out) {
  std::vector<ModelName> models;
  if (!node.IsSequence()) {
    in.fault(node.Mark(), quoted_name(path) + " must be a list", "for example models: [\"gpt-4\", \"gpt-4o-*\"]");
    return;
  }
  for (const auto& item : node) {
    ModelName model{.mark = place(item.Mark())};
    if (item.IsMap()) {
      static constexpr std::array<Setting<ModelName>, 2> table = {{
          {{"name", "text", "", "the name clients ask for"},
           [](Reading& r, const Node& n, Path p, ModelName& m) { r.text(n, p, m.name); }},
          {{"upstream", "text", "", "the vendor's name for it"},
           [](Reading& r, const Node& n, Path p, ModelName& m) { r.text(n, p, m.upstream); }},
      }};
      read_section<ModelName>(in, item, path, table, model);
    } else if (!in.text(item, path, model.name)) {
      continue;
    }
    if (model.name.empty()) {
      in.fault(item.Mark(), "a model needs a name");
    } else if (model.name.find('*') != std::string::npos && !model.upstream.empty()) {
      in.fault(item.Mark(), "a pattern cannot have one upstream name");
    } else {
      models.push_back(std::move(model));
    }
  }
  out.models = std::move(models);
}

void read_accounts(Reading& in, const Node& node, Path path, BackendSettings& out) {
  if (!node.IsSequence() || node.size() == 0) {
    return in.fault(node.Mark(), quoted_name(path) + " must be a list of keys",
                    "for example accounts: [{key: \"${KEY_A}\", weight: 3}, {key: \"${KEY_B}\"}]");
  }
  for (const auto& item : node) {
    AccountSettings account{.mark = place(item.Mark())};
    read_section<AccountSettings>(in, item, path, account_settings(), account);
    if (item.IsMap() && !item["key"]) in.fault(item.Mark(), "an account needs a key", "for example key: ${KEY_A}");
    out.accounts.push_back(std::move(account));
  }
}

void read_account_name(Reading& in, const Node& node, Path path, std::string& out) {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; };
  if (!in.text(node, path, out)) return;
  if (out.empty() || out.size() > 64 || !std::ranges::all_of(out, letter))
    in.fault(node.Mark(), "an account's name is made of letters, digits, - and _", "for example name: team-a");
}

void read_address(Reading& in, const Node& node, Path path, std::string& out, bool may_be_none) {
  if (!in.text(node, path, out) || (may_be_none && out == "none")) return;
  const auto url = parse_url(out);
  if (!url) {
    in.fault(node.Mark(), quoted_name(path) + " is no address: " + url.error()->message);
  } else if (!may_be_none && url->scheme.starts_with("socks")) {
    in.fault(node.Mark(), quoted_name(path) + " must start with http:// or https://");
  } else if (!may_be_none && !url->user.empty()) {
    in.fault(node.Mark(), quoted_name(path) + " may hold no user name", "put the key into api_key");
  }
}

void read_headers(Reading& in, const Node& node, Path path, BackendSettings& out) {
  if (!node.IsMap()) return in.fault(node.Mark(), quoted_name(path) + " must be a map of header names to texts");
  for (const auto& pair : node) {
    std::string value;
    if (!in.text(pair.second, path, value)) continue;
    const std::string name = pair.first.Scalar();
    const auto token = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("!#$%&'*+-.^_`|~").contains(c);
    };
    if (name.empty() || !std::ranges::all_of(name, token)) {
      in.fault(pair.first.Mark(), quoted_name(name) + " is no header name");
    } else if (std::ranges::any_of(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; })) {
      in.fault(pair.second.Mark(), "the header " + quoted_name(name) + " holds a line break");
    } else {
      out.headers[name] = value;
    }
  }
}

void read_handover(Reading& in, const Node& node, Path path, std::string& out) {
  constexpr std::size_t most = 107;  // of the kernel (unix(7))
  if (!in.text(node, path, out) || out == "none") return;
  const bool fits = out.size() > 1 && out.size() <= most && (out.starts_with('@') || out.contains('/'));
  if (!fits)
    in.fault(node.Mark(), quoted_name(path) + " must be a path, @NAME or none, of at most 107 letters",
             "for example handover: /run/sluice/handover");
}

constexpr auto max_number = std::numeric_limits<std::int32_t>::max();

}  // namespace

#define READ(T, call) [](Reading& in, const Node& n, Path p, T& out) { call; }

std::span<const Setting<TlsFiles>> tls_settings() {
  static constexpr std::array<Setting<TlsFiles>, 2> table = {{
      {{"cert", "text", "", "PEM file with the certificate chain; re-read when it changes"},
       READ(TlsFiles, in.text(n, p, out.cert))},
      {{"key", "text", "", "PEM file with the private key; re-read when it changes"},
       READ(TlsFiles, in.text(n, p, out.key))},
  }};
  return table;
}

std::span<const Setting<CorsSettings>> cors_settings() {
  static constexpr std::array<Setting<CorsSettings>, 1> table = {{
      {{"origins", "list of text", "[]",
        "web origins that browsers may call from, for example https://app.example; \"*\" for all"},
       READ(CorsSettings, in.texts(n, p, out.origins))},
  }};
  return table;
}

std::span<const Setting<QueueLimits>> queue_limits() {
  static constexpr std::array<Setting<QueueLimits>, 2> table = {{
      {{"size", "number", "1000", "requests that wait for the server, and for each account; 0 sends them away at once"},
       READ(QueueLimits, in.integer(n, p, 0, max_number, out.size))},
      {{"longest_wait", "duration", "30s", "the longest that one request waits in all"},
       READ(QueueLimits, in.duration(n, p, 0ms, out.longest_wait))},
  }};
  return table;
}

std::span<const Setting<ServerSettings>> server_settings() {
  static constexpr std::array<Setting<ServerSettings>, 22> table = {{
      {{"host", "text", "127.0.0.1", "address to listen on; 0.0.0.0 for all", true},
       READ(ServerSettings, in.text(n, p, out.host))},
      {{"port", "number", "8000", "TCP port to listen on; PORT in the environment beats it", true},
       READ(ServerSettings, in.integer(n, p, 1, 65535, out.port))},
      {{"workers", "number", "0", "event-loop threads; 0 is one per core", true},
       READ(ServerSettings, in.integer(n, p, 0, 256, out.workers))},
      {{"tls", "section", "", "serve HTTPS with these files"},
       [](Reading& in, const Node& n, Path p, ServerSettings& out) {
         out.tls.emplace();
         read_section<TlsFiles>(in, n, p, tls_settings(), *out.tls);
         if (out.tls->cert.empty() || out.tls->key.empty())
           in.fault(n.Mark(), quoted_name(p) + " needs both cert and key");
       }},
      {{"cors", "section", "", "let web pages call the gateway"},
       [](Reading& in, const Node& n, Path p, ServerSettings& out) {
         out.cors.emplace();
         read_section<CorsSettings>(in, n, p, cors_settings(), *out.cors);
       }},
      {{"max_body", "size", "32MiB", "largest request body"}, READ(ServerSettings, in.size(n, p, 1024, out.max_body))},
      {{"max_upload", "size", "512MiB", "largest upload that is passed on as it comes: files, audio, batches"},
       READ(ServerSettings, in.size(n, p, 1024, out.max_upload))},
      {{"turn_memory", "size", "64MiB",
        "memory for signed thinking that clients drop and vendors must see again; 0 keeps none"},
       READ(ServerSettings, in.size(n, p, 0, out.turn_memory))},
      {{"turn_memory_age", "duration", "1h", "how long it is kept"},
       READ(ServerSettings, in.duration(n, p, 1s, out.turn_memory_age))},
      {{"response_store", "size", "256MiB",
        "room for Responses that clients want to come back to and vendors do not hold; 0 holds none"},
       READ(ServerSettings, in.size(n, p, 0, out.response_store))},
      {{"response_store_count", "number", "100000", "the most that are held; the conversation not used longest goes"},
       READ(ServerSettings, in.integer(n, p, 1, max_number, out.response_store_count))},
      {{"response_store_age", "duration", "720h", "how long a conversation is held after its last use"},
       READ(ServerSettings, in.duration(n, p, 1s, out.response_store_age))},
      {{"max_connections", "number", "0", "most client connections at once; 0 is a third of the open-files limit",
        true},
       READ(ServerSettings, in.integer(n, p, 0, max_number, out.max_connections))},
      {{"max_concurrent", "number", "0", "most requests to models at once, streams as long as they run; 0 is no cap"},
       READ(ServerSettings, in.integer(n, p, 0, max_number, out.max_concurrent))},
      {{"queue", "section", "", "who waits where as many run as may; callers take turns"},
       READ(ServerSettings, read_section<QueueLimits>(in, n, p, queue_limits(), out.queue))},
      {{"header_timeout", "duration", "10s", "longest time for a request's head to arrive"},
       READ(ServerSettings, in.duration(n, p, 100ms, out.header_timeout))},
      {{"body_timeout", "duration", "60s", "longest silence while a request's body arrives"},
       READ(ServerSettings, in.duration(n, p, 100ms, out.body_timeout))},
      {{"idle_timeout", "duration", "75s", "how long an idle connection is kept"},
       READ(ServerSettings, in.duration(n, p, 100ms, out.idle_timeout))},
      {{"keep_alive", "duration", "15s",
        "a comment is sent to a streaming client after this much silence of the upstream; 0s is never"},
       READ(ServerSettings, in.duration(n, p, 0ms, out.keep_alive))},
      {{"grace", "duration", "30s", "on SIGTERM or after a takeover, how long open exchanges may finish"},
       READ(ServerSettings, in.duration(n, p, 0ms, out.grace))},
      {{"request_timeouts", "section", "",
        "up to which a request may lengthen a clock with its field x-sluice-timeouts; else it may only shorten them"},
       [](Reading& in, const Node& n, Path p, ServerSettings& out) {
         read_section<TimeoutChanges>(in, n, p, timeout_changes(), out.request_timeouts);
         if (out.request_timeouts.learn_first_token.value_or(false))
           in.fault(n["first_token"].Mark(), quoted_name(p) + ".first_token must be a time: auto is no bound");
       }},
      {{"handover", "text", "@sluice-PORT",
        "where `sluice serve --takeover` meets the running gateway: a path, @NAME for the system's abstract names, or "
        "none",
        true},
       READ(ServerSettings, read_handover(in, n, p, out.handover))},
  }};
  return table;
}

std::span<const Setting<AwsSettings>> aws_settings() {
  static constexpr std::array<Setting<AwsSettings>, 4> table = {{
      {{"region", "text", "AWS_REGION or AWS_DEFAULT_REGION", "the region, for example eu-central-1"},
       READ(AwsSettings, in.text(n, p, out.region))},
      {{"access_key_id", "text", "AWS_ACCESS_KEY_ID", "credentials to sign with, when there is no api_key"},
       READ(AwsSettings, in.text(n, p, out.access_key_id))},
      {{"secret_access_key", "secret", "AWS_SECRET_ACCESS_KEY", "the secret half of them"},
       READ(AwsSettings, in.secret(n, p, out.secret_access_key))},
      {{"session_token", "secret", "AWS_SESSION_TOKEN", "of temporary credentials"},
       READ(AwsSettings, in.secret(n, p, out.session_token))},
  }};
  return table;
}

std::span<const Setting<AccountSettings>> account_settings() {
  static constexpr std::array<Setting<AccountSettings>, 4> table = {{
      {{"key", "secret", "", "the account's key"}, READ(AccountSettings, in.secret(n, p, out.key))},
      {{"name", "text", "its place, from 1", "`a` is asked for alone as `openai.a/gpt-4`"},
       READ(AccountSettings, read_account_name(in, n, p, out.name))},
      {{"weight", "number", "1", "its share of the requests, from 1 to 1000"},
       READ(AccountSettings, in.integer(n, p, 1, 1000, out.weight))},
      {{"max_concurrent", "number", "the backend's", "most calls of this account at once"},
       READ(AccountSettings, in.integer(n, p, 1, max_number, out.max_concurrent))},
  }};
  return table;
}

std::span<const Setting<ProbeSettings>> probe_settings() {
  static constexpr std::array<Setting<ProbeSettings>, 4> table = {{
      {{"every", "duration", "10s", "time between two probes, a fifth more or less"},
       READ(ProbeSettings, in.duration(n, p, 100ms, out.every))},
      {{"timeout", "duration", "5s", "longest time for one, connecting included"},
       READ(ProbeSettings, in.duration(n, p, 10ms, out.timeout))},
      {{"always", "yes/no", "false", "also while nothing rests; else only after the backend's own faults"},
       READ(ProbeSettings, in.boolean(n, p, out.always))},
      {{"path", "text", "the vendor's list of models",
        "what is asked for with GET, below base_url; none: a connection, TLS included, is enough"},
       [](Reading& in, const Node& n, Path p, ProbeSettings& out) {
         if (!in.text(n, p, out.path) || out.path == "none") return;
         const bool good = out.path.starts_with('/') &&
                           std::ranges::all_of(out.path, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
         if (!good) in.fault(n.Mark(), quoted_name(p) + " must be none or a path", "for example path: /health");
       }},
  }};
  return table;
}

std::span<const Setting<BackendSettings>> backend_settings() {
  static constexpr std::array<Setting<BackendSettings>, 15> table = {{
      {{"enabled", "yes/no", "true", "false switches the backend off"},
       READ(BackendSettings, in.boolean(n, p, out.enabled))},
      {{"type", "text", "the backend's name",
        "the vendor: openai, anthropic (claude), gemini, deepseek, … or compatible"},
       [](Reading& in, const Node& n, Path p, BackendSettings& out) {
         std::vector<std::string_view> names;
         for (const Provider& known : providers()) names.push_back(known.name);
         if (in.text(n, p, out.type) && !provider(out.type)) in.choice(n, p, names, out.type);
       }},
      {{"base_url", "text", "the vendor's own", "where the API lives, for example http://127.0.0.1:9001/v1"},
       READ(BackendSettings, read_address(in, n, p, out.base_url, false))},
      {{"api_key", "secret", "the vendor's environment variable",
        "the key; ${VAR}, ${VAR:-fallback} or ${file:/run/secrets/x} keep it out of the file"},
       READ(BackendSettings, in.secret(n, p, out.api_key))},
      {{"accounts", "list of accounts", "", "several keys instead of api_key; requests are spread over them by weight"},
       read_accounts},
      {{"max_concurrent", "number", "0",
        "most calls of each account at once, streams as long as they run; 0 is no cap. Where another target can take a "
        "request it goes there, else it waits in server.queue"},
       READ(BackendSettings, in.integer(n, p, 0, max_number, out.max_concurrent))},
      {{"aws", "section", "", "region and credentials of a vendor in AWS (bedrock)"},
       READ(BackendSettings, read_section<AwsSettings>(in, n, p, aws_settings(), out.aws))},
      {{"models", "list of models", "every name the vendor owns",
        "the only models this backend serves; * is a wildcard; {name, upstream} renames"},
       read_models},
      {{"dialects", "list of text", "all the vendor speaks", "use only these of the vendor's dialects"},
       READ(BackendSettings, in.texts(n, p, out.dialects))},
      {{"timeouts", "section", "", "the four clocks"},
       READ(BackendSettings, read_section<Timeouts>(in, n, p, timeout_settings(), out.timeouts))},
      {{"read_on", "duration", "0",
        "for vendors that bill a whole answer though its client has left: for how long it is read on, for what it "
        "tells of its usage, at most 1000 at once; 0: it is cut off, and what was there is billed"},
       READ(BackendSettings, in.duration(n, p, Millis(0), out.read_on))},
      {{"proxy", "text", "HTTPS_PROXY and NO_PROXY", "outbound proxy, http://… or socks5://…; \"none\" for none"},
       READ(BackendSettings, read_address(in, n, p, out.proxy, true))},
      {{"ca_file", "text", "", "PEM file with roots to trust for this backend besides the system's"},
       READ(BackendSettings, in.text(n, p, out.ca_file))},
      {{"headers", "map of text", "", "more headers for every call to this backend"}, read_headers},
      {{"probe", "section", "", "cheap calls, never billed, that find out when a backend that rests is well again"},
       [](Reading& in, const Node& n, Path p, BackendSettings& out) {
         out.probe.emplace();
         read_section<ProbeSettings>(in, n, p, probe_settings(), *out.probe);
       }},
  }};
  return table;
}

std::span<const Setting<MonitoringSettings>> monitoring_settings() {
  static constexpr std::array<Setting<MonitoringSettings>, 4> table = {{
      {{"enable_logging", "yes/no", "true", "one line per exchange"},
       READ(MonitoringSettings, in.boolean(n, p, out.enable_logging))},
      {{"log_level", "one of DEBUG, INFO, WARNING, ERROR, OFF", "INFO",
        "the least level that is said; an exchange is INFO, a failed upstream WARNING"},
       READ(MonitoringSettings, in.choice(n, p, log_levels, out.log_level))},
      {{"log_file", "text", "standard error", "file for the request log"},
       READ(MonitoringSettings, in.text(n, p, out.log_file))},
      {{"log_format", "one of auto, json, text", "auto", "auto is text on a terminal, JSON elsewhere"},
       READ(MonitoringSettings, in.choice(n, p, log_formats, out.log_format))},
  }};
  return table;
}

std::span<const Setting<CallerLimits>> caller_limit_settings() {
  static constexpr std::array<Setting<CallerLimits>, 2> table = {{
      {{"requests_per_minute", "number", "0", "0 is no limit"},
       READ(CallerLimits, in.integer(n, p, 0, max_number, out.requests_per_minute))},
      {{"concurrent_requests", "number", "0", "0 is no limit"},
       READ(CallerLimits, in.integer(n, p, 0, max_number, out.concurrent_requests))},
  }};
  return table;
}

std::span<const Setting<LimitSettings>> limit_settings() {
  static constexpr std::array<Setting<LimitSettings>, 3> table = {{
      {{"requests_per_minute", "number", "0", "for all callers together; 0 is no limit"},
       READ(LimitSettings, in.integer(n, p, 0, max_number, out.all.requests_per_minute))},
      {{"concurrent_requests", "number", "0", "for all callers together; 0 is no limit"},
       READ(LimitSettings, in.integer(n, p, 0, max_number, out.all.concurrent_requests))},
      {{"per_caller", "section", "", "the same for each caller"},
       READ(LimitSettings, read_section<CallerLimits>(in, n, p, caller_limit_settings(), out.per_caller))},
  }};
  return table;
}

std::span<const Setting<Config>> root_settings() {
  static constexpr std::array<Setting<Config>, 13> table = {{
      {{"server", "section", "", "where and how clients are served"},
       READ(Config, read_section<ServerSettings>(in, n, p, server_settings(), out.server))},
      {{"backends", "map of backends", "every vendor whose key the environment holds",
        "the vendors and servers behind the gateway"},
       [](Reading& in, const Node& n, Path p, Config& out) {
         if (n.IsNull()) return;
         if (!n.IsMap()) return in.fault(n.Mark(), quoted_name(p) + " must be a map from names to settings");
         for (const auto& pair : n) {
           BackendSettings backend{.name = pair.first.Scalar(), .mark = place(pair.first.Mark())};
           const auto twice = [&](const BackendSettings& b) { return b.name == backend.name; };
           if (std::ranges::any_of(out.backends, twice))
             in.fault(pair.first.Mark(), "the backend " + quoted_name(backend.name) + " stands twice");
           read_section<BackendSettings>(in, pair.second, std::string(p) + "." + backend.name, backend_settings(),
                                         backend);
           out.backends.push_back(std::move(backend));
         }
       }},
      {{"routes", "list of routes", "[]", "the ways that requests for models take; the first that fits counts"},
       read_routes},
      {{"failover", "section", "", "what is done about a fault before the caller notices"},
       READ(Config, read_section<FailoverSettings>(in, n, p, failover_settings(), out.failover))},
      {{"monitoring", "section", "", "logs"},
       READ(Config, read_section<MonitoringSettings>(in, n, p, monitoring_settings(), out.monitoring))},
      {{"limits", "section", "", "how much callers may ask for"},
       READ(Config, read_section<LimitSettings>(in, n, p, limit_settings(), out.limits))},
      {{"storage", "text", "memory",
        "where Responses are held, and keys that are made at run time: memory, or sqlite:PATH to keep them over a "
        "restart",
        true},
       [](Reading& in, const Node& n, Path p, Config& out) {
         if (!in.text(n, p, out.storage)) return;
         const bool file = out.storage.starts_with("sqlite:") && out.storage.size() > 7;
         if (!file && out.storage != "memory")
           in.fault(n.Mark(), quoted_name(p) + " must be memory or sqlite:PATH, not " + quoted_name(out.storage),
                    "for example storage: sqlite:sluice.db");
       }},
      {{"ledger", "section", "", "where every call that may cost money is written down, with what it cost"},
       READ(Config, read_section<LedgerSettings>(in, n, p, ledger_settings(), out.ledger))},
      {{"catalogue", "text", "the built-in one",
        "file with the models of vendors and their prices, as `sluice models update` writes it; read again with this "
        "file"},
       read_catalogue},
      {{"admin", "section", "", "who may reach the admin API"},
       READ(Config, read_section<AdminSettings>(in, n, p, admin_settings(), out.admin))},
      {{"groups", "list of groups", "none", "users, teams and projects, and what their keys may do"}, read_groups},
      {{"keys", "list of keys", "none", "who may call; with keys, everybody must show one, also on this machine"},
       read_keys},
      {{"auth", "one of local, open, keys", "keys if there are any, else local",
        "who may call: programs on this machine, everybody who reaches the port, or who shows one of `keys`"},
       READ(Config, in.choice(n, p, auth_modes, out.auth))},
  }};
  return table;
}

#undef READ

}  // namespace sluice::config
