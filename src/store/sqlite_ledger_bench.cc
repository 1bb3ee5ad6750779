// How long a question about usage takes: the file is opened and asked, as `sluice usage` does it, in a ledger of ten
// million rows. The first run fills it and keeps it (SLUICE_LEDGER_FILE, SLUICE_LEDGER_ROWS, SLUICE_LEDGER_KEYS).
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "store/many_rows_test.h"
#include "store/sqlite_ledger.h"

namespace {

using namespace sluice;
using By = UsageQuestion::By;

constexpr std::int64_t minute = 60'000, day = 24 * 60 * minute;
constexpr std::int64_t rows_per_exchange_x20 = 41;  // one of twenty has two calls
// Late on the 30th of November 2026, so that most of a time is in days and hours, and little in whole months.
constexpr std::int64_t now = 1'796'082'960'000;

std::string setting(const char* name, std::string otherwise) {
  const char* const told = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return told ? told : std::move(otherwise);
}

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "%s %s\n", error.message.c_str(), error.detail.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): there is one
}

std::unique_ptr<SqliteLedger> open(const std::string& path) {
  auto opened = SqliteLedger::open(path, false);
  if (!opened) give_up(*opened.error());
  return std::move(*opened);
}

void fill(const std::string& path, std::int64_t rows, std::uint64_t keys) {
  const std::string unfinished = path + ".unfinished";
  for (const char* more : {"", "-wal", "-shm"}) std::filesystem::remove(unfinished + more);
  const auto began = std::chrono::steady_clock::now();
  {
    const auto store = open(unfinished);
    ManyRows source(
        {.exchanges = rows * 20 / rows_per_exchange_x20, .from_ms = now - 401 * day, .to_ms = now, .keys = keys});
    std::vector<LedgerRow> some;
    std::size_t written = 0;
    for (bool more = true; more;) {
      more = source.next(some);
      if (more && some.size() < 20'000) continue;
      const auto fresh = store->write(some);
      if (!fresh) give_up(*fresh.error());
      written += *fresh;
      some.clear();
    }
    if (auto done = store->forget(now - 401 * day, now); !done) give_up(*done.error());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::fprintf(stderr, "%zu rows written in %.0f s\n", written, took.count());
  }
  std::filesystem::rename(unfinished, path);
}

const std::string& filled() {
  static const std::string path = [] {
    const std::string rows = setting("SLUICE_LEDGER_ROWS", "10000000");
    const std::string keys = setting("SLUICE_LEDGER_KEYS", "200");
    std::string out =
        setting("SLUICE_LEDGER_FILE", SLUICE_SOURCE_DIR "/build/bench/ledger-" + rows + "-" + keys + ".db");
    std::filesystem::create_directories(std::filesystem::path(out).parent_path());
    if (!std::filesystem::exists(out)) fill(out, std::stoll(rows), std::stoull(keys));
    return out;
  }();
  return path;
}

void ask(benchmark::State& state, By by, std::int64_t days) {
  const std::string& path = filled();
  std::size_t answers = 0;
  for (auto _ : state) {
    const auto store = open(path);
    const auto told = store->usage({.by = by, .since_ms = now - days * day, .until_ms = now + 1});
    if (!told) give_up(*told.error());
    answers = told->size();
  }
  state.counters["answers"] = static_cast<double>(answers);
}

constexpr std::array<std::pair<const char*, By>, 8> questions = {{{"model", By::model},
                                                                  {"key", By::key},
                                                                  {"group", By::group},
                                                                  {"backend", By::backend},
                                                                  {"tag", By::tag},
                                                                  {"day", By::day},
                                                                  {"hour", By::hour},
                                                                  {"minute", By::minute}}};

[[maybe_unused]] const bool registered = [] {
  for (const auto& [word, by] : questions) {
    for (const int days : {30, 400}) {
      const std::string name = std::string("usage/") + word + '/' + std::to_string(days) + 'd';
      benchmark::RegisterBenchmark(name.c_str(), [by, days](benchmark::State& state) {
        ask(state, by, days);
      })->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
