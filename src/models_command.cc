// SPDX-License-Identifier: MIT
#include "models_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <vector>

#include "base/money.h"
#include "base/text.h"
#include "config/config.h"
#include "files.h"
#include "pricing/catalogue.h"
#include "pricing/price_table.h"

namespace sluice {
namespace {

int refuse(const std::string& sentence, int code = 2) {
  std::cerr << "sluice: " << sentence << '\n';
  return code;
}

// Also told: what is wrong with the file.
std::optional<Config> configured(const std::string& path) {
  if (path.empty()) return Config();
  const auto yaml = read_file(path);
  if (!yaml) {
    refuse(yaml.error()->message);
    return std::nullopt;
  }
  Loaded loaded = load_config(*yaml, path, process_environment);
  if (!loaded.ok()) {
    std::cerr << render(loaded.faults, *yaml, path);
    return std::nullopt;
  }
  return std::move(loaded.config);
}

std::string dollars(const CatalogueRow& row, Charge charge) {
  const auto rate = row.price.rate(charge);
  return rate ? '$' + write_decimal(*rate, per_million(charge) ? 9 : 15) : std::string("-");
}

std::string number(const std::optional<std::int64_t>& count) {
  return count ? std::to_string(*count) : std::string("-");
}

std::string full_name(const CatalogueRow& row) {
  return std::string(row.vendor) + '/' + std::string(row.model);
}

void print(const CatalogueRow& row) {
  std::string out = full_name(row) + "\n";
  const auto line = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("  {:<14}{}\n", name, value);
  };
  line("mode", row.mode);
  line("window", row.window ? number(row.window) + " tokens of input" : "");
  line("answer", row.answer ? number(row.answer) + " tokens at most" : "");
  line("ends", row.until);
  line("can", row.abilities);
  if (row.price.empty()) line("price", "not known");
  for (const Rate& rate : row.price.rates()) {
    std::string which(name(rate.charge));
    constexpr std::array<std::string_view, 4> lanes = {"", " in a batch", " flex", " priority"};
    which = '$' + write_decimal(rate.nano_per_million, per_million(rate.charge) ? 9 : 15) +
            (per_million(rate.charge) ? " per million tokens of " : " per ") + which +
            std::string(lanes.at(static_cast<std::size_t>(rate.lane)));
    if (rate.above > 0) which += ", with more than " + std::to_string(rate.above) + " tokens of input";
    line("price", which);
  }
  std::cout << out;
}

// How the new table differs, for people: what came, went, and has another price.
std::string difference(const Catalogue& before, const Catalogue& after) {
  int added = 0, gone = 0, changed = 0;
  for (const CatalogueRow& row : after.rows()) {
    const auto old = before.find(row.vendor, row.model);
    const bool same_name = old && old->model == row.model;
    added += same_name ? 0 : 1;
    changed += same_name && old->price != row.price ? 1 : 0;
  }
  for (const CatalogueRow& row : before.rows()) {
    const auto now = after.find(row.vendor, row.model);
    gone += now && now->model == row.model ? 0 : 1;
  }
  return fmt::format("{} new, {} gone, {} with another price", added, gone, changed);
}

// Whole or not at all: a gateway may read it at any time.
bool write_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    if (!(file << text) || !file.flush()) return false;
  }
  std::error_code bad;
  std::filesystem::rename(beside, path, bad);
  if (bad) errno = bad.value();
  return !bad;
}

}  // namespace

int list_models(const ModelsOptions& options) {
  const auto config = configured(options.config);
  if (!config) return 2;
  const auto rows = catalogue(*config).rows(options.vendor);
  if (rows.empty()) {
    std::set<std::string> vendors;
    for (const CatalogueRow& row : catalogue(*config).rows()) vendors.emplace(row.vendor);
    std::string names;
    for (const std::string& one : vendors) names += ' ' + one;
    return refuse("nothing is known of a vendor \"" + options.vendor + "\"; there are:" + names, 1);
  }
  std::size_t width = 5;
  for (const CatalogueRow& row : rows) width = std::max(width, full_name(row).size());
  std::string out =
      fmt::format("{:<{}}  {:>9}  {:>9}  {:>12}  {:>12}\n", "model", width, "window", "answer", "$/M in", "$/M out");
  for (const CatalogueRow& row : rows) {
    out += fmt::format("{:<{}}  {:>9}  {:>9}  {:>12}  {:>12}\n", full_name(row), width, number(row.window),
                       number(row.answer), dollars(row, Charge::input), dollars(row, Charge::output));
  }
  std::cout << out;
  return 0;
}

int show_model(const ModelsOptions& options) {
  const auto config = configured(options.config);
  if (!config) return 2;
  const Catalogue& all = catalogue(*config);
  const std::string_view asked = options.model;
  std::vector<CatalogueRow> found;
  if (const auto slash = asked.find('/'); slash != std::string_view::npos) {
    if (auto row = all.find(asked.substr(0, slash), asked.substr(slash + 1))) found.push_back(*std::move(row));
  }
  std::vector<std::string_view> names;
  if (found.empty()) {
    const std::string name = lower(asked);
    std::set<std::string_view> vendors;
    for (const CatalogueRow& row : all.rows()) {
      vendors.insert(row.vendor);
      names.push_back(row.model);
    }
    for (const std::string_view vendor : vendors) {
      if (auto row = all.find(vendor, name)) found.push_back(*std::move(row));
    }
  }
  for (const CatalogueRow& row : found) print(row);
  if (!found.empty()) return 0;
  std::string sentence = "nothing is known of a model \"" + visible_ascii(asked, 128) + "\"";
  if (const auto near = closest(asked, names); !near.empty())
    sentence += "; did you mean \"" + std::string(near.front()) + "\"?";
  return refuse(sentence, 1);
}

int update_models(const ModelsOptions& options) {
  // The configuration may name a catalogue that is only to be made.
  const auto yaml = options.config.empty() ? Result<std::string>() : read_file(options.config);
  if (!yaml) return refuse(yaml.error()->message);
  const auto json = read_file(options.table);
  if (!json) return refuse(json.error()->message);
  const Config config = load_config(*yaml, options.config, process_environment).config;
  const auto table = read_price_table(*json);
  if (!table) return refuse(options.table + ": " + table.error()->message);
  const auto made = Catalogue::read(table->text);
  if (!made) return refuse("the table cannot be read again: " + made.error()->message);
  const std::string changes = difference(catalogue(config), **made);
  const std::string& configured_path = config.catalogue;
  const std::string path = !options.out.empty()      ? options.out
                           : configured_path.empty() ? "models.txt"
                                                     : configured_path;
  if (!write_file(path, table->text)) return refuse("cannot write " + path + ": " + std::strerror(errno));
  std::cout << fmt::format("{}: {} models, {} of them with a price; {}\n", path, table->rows, table->priced, changes);
  if (path != configured_path)
    std::cout << "A gateway reads it with `catalogue: " << path << "` in its configuration.\n";
  return 0;
}

}  // namespace sluice
