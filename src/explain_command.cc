// SPDX-License-Identifier: MIT
#include "explain_command.h"

#include <cstdlib>
#include <iostream>
#include <random>

#include "base/json.h"
#include "base/text.h"
#include "call_gateway.h"
#include "config/url.h"
#include "files.h"
#include "wire/http1.h"

namespace sluice {
namespace {

int refuse(const std::string& sentence, int code = 2) {
  std::cerr << "sluice: " << sentence << '\n';
  return code;
}

int ask_gateway(const ExplainOptions& options) {
  const auto url = parse_url(options.url);
  if (!url || url->scheme != "http") return refuse("--url must be the http address of a gateway on this machine");
  std::string path = "/admin/api/explain?" + explain_query(options.ask);
  if (!options.json) path += "&format=text";
  const char* key = std::getenv("SLUICE_KEY");  // NOLINT(concurrency-mt-unsafe): nothing else runs
  const auto said = call_gateway(*url, {.path = path, .credential = key && http1::is_value(key) ? key : ""});
  if (!said) return refuse("there is no gateway at " + options.url);
  if (said->status != 200) return refuse(message_of(*said), said->status == 404 ? 1 : 2);
  std::cout << said->body << (options.json ? "\n" : "");
  return 0;
}

int ask_config(const ExplainOptions& options) {
  std::string yaml;
  if (!options.config.empty()) {
    auto text = read_file(options.config);
    if (!text) return refuse(text.error()->message);
    yaml = *std::move(text);
  }
  const Loaded loaded = load_config(yaml, options.config, process_environment);
  if (!loaded.ok()) {
    std::cerr << render(loaded.faults, yaml, options.config);
    return 2;
  }
  const auto snapshot = Snapshot::compile(loaded.config);
  HealthBook health;
  Turns turns;
  Dice dice(std::random_device{}());
  const auto directory = Directory::of(loaded.config);
  const auto told = explain(*snapshot, *directory, options.ask, {.health = health, .turns = turns, .dice = dice});
  if (!told) return refuse(told.error()->message, 1);
  std::cout << (options.json ? told->json + '\n' : told->text);
  return 0;
}

}  // namespace

int explain_command(ExplainOptions options) {
  for (const std::string& header : options.headers) {
    const auto equals = header.find('=');
    if (equals == std::string::npos) return refuse("a header is NAME=VALUE, not \"" + header + '"');
    options.ask.headers[lower(std::string_view(header).substr(0, equals))] = header.substr(equals + 1);
  }
  if (auto checked = read_explain(explain_query(options.ask)); !checked) return refuse(checked.error()->message);
  return options.url.empty() ? ask_config(options) : ask_gateway(options);
}

}  // namespace sluice
