// The command line, and the wiring of the parts. SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "allocator.h"
#include "config/config.h"
#include "explain_command.h"
#include "files.h"
#include "keys_command.h"
#include "models_command.h"
#include "serve_command.h"
#include "usage_command.h"
#include "version.h"

namespace {

using sluice::Loaded;

int check(const std::string& path) {
  const auto text = sluice::read_file(path);
  if (!text) {
    std::cerr << "sluice: " << text.error()->message << '\n';
    return 2;
  }
  const Loaded loaded = sluice::load_config(*text, path, sluice::process_environment);
  std::cerr << sluice::render(loaded.faults, *text, path);
  if (!loaded.ok()) return 1;
  std::cout << path << ": the configuration is good\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  sluice::return_memory(false);
  CLI::App app("Sluice: one gateway in front of every model vendor", "sluice");
  app.set_version_flag("--version", std::string("sluice ") + std::string(sluice::version));
  app.require_subcommand(0, 1);
  std::string config;
  const auto with_config = [&](CLI::App* command) {
    command->add_option("-c,--config", config, "the configuration file; config.yaml here when there is one")
        ->check(CLI::ExistingFile);
  };
  with_config(&app);
  CLI::App* serve = app.add_subcommand("serve", "run the gateway (the default)");
  with_config(serve);
  bool takeover = false;
  bool detach = false;
  serve->add_flag(
      "--takeover", takeover,
      "take the place of the gateway that runs: its sockets, not its connections, which it brings to an end");
  serve->add_flag("--detach", detach, "return once the gateway serves; it runs on in the background");
  CLI::App* check_command = app.add_subcommand("check", "tell every fault of a configuration, with its place");
  std::string checked = "config.yaml";
  check_command->add_option("file", checked, "the configuration file")->capture_default_str();
  CLI::App* schema = app.add_subcommand("schema", "print the JSON Schema of config.yaml, for editors");
  CLI::App* reference = app.add_subcommand("reference", "print the reference of all settings, as Markdown");
  CLI::App* explain = app.add_subcommand("explain", "print who would be tried for a model, in which order, and why");
  with_config(explain);
  sluice::ExplainOptions asked;
  explain->add_option("model", asked.ask.model, "the model, as clients ask for it")->required();
  explain->add_option("--key", asked.ask.caller, "who asks: a key's name")->capture_default_str();
  explain->add_option("--dialect", asked.ask.dialect, "the client's dialect")->capture_default_str();
  explain->add_option("--header", asked.headers, "a field of the request, NAME=VALUE; may stand several times");
  explain->add_flag("--stream", asked.ask.stream, "a stream is asked for");
  explain->add_flag("--tools", asked.ask.tools, "there are tools");
  explain->add_flag("--vision", asked.ask.vision, "there are pictures");
  explain->add_option("--tokens", asked.ask.tokens, "tokens of input")->check(CLI::NonNegativeNumber);
  explain->add_option("--url", asked.url,
                      "ask the gateway that runs there, which knows how targets are; SLUICE_KEY is shown to it");
  explain->add_flag("--json", asked.json, "print JSON");
  CLI::App* models = app.add_subcommand("models", "what is known of vendors' models, and what they cost");
  models->require_subcommand(1);
  sluice::ModelsOptions known;
  CLI::App* list = models->add_subcommand("list", "print models with their windows and prices");
  with_config(list);
  list->add_option("--vendor", known.vendor, "of this vendor only");
  CLI::App* show = models->add_subcommand("show", "print all that is known of one model");
  with_config(show);
  show->add_option("model", known.model, "the model, or vendor/model")->required();
  CLI::App* update = models->add_subcommand("update", "make the table of models from the public table of prices");
  with_config(update);
  update->add_option("file", known.table, "LiteLLM's model_prices_and_context_window.json")->required();
  update->add_option("--out", known.out, "where to; else the configuration's catalogue, else models.txt");
  sluice::KeysOptions keys;
  sluice::add_keys_commands(app, keys);
  CLI::App* usage = app.add_subcommand("usage", "print what was used and what it cost, by the ledger");
  sluice::UsageOptions used;
  with_config(usage);
  usage->add_option("--by", used.words.by, "model, key, group, backend, tag, day, hour or minute")
      ->capture_default_str();
  usage->add_option("--since", used.words.since, "a time before now such as 7d, or a day such as 2026-11-01")
      ->capture_default_str();
  usage->add_option("--until", used.words.until, "likewise; else now");
  usage->add_option("--url", used.url, "ask the gateway there; SLUICE_ADMIN_KEY is shown to it");
  usage->add_flag("--json", used.json, "print JSON");
  usage->add_flag("--csv", used.csv, "print comma-separated values");
  CLI::App* recompute = usage->add_subcommand("recompute", "price anew what was called, by today's prices");
  with_config(recompute);
  recompute->add_option("--since", used.words.since, "from when on")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  if (*check_command) return check(checked);
  if (*schema) {
    std::cout << sluice::config_schema() << '\n';
    return 0;
  }
  if (*reference) {
    std::cout << sluice::config_reference();
    return 0;
  }
  if (config.empty() && std::filesystem::exists("config.yaml")) config = "config.yaml";
  known.config = config;
  if (*list) return sluice::list_models(known);
  if (*show) return sluice::show_model(known);
  if (*update) return sluice::update_models(known);
  if (!keys.collection.empty()) {
    if (keys.config.empty()) keys.config = config;
    return sluice::keys_command(keys);
  }
  if (*usage) {
    used.config = config;
    return *recompute ? sluice::recompute_command(used) : sluice::usage_command(used);
  }
  if (*explain) {
    asked.config = config;
    return sluice::explain_command(std::move(asked));
  }
  sluice::ServeOptions options{.config = config, .takeover = takeover, .serving = {}};
  return detach ? sluice::serve_detached(std::move(options)) : sluice::serve_command(std::move(options));
}
