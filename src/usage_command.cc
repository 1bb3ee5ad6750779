// SPDX-License-Identifier: MIT
#include "usage_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/money.h"
#include "base/text.h"
#include "call_gateway.h"
#include "config/config.h"
#include "config/snapshot.h"
#include "files.h"
#include "gateway/usage_words.h"
#include "ledger/books.h"
#include "ledger_service.h"
#include "store/sqlite_ledger.h"
#include "wire/http1.h"

namespace sluice {
namespace {

int refuse(std::string_view sentence) {
  std::cerr << "sluice: " << sentence << '\n';
  return 2;
}

int refuse(const Error& error) {
  return refuse(error.message + (error.detail.empty() ? "" : " (" + error.detail + ")"));
}

// The configuration, or nothing with a sentence on standard error.
std::optional<Config> configured(const std::string& path) {
  std::string yaml;
  if (!path.empty()) {
    auto text = read_file(path);
    if (!text) {
      refuse(text.error()->message);
      return std::nullopt;
    }
    yaml = *std::move(text);
  }
  Loaded loaded = load_config(yaml, path, process_environment);
  if (!loaded.ok()) {
    std::cerr << render(loaded.faults, yaml, path);
    return std::nullopt;
  }
  return std::move(loaded.config);
}

Result<std::unique_ptr<SqliteLedger>> open(const Config& config) {
  const std::string directory = config.ledger_path();
  if (directory.empty()) {
    return fail(Fault::bad_request,
                "This configuration keeps no ledger: set storage: sqlite:PATH, or a path below ledger.");
  }
  const std::string file = LedgerService::file_in(directory);
  if (!std::filesystem::exists(file))
    return fail(Fault::bad_request, "There is no ledger yet at " + file + ": it is made when the gateway starts.");
  return SqliteLedger::open(file, config.ledger.strict);
}

std::int64_t total(const std::array<std::int64_t, disjoint_buckets>& tokens, bool output) {
  constexpr auto first_output = static_cast<std::ptrdiff_t>(Bucket::output);
  const auto from = tokens.begin() + (output ? first_output : 0);
  const auto to = output ? tokens.end() : tokens.begin() + first_output;
  return std::accumulate(from, to, std::int64_t{0});
}

std::string shown(const UsageSum& sum) {
  return sum.what.empty() ? std::string("-") : sum.what;
}

void print_table(const std::string& by, const std::vector<UsageSum>& sums) {
  std::size_t wide = by.size();
  for (const UsageSum& sum : sums) wide = std::max(wide, shown(sum).size());
  std::cout << fmt::format("{:<{}}  {:>9}  {:>9}  {:>7}  {:>13}  {:>13}  {:>13}  {:>9}  {}\n", by, wide, "requests",
                           "calls", "failed", "input", "output", "estimated", "unpriced", "cost");
  UsageSum all{.what = "total"};
  std::int64_t input = 0, output = 0, estimated = 0;
  const auto line = [&](const UsageSum& sum, std::int64_t in, std::int64_t out, std::int64_t guessed) {
    std::cout << fmt::format("{:<{}}  {:>9}  {:>9}  {:>7}  {:>13}  {:>13}  {:>13}  {:>9}  ${}\n", shown(sum), wide,
                             sum.requests, sum.calls, sum.failed, in, out, guessed, sum.unpriced,
                             write_decimal(std::max<std::int64_t>(sum.nano_dollars, 0), 9));
  };
  for (const UsageSum& sum : sums) {
    const std::int64_t guessed = total(sum.estimated, false) + total(sum.estimated, true);
    line(sum, total(sum.exact, false), total(sum.exact, true), guessed);
    all.requests += sum.requests;
    all.calls += sum.calls;
    all.failed += sum.failed;
    all.unpriced += sum.unpriced;
    all.nano_dollars += sum.nano_dollars;
    input += total(sum.exact, false);
    output += total(sum.exact, true);
    estimated += guessed;
  }
  if (sums.size() > 1 && by != "tag") line(all, input, output, estimated);  // a call may have several tags
}

void print_csv(const std::string& by, const std::vector<UsageSum>& sums) {
  std::string head = by;
  for (const auto& [name, number] : numbers({})) head += ',' + name;
  std::cout << head << '\n';
  for (const UsageSum& sum : sums) {
    std::string line = "\"";
    for (const char c : sum.what) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
    for (const auto& [name, number] : numbers(sum)) line += ',' + std::to_string(number);
    std::cout << line << '\n';
  }
}

struct Told {
  std::vector<UsageSum> sums;
  std::string json;
};

Result<Told> ask_gateway(const UsageOptions& options) {
  const auto url = parse_url(options.url);
  if (!url || url->scheme != "http") return fail(Fault::bad_request, "--url must be the http address of a gateway");
  const UsageWords& words = options.words;
  std::string path = "/admin/api/usage?by=" + escaped(words.by) + "&since=" + escaped(words.since);
  if (!words.until.empty()) path += "&until=" + escaped(words.until);
  const char* key = std::getenv("SLUICE_ADMIN_KEY");  // NOLINT(concurrency-mt-unsafe): nothing else runs
  const auto said = call_gateway(*url, {.path = path, .credential = key && http1::is_value(key) ? key : ""});
  if (!said) return fail(Fault::upstream_unreachable, "there is no gateway at " + options.url);
  if (said->status != 200) return fail(Fault::upstream_failed, message_of(*said));
  Told out{.sums = {}, .json = said->body};
  TRY(out.sums, read_usage(words.by, said->body));
  return out;
}

Result<Told> ask_file(const UsageOptions& options, const Config& config) {
  Told out;
  TRY(const auto question, read_usage_words(options.words, unix_ms()));
  TRY(const auto store, open(config));
  TRY(out.sums, store->usage(question));
  out.json = write_usage(options.words.by, question, out.sums);
  return out;
}

}  // namespace

int usage_command(const UsageOptions& options) {
  std::optional<Config> config;
  if (options.url.empty()) {
    config = configured(options.config);
    if (!config) return 2;
  }
  const auto told = config ? ask_file(options, *config) : ask_gateway(options);
  if (!told) return refuse(told.error());
  if (options.json) {
    std::cout << told->json << '\n';
  } else if (options.csv) {
    print_csv(options.words.by, told->sums);
  } else {
    print_table(options.words.by, told->sums);
  }
  return 0;
}

int recompute_command(const UsageOptions& options) {
  auto config = configured(options.config);
  if (!config) return 2;
  const auto since = read_usage_time(options.words.since, "since", unix_ms());
  if (!since) return refuse(since.error());
  auto store = open(*config);
  if (!store) return refuse(store.error());
  const auto snapshot = Snapshot::compile(*std::move(config));
  std::vector<LedgerRow> anew;
  std::int64_t looked_at = 0, difference = 0;
  Pricer pricer;
  const auto read = (*store)->calls(*since, [&](const LedgerRow& row) {
    ++looked_at;
    const auto backend =
        std::ranges::find_if(snapshot->backends(), [&](const auto& b) { return b->name == row.backend; });
    if (backend == snapshot->backends().end()) return;
    const auto known = (*backend)->row(row.model);
    if (!known || known->price.empty()) return;
    LedgerRow again = row;
    again.price = write_price(known->price);
    if (again.price == row.price && row.formula_version == formula_version) return;
    pricer.price(again);
    if (again.nano_dollars == row.nano_dollars && again.unknown == row.unknown) return;
    ++again.revision;
    difference += again.nano_dollars - row.nano_dollars;
    anew.push_back(std::move(again));
  });
  if (!read) return refuse(read.error());
  for (std::size_t at = 0; at < anew.size(); at += 1000) {
    const auto written = (*store)->write(std::span(anew).subspan(at, std::min<std::size_t>(1000, anew.size() - at)));
    if (!written) return refuse(written.error());
  }
  std::cout << fmt::format("{} of {} calls cost otherwise now: {}${}\n", anew.size(), looked_at,
                           difference < 0 ? "-" : "+", write_decimal(std::abs(difference), 9));
  return 0;
}

}  // namespace sluice
