// SPDX-License-Identifier: MIT
#include "usage_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/money.h"
#include "base/text.h"
#include "config/config.h"
#include "config/snapshot.h"
#include "files.h"
#include "ledger/books.h"
#include "ledger_service.h"
#include "store/sqlite_ledger.h"

namespace sluice {
namespace {

using By = UsageQuestion::By;

int refuse(std::string_view sentence) {
  std::cerr << "sluice: " << sentence << '\n';
  return 2;
}

int refuse(const Error& error) {
  return refuse(error.message + (error.detail.empty() ? "" : " (" + error.detail + ")"));
}

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// "7d" before now, or the beginning of a day.
std::optional<std::int64_t> read_time(const std::string& text, std::int64_t now) {
  if (const auto ago = parse_duration(text)) return now - std::chrono::milliseconds(*ago).count();
  int y = 0;
  unsigned m = 0, d = 0;
  char more = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2u%c", &y, &m, &d, &more) != 3) return std::nullopt;  // NOLINT(cert-err34-c)
  const std::chrono::year_month_day date{std::chrono::year(y), std::chrono::month(m), std::chrono::day(d)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::sys_days(date).time_since_epoch()).count();
}

std::optional<By> read_by(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, By>, 7> words = {{{"model", By::model},
                                                                     {"key", By::key},
                                                                     {"group", By::group},
                                                                     {"backend", By::backend},
                                                                     {"day", By::day},
                                                                     {"hour", By::hour},
                                                                     {"tag", By::tag}}};
  const auto found = std::ranges::find(words, word, &std::pair<std::string_view, By>::first);
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

// The configuration, or nothing with a sentence on standard error.
std::optional<Config> configured(const std::string& path) {
  std::string yaml;
  if (!path.empty()) {
    auto text = read_file(path);
    if (!text) {
      refuse("cannot read " + path);
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

void print_table(const UsageOptions& options, const std::vector<UsageSum>& sums) {
  std::size_t wide = options.by.size();
  for (const UsageSum& sum : sums) wide = std::max(wide, shown(sum).size());
  std::cout << fmt::format("{:<{}}  {:>9}  {:>9}  {:>7}  {:>13}  {:>13}  {:>13}  {:>9}  {}\n", options.by, wide,
                           "requests", "calls", "failed", "input", "output", "estimated", "unpriced", "cost");
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
  if (sums.size() > 1 && options.by != "tag") line(all, input, output, estimated);  // a call may have several tags
}

template <class Each>
void each_number(const UsageSum& sum, Each each) {
  each("requests", sum.requests);
  each("calls", sum.calls);
  each("failed", sum.failed);
  for (std::size_t i = 0; i < disjoint_buckets; ++i) each(std::string(name(static_cast<Bucket>(i))), sum.exact.at(i));
  for (std::size_t i = 0; i < disjoint_buckets; ++i)
    each("estimated_" + std::string(name(static_cast<Bucket>(i))), sum.estimated.at(i));
  each("nano_dollars", sum.nano_dollars);
  each("unpriced", sum.unpriced);
}

void print_json(const UsageOptions& options, const UsageQuestion& question, const std::vector<UsageSum>& sums) {
  std::string out;
  json::Writer w(out);
  w.begin_object().member("by", options.by).member("since_ms", question.since_ms).member("until_ms", question.until_ms);
  w.key("rows").begin_array();
  for (const UsageSum& sum : sums) {
    w.begin_object().member(options.by, sum.what);
    each_number(sum, [&](const std::string& name, std::int64_t number) { w.member(name, number); });
    w.end_object();
  }
  w.end_array().end_object();
  std::cout << out << '\n';
}

void print_csv(const UsageOptions& options, const std::vector<UsageSum>& sums) {
  std::string head = options.by;
  each_number({}, [&](const std::string& name, std::int64_t) { head += ',' + name; });
  std::cout << head << '\n';
  for (const UsageSum& sum : sums) {
    std::string quoted;
    for (const char c : sum.what) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    std::string line = '"' + quoted + '"';
    each_number(sum, [&](const std::string&, std::int64_t number) { line += ',' + std::to_string(number); });
    std::cout << line << '\n';
  }
}

}  // namespace

int usage_command(const UsageOptions& options) {
  const auto config = configured(options.config);
  if (!config) return 2;
  const std::int64_t now = unix_ms();
  const auto by = read_by(options.by);
  const auto since = read_time(options.since, now);
  const auto until = options.until.empty() ? std::optional(now + 1) : read_time(options.until, now);
  if (!by) return refuse("--by is one of model, key, group, backend, day, hour, tag");
  if (!since || !until)
    return refuse("--since and --until are times before now such as 7d, or days such as 2026-11-01");
  auto store = open(*config);
  if (!store) return refuse(store.error());
  const UsageQuestion question{.by = *by, .since_ms = *since, .until_ms = *until};
  const auto sums = (*store)->usage(question);
  if (!sums) return refuse(sums.error());
  if (options.json) {
    print_json(options, question, *sums);
  } else if (options.csv) {
    print_csv(options, *sums);
  } else {
    print_table(options, *sums);
  }
  return 0;
}

int recompute_command(const UsageOptions& options) {
  auto config = configured(options.config);
  if (!config) return 2;
  const auto since = read_time(options.since, unix_ms());
  if (!since) return refuse("--since is a time before now such as 7d, or a day such as 2026-11-01");
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
