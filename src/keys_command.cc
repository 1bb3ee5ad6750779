// SPDX-License-Identifier: MIT
#include "keys_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <expected>
#include <iostream>
#include <memory>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "call_gateway.h"
#include "chance.h"
#include "config/node_settings.h"
#include "files.h"
#include "gateway/admin.h"
#include "store/sqlite_keys.h"
#include "wire/http1.h"

namespace sluice {
namespace {

int refuse(const std::string& sentence, int code = 2) {
  std::cerr << "sluice: " << sentence << '\n';
  return code;
}

// "month=12.50,hard_stop,alert_at=80%" as the API takes a budget; what it says is judged there.
void write_budget(json::Writer& out, std::string_view text) {
  out.begin_object();
  std::vector<std::string_view> alerts;
  for (bool first = true; first || !text.empty(); first = false) {
    const std::string_view part = trim(text.substr(0, text.find(',')));
    text.remove_prefix(
        std::min(text.size(), text.find(',') == std::string_view::npos ? text.size() : text.find(',') + 1));
    const auto equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals), value = part.substr(std::min(equals + 1, part.size()));
    if (first) {
      out.member("per", name).member("dollars", value);
    } else if (name == "alert_at") {
      alerts.push_back(value);
    } else {
      out.member(name, equals == part.size() ? std::string_view("true") : value);
    }
  }
  if (!alerts.empty()) {
    out.key("alert_at").begin_array();
    for (const std::string_view one : alerts) out.string(one);
    out.end_array();
  }
  out.end_object();
}

Result<std::string> body_of(const KeysOptions& options) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const auto& [name, value] : options.texts) {
    if (!value.empty()) out.member(name, value);
  }
  for (const auto& [name, values] : options.lists) {
    if (values.empty()) continue;
    out.key(name).begin_array();
    for (const std::string& one : values) out.string(one);
    out.end_array();
  }
  if (!options.budgets.empty()) {
    out.key("budgets").begin_array();
    for (const std::string& one : options.budgets) write_budget(out, one);
    out.end_array();
  }
  out.end_object();
  if (options.more.empty()) return text;
  if (options.verb != "update") return merge_patch(text, options.more);
  // A patch's null takes something away: it must arrive.
  json::Document doc;
  TRY(const auto root, doc.parse(options.more));
  if (!root.is_object()) return fail(Fault::bad_request, "--set takes a JSON object");
  if (text == "{}") return options.more;
  if (root.size() == 0) return text;
  const auto open = options.more.find('{');
  return text.substr(0, text.size() - 1) + ',' + options.more.substr(open + 1);
}

AdminAsk ask_of(const KeysOptions& options, std::string body) {
  AdminAsk out{.method = "GET", .path = options.collection};
  const std::string& verb = options.verb;
  if (verb == "create") {
    out.method = "POST";
  } else if (verb == "update") {
    out.method = "PATCH";
  } else if (verb == "delete") {
    out.method = "DELETE";
  } else if (verb != "list" && verb != "show") {
    out.method = "POST";
  }
  if (verb != "create" && verb != "list") out.path += '/' + options.name;
  if (verb == "rotate" || verb == "block" || verb == "unblock") out.path += '/' + verb;
  if (verb == "create" || verb == "update" || verb == "rotate") out.body = std::move(body);
  if (verb == "list") out.query = "limit=1000";
  return out;
}

std::expected<GatewaySaid, NoAnswer> over_http(const Url& url, const AdminAsk& ask, const KeysOptions& options) {
  std::string path = "/admin/api/" + options.collection;
  std::string_view rest = ask.path;
  rest.remove_prefix(options.collection.size());
  if (!rest.empty()) {
    path += '/' + escaped(options.name);
    rest.remove_prefix(1 + options.name.size());
    path += rest;
  }
  if (!ask.query.empty()) path += '?' + ask.query;
  return call_gateway(url, {.method = ask.method, .path = path, .credential = ask.credential, .body = ask.body});
}

std::string no_answer(NoAnswer why, const std::string& place) {
  if (why == NoAnswer::nobody) return "there is no gateway at " + place;
  return "the gateway at " + place + " did not answer; it may have done it: look with `list` before you ask again";
}

std::string column(json::Value row, std::string_view name) {
  return row[name].is_string() ? row[name].text() : std::string(row[name].raw());
}

// As people read it.
void show(std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root) return;
  if (const json::Value rows = (*root)["data"]) {
    for (const json::Value row : rows.elements()) {
      const std::string more = column(row, row["scope"] ? "scope" : "group");
      std::cout << fmt::format("{:<24} {:<18} {:<8} {:<16} {}\n", column(row, "name"), column(row, "id"),
                               column(row, "state"), more, column(row, "shown"));
    }
    if (rows.size() == 0) std::cout << "there is none\n";
    return;
  }
  for (const auto& [name, value] : root->members()) {
    if (name != "object" && name != "key") std::cout << fmt::format("{:<14} {}\n", name, column(*root, name));
  }
  if (const json::Value key = (*root)["key"]) std::cout << "\n" << key.text() << "\nThis is told once: keep it well.\n";
}

int tell(const GatewaySaid& said, const KeysOptions& options) {
  if (said.status < 200 || said.status >= 300) return refuse(message_of(said), 1);
  options.json ? static_cast<void>(std::cout << said.body << '\n') : show(said.body);
  return 0;
}

Result<Config> read_config(const std::string& path) {
  std::string yaml;
  if (!path.empty()) {
    TRY(yaml, read_file(path));
  }
  Loaded loaded = load_config(yaml, path, process_environment);
  if (loaded.ok()) return std::move(loaded.config);
  return fail(Fault::bad_request, "the configuration has faults; `sluice check` tells them");
}

Result<int> run(const KeysOptions& options) {
  TRY(auto body, body_of(options));
  AdminAsk ask = ask_of(options, std::move(body));
  if (!options.url.empty()) {
    const auto url = parse_url(options.url);
    if (!url || url->scheme != "http") return refuse("--url must be the http address of a gateway");
    const char* key = std::getenv("SLUICE_ADMIN_KEY");  // NOLINT(concurrency-mt-unsafe): nothing else runs
    ask.credential = key && http1::is_value(key) ? key : "";
    const auto said = over_http(*url, ask, options);
    return said ? tell(*said, options) : refuse(no_answer(said.error(), options.url));
  }
  TRY(const Config config, read_config(options.config));
  constexpr std::string_view file = "sqlite:";
  if (!config.storage.starts_with(file)) {
    return refuse(
        "keys that are made at run time need a place that lasts: put for example `storage: sqlite:sluice.db` into the "
        "configuration");
  }
  TRY(auto store, SqliteKeys::open(config.storage.substr(file.size())));
  TRY(const auto admin, Admin::open(std::move(store), unix_ms, chance));
  ask.credential = admin->ticket(ask);
  ask.peer = "command line";
  ask.near = true;
  const ServerSettings& server = config.server;
  const bool everywhere = server.host == "0.0.0.0" || server.host == "::";
  const Url url{.scheme = "http",
                .host = everywhere ? "127.0.0.1" : server.host,
                .port = static_cast<std::uint16_t>(server.port)};
  if (server.tls) {
    return refuse(
        "a gateway with TLS is asked with an admin key: curl https://…/admin/api/keys -H \"Authorization: Bearer "
        "$KEY\"");
  }
  const auto said = over_http(url, ask, options);
  if (said && said->status != 401) return tell(*said, options);
  if (said) {
    return refuse(
        fmt::format("the gateway on port {} keeps its keys in another file: run this in the folder where it "
                    "was started, with its configuration",
                    url.port));
  }
  // Done a second time, a secret that was told to nobody would be made.
  if (said.error() == NoAnswer::lost) return refuse(no_answer(NoAnswer::lost, fmt::format("port {}", url.port)), 1);
  TRY_VOID(admin->adopt(config));
  auto answer = admin->answer(ask);
  if (!answer) return refuse(answer.error()->message, 1);
  return tell({.status = answer->status, .body = std::move(answer->body)}, options);
}

}  // namespace

void add_keys_commands(CLI::App& app, KeysOptions& chosen) {
  struct Command {
    std::string_view collection, verb, sentence;
  };
  static constexpr Command commands[] = {
      {"keys", "create", "make a key; it is told once"},
      {"keys", "list", "print all keys"},
      {"keys", "show", "print what is known of a key"},
      {"keys", "update", "change what a key may do"},
      {"keys", "rotate", "give a key a new secret"},
      {"keys", "block", "let a key open nothing for now"},
      {"keys", "unblock", "let it open again"},
      {"keys", "delete", "take a key away for ever"},
      {"groups", "create", "make a group"},
      {"groups", "list", "print all groups"},
      {"groups", "show", "print what is known of a group"},
      {"groups", "update", "change what a group's keys may do"},
      {"groups", "block", "let no key of a group open anything for now"},
      {"groups", "unblock", "let them open again"},
      {"groups", "delete", "take an empty group away"},
      {"admins", "create", "make an admin key; it is told once"},
      {"admins", "list", "print all admin keys"},
      {"admins", "delete", "take an admin key away"},
  };
  const std::pair<std::string_view, std::string_view> parents[] = {
      {"keys", "keys of callers, made while the gateway runs"},
      {"groups", "users, teams and projects that keys belong to"},
      {"admins", "who may use the admin API"}};
  for (const auto& [collection, sentence] : parents) {
    CLI::App* parent = app.add_subcommand(std::string(collection), std::string(sentence));
    parent->require_subcommand(1);
    for (const Command& command : commands) {
      if (command.collection != collection) continue;
      CLI::App* one = parent->add_subcommand(std::string(command.verb), std::string(command.sentence));
      auto given = std::make_shared<KeysOptions>();
      one->add_option("-c,--config", chosen.config, "the configuration file; config.yaml here when there is one")
          ->check(CLI::ExistingFile);
      one->add_option("--url", given->url, "ask the gateway there; SLUICE_ADMIN_KEY is shown to it");
      one->add_flag("--json", given->json, "print JSON");
      const bool makes = command.verb == "create", changes = makes || command.verb == "update";
      if (command.verb != "list")
        one->add_option("name", given->name, makes ? "its name" : "its name or id")->required();
      // In their place before the options point at them.
      given->texts = {{"name", ""},   {"group", ""}, {"expires", ""}, {"kind", ""},
                      {"parent", ""}, {"scope", ""}, {"overlap", ""}, {"unknown_price", ""}};
      given->lists = {{"models", {}}, {"backends", {}}, {"dialects", {}}, {"from", {}}, {"tags", {}}};
      const auto text = [&](std::size_t at, const char* about) {
        one->add_option("--" + given->texts[at].first, given->texts[at].second, about);
      };
      if (changes && collection == "keys") text(1, "the group that it belongs to");
      if (changes && collection == "groups") {
        text(3, "team, user or project");
        text(4, "the group that it belongs to");
      }
      if (makes && collection == "admins") text(5, "read, keys or all; read when it is left out");
      if (command.verb == "rotate") text(6, "how long the old secret still opens; 24h when it is left out");
      if (changes && collection != "admins") {
        text(2, "when it ends: 2027-01-31T00:00:00Z");
        for (auto& [name, values] : given->lists)
          one->add_option("--" + name, values, "what is allowed, with commas between")->delimiter(',');
        one->add_option("--budget", given->budgets,
                        "dollars that it may spend: month=12.50, with day, week, month or total; more behind commas: "
                        "hard_stop, time_zone=Europe/Berlin, alert_at=80%; several times for several windows")
            ->allow_extra_args(false);
        one->add_option("--unknown-price", given->texts[7].second,
                        "what becomes of requests whose price nobody knows: allow or refuse");
        one->add_option("--set", given->more, "further settings, as a JSON object");
      }
      one->callback([&chosen, given, command, makes] {
        const std::string config = chosen.config;
        chosen = *given;
        chosen.config = config;
        chosen.collection = command.collection;
        chosen.verb = command.verb;
        if (makes) chosen.texts[0].second = chosen.name;
      });
    }
  }
}

int keys_command(const KeysOptions& options) {
  auto done = run(options);
  return done ? *done : refuse(done.error()->message);
}

}  // namespace sluice
