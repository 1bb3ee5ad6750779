// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "telemetry/access_log.h"
#include "telemetry/metrics.h"
#include "telemetry/sample_record.h"

namespace {

using namespace sluice;

Record ordinary() {
  Record r = sample_record();
  r.attempts.erase(r.attempts.begin());
  r.notes.clear();
  return r;
}

void exchange_json(benchmark::State& state) {
  const Record record = ordinary();
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_exchange_json(out, record, LogLevel::info);
    benchmark::DoNotOptimize(out.data());
  }
}
void exchange_text(benchmark::State& state) {
  const Record record = ordinary();
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_exchange_text(out, record, LogLevel::info, LogStyle::text);
    benchmark::DoNotOptimize(out.data());
  }
}
// With the copy to the writer, whose thread writes to nowhere at the same time.
void exchange_taken(benchmark::State& state) {
  LogWriter writer;
  Log log(writer, [] { return std::int64_t{0}; });
  if (!log.apply({.file = "/dev/null"})) return state.SkipWithError("cannot open /dev/null");
  AccessLog sink(log);
  const Record record = ordinary();
  for (auto _ : state) sink.take(record);
}

void metrics_same_model(benchmark::State& state) {
  Metrics metrics("0");
  const Record record = ordinary();
  for (auto _ : state) metrics.take(record);
}
void metrics_ten_models_in_turn(benchmark::State& state) {
  Metrics metrics("0");
  std::vector<Record> records(10, ordinary());
  for (std::size_t i = 0; i < records.size(); ++i) records[i].attempts[0].model += std::to_string(i);
  std::size_t i = 0;
  for (auto _ : state) metrics.take(records[i++ % records.size()]);
}
void metrics_page(benchmark::State& state) {
  Metrics metrics("0");
  Record record = ordinary();
  for (int i = 0; i < 50; ++i) {
    record.attempts[0].model = "model-" + std::to_string(i);
    metrics.take(record);
  }
  for (auto _ : state) benchmark::DoNotOptimize(metrics.text({}));
}

BENCHMARK(exchange_json);
BENCHMARK(exchange_text);
BENCHMARK(exchange_taken);
BENCHMARK(metrics_same_model);
BENCHMARK(metrics_ten_models_in_turn);
BENCHMARK(metrics_page);

}  // namespace
