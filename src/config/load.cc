// Text -> Config: parse, read by the tables, then the checks that look at several settings at once.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>

#include "config/reading.h"
#include "config/url.h"
#include "providers/provider.h"

namespace sluice {
namespace {

using config::mark_of;
using config::quoted_name;
using config::Reading;

// Line of the marker or text that begins a second YAML document, 0 when there is none. By hand, because yaml-cpp 0.7
// reads only the first silently, and its LoadAll never ends on some broken files.
int second_document(std::string_view yaml) {
  int line = 0;
  bool begun = false, ended = false;
  while (!yaml.empty()) {
    ++line;
    const std::string_view text = yaml.substr(0, yaml.find('\n'));
    yaml.remove_prefix(std::min(text.size() + 1, yaml.size()));
    const bool marks = text.size() < 4 || text[3] == ' ' || text[3] == '\t' || text[3] == '\r';
    const auto first = text.find_first_not_of(" \t\r");
    if (text.starts_with("---") && marks) {
      if (begun) return line;
      begun = true;
    } else if (text.starts_with("...") && marks) {
      ended = begun;
    } else if (first != std::string_view::npos && text[first] != '#' && (begun || text[0] != '%')) {
      if (ended) return line;
      begun = true;
    }
  }
  return 0;
}

// The key from the vendor's own environment variables. Never for a server of another name: a key must not leave for a
// stranger because a type was borrowed.
void take_key_from_environment(Reading& in, BackendSettings& backend, const Provider& vendor) {
  if (backend.keyed()) return;
  if (!backend.base_url.empty() && provider(backend.name) != &vendor) return;
  for (const std::string_view name : vendor.key_env) {
    if (auto value = in.variable(std::string(name).c_str()); value && !value->empty()) {
      backend.api_key = Secret(std::move(*value));
      backend.api_key_from = name;
      return;
    }
  }
}

// The same for what signs requests instead of a key. All of the credentials come from one place.
void take_aws_from_environment(Reading& in, BackendSettings& backend, const Provider& vendor) {
  AwsSettings& aws = backend.aws;
  const auto first = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (auto value = in.variable(name); value && !value->empty()) return *std::move(value);
    }
    return std::string();
  };
  if (aws.region.empty()) aws.region = first({"AWS_REGION", "AWS_DEFAULT_REGION"});
  const bool stranger = !backend.base_url.empty() && provider(backend.name) != &vendor;
  if (stranger || backend.keyed() || !aws.access_key_id.empty()) return;
  aws.access_key_id = first({"AWS_ACCESS_KEY_ID"});
  aws.secret_access_key = Secret(first({"AWS_SECRET_ACCESS_KEY"}));
  aws.session_token = Secret(first({"AWS_SESSION_TOKEN"}));
}

void check_aws(Reading& in, BackendSettings& backend, const Provider& vendor) {
  const AwsSettings& aws = backend.aws;
  const YAML::Mark mark = mark_of(backend.mark);
  if (vendor.auth.kind != AuthKind::aws) {
    if (!aws.region.empty() || !aws.access_key_id.empty() || !aws.secret_access_key.empty())
      in.fault(mark, "the backend " + quoted_name(backend.name) + " has a section aws, but is no vendor in AWS",
               "remove it, or set type: bedrock");
    return;
  }
  take_aws_from_environment(in, backend, vendor);
  const auto in_region = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (!std::ranges::all_of(aws.region, in_region)) {
    in.fault(mark, "the backend " + quoted_name(backend.name) + " names no region of AWS: " + quoted_name(aws.region),
             "for example region: eu-central-1");
    return;
  }
  if (aws.access_key_id.empty() != aws.secret_access_key.empty()) {
    in.fault(mark, "the backend " + quoted_name(backend.name) + " has half of its AWS credentials",
             "set both access_key_id and secret_access_key");
  }
  if (backend.enabled && aws.region.empty() && (backend.base_url.empty() || !backend.keyed())) {
    in.warn(mark, "the backend " + quoted_name(backend.name) + " has no region, so it is off",
            "set aws.region or AWS_REGION");
  }
}

// Every backend and account has a name of its own.
void check_names(Reading& in, const Config& config) {
  std::map<std::string, const BackendSettings*, std::less<>> taken;
  for (const BackendSettings& backend : config.backends) taken.emplace(backend.name, &backend);
  for (const BackendSettings& backend : config.backends) {
    if (backend.accounts.size() < 2) continue;
    for (std::size_t i = 0; i < backend.accounts.size(); ++i) {
      const std::string name = backend.account_name(i);
      const auto [other, free] = taken.emplace(name, &backend);
      if (free) continue;
      const bool own = other->second == &backend;
      in.fault(mark_of(backend.accounts[i].mark),
               own ? "the account " + quoted_name(name) + " stands twice"
                   : "the account " + quoted_name(name) + " is called like a backend",
               own ? "give each account a name of its own" : "rename the backend or the account");
    }
  }
}

void check_accounts(Reading& in, const BackendSettings& backend, const Provider& vendor) {
  if (backend.accounts.empty()) return;
  const auto both = [&](std::string_view other) {
    in.fault(mark_of(backend.mark),
             "the backend " + quoted_name(backend.name) + " has accounts and " + std::string(other),
             "keep one of the two");
  };
  if (!backend.api_key.empty()) both("an api_key");
  if (!backend.aws.access_key_id.empty()) both("AWS credentials");
  if (vendor.auth.kind == AuthKind::none)
    in.fault(mark_of(backend.mark), "the backend " + quoted_name(backend.name) + " takes no key",
             "remove its accounts");
  for (std::size_t i = 0; i < backend.accounts.size(); ++i) {
    if (backend.accounts[i].key.empty() && backend.enabled)
      in.warn(mark_of(backend.accounts[i].mark),
              "the account " + quoted_name(backend.account_name(i)) + " has an empty key, so it is off");
  }
}

void check_backend(Reading& in, BackendSettings& backend) {
  const YAML::Mark mark = mark_of(backend.mark);
  const Provider* vendor = provider(backend.type.empty() ? backend.name : backend.type);
  if (!vendor) {
    std::string known;
    for (const Provider& p : providers()) known += " " + std::string(p.name);
    if (backend.type.empty()) {
      in.fault(mark, "the backend " + quoted_name(backend.name) + " is no known vendor and has no type",
               "add type: one of" + known);
    }
    return;
  }
  if (backend.name.find('/') != std::string::npos || backend.name.empty()) {
    in.fault(mark, "a backend's name may not be empty or hold \"/\"", "backend/model addresses a model of one backend");
  }
  if (backend.base_url.empty() && vendor->base_url.empty()) {
    in.fault(mark, "the backend " + quoted_name(backend.name) + " needs a base_url",
             "for example base_url: http://127.0.0.1:9001/v1");
  }
  for (const std::string& name : backend.dialects) {
    std::vector<std::string_view> spoken;
    for (const Endpoint& e : vendor->endpoints) {
      if (std::ranges::find(spoken, sluice::name(e.dialect)) == spoken.end()) spoken.push_back(sluice::name(e.dialect));
    }
    if (std::ranges::find(spoken, name) == spoken.end()) {
      std::string list;
      for (const auto one : spoken) list += " " + std::string(one);
      in.fault(mark, "the backend " + quoted_name(backend.name) + " lists a dialect that it does not speak",
               "it speaks:" + list);
    }
  }
  check_accounts(in, backend, *vendor);
  take_key_from_environment(in, backend, *vendor);
  check_aws(in, backend, *vendor);
  const bool own_place = backend.base_url.empty();
  if (backend.enabled && !backend.keyed() && !backend.aws.complete() && vendor->key_required && own_place) {
    std::string names;
    for (const auto env : vendor->key_env) names += (names.empty() ? "" : " or ") + std::string(env);
    if (vendor->auth.kind == AuthKind::aws) names += ", or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    in.warn(mark, "the backend " + quoted_name(backend.name) + " has no key, so it is off", "set " + names);
  }
  if (!backend.models && vendor->owns.empty()) {
    in.fault(mark, "the backend " + quoted_name(backend.name) + " needs a list of models",
             "for example models: [\"*\"]");
  }
}

void backends_from_environment(Reading& in, Config& config) {
  for (const Provider& vendor : providers()) {
    BackendSettings backend{.name = std::string(vendor.name)};
    take_key_from_environment(in, backend, vendor);
    bool held = !backend.api_key.empty();
    if (vendor.auth.kind == AuthKind::aws) {
      take_aws_from_environment(in, backend, vendor);
      held = !backend.aws.region.empty() && (held || backend.aws.complete());
    }
    if (held && !vendor.owns.empty()) config.backends.push_back(std::move(backend));
  }
}

// Who may call is said once: what two settings say differently would leave one of them without effect.
void check_callers(Reading& in, const YAML::Node& root, Config& config) {
  const bool keys = root.IsMap() && root["keys"];
  if (config.auth.empty()) {
    config.auth = keys ? "keys" : "local";
    return;
  }
  const YAML::Mark mark = root["auth"].Mark();
  if (config.auth == "keys" && !keys && config.storage == "memory") {
    in.fault(mark, "`auth: keys` needs a list of keys, or a storage for keys that are made at run time",
             "for example keys: [{name: team-a, key: \"${TEAM_A_KEY}\"}]");
  } else if (config.auth != "keys" && keys) {
    const std::string_view who = config.auth == "open" ? "everybody" : "every program on this machine";
    in.fault(mark, "`auth: " + config.auth + "` lets " + std::string(who) + " in without a key, but there are keys",
             "remove this line, and everybody needs a key; or remove the keys");
  }
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read at start and on reload, never set
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::string BackendSettings::account_name(std::size_t place) const {
  if (accounts.size() < 2) return name;
  const std::string& own = accounts[place].name;
  return name + '.' + (own.empty() ? std::to_string(place + 1) : own);
}

std::string ServerSettings::handover_address() const {
  return handover.empty() ? "@sluice-" + std::to_string(port) : handover;
}

bool Loaded::ok() const {
  return std::ranges::all_of(faults, [](const ConfigFault& f) { return f.warning; });
}

Loaded load_config(std::string_view yaml, std::string source, Environment environment) {
  Loaded loaded;
  loaded.config.source = std::move(source);
  Reading in(environment);
  try {
    // Without the white space at its end: yaml-cpp takes a quote that is never closed for one that the last line
    // closes.
    const auto end = yaml.find_last_not_of(" \t\r\n");
    const YAML::Node root = YAML::Load(std::string(yaml.substr(0, end == std::string_view::npos ? 0 : end + 1)));
    config::read_section<Config>(in, root, "", config::root_settings(), loaded.config);
    check_callers(in, root, loaded.config);
    if (!root.IsMap() || !root["backends"]) backends_from_environment(in, loaded.config);
  } catch (const YAML::Exception& broken) {
    in.fault(broken.mark, "this is not YAML: " + broken.msg);
  }
  if (const int line = second_document(yaml); line > 0) {
    in.fault(mark_of({line, 1}), "the file holds more than one YAML document", "only the first would be read");
  }
  for (BackendSettings& backend : loaded.config.backends) check_backend(in, backend);
  check_names(in, loaded.config);
  config::check_routes(in, loaded.config);
  config::check_groups(in, loaded.config);
  if (const auto port = environment("PORT"); port && !port->empty()) {
    char* end = nullptr;
    const long number = std::strtol(port->c_str(), &end, 10);
    if (*end != '\0' || number < 1 || number > 65535) {
      in.fault(YAML::Mark::null_mark(),
               "PORT in the environment must be a number from 1 to 65535, not " + quoted_name(*port));
    } else {
      loaded.config.server.port = number;
    }
  }
  std::ranges::stable_sort(in.faults, {}, [](const ConfigFault& f) { return std::pair(f.mark.line, f.mark.column); });
  loaded.faults = std::move(in.faults);
  return loaded;
}

}  // namespace sluice
