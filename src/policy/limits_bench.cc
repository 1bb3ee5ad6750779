// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "policy/limits.h"

namespace {

using namespace sluice;

void admit(benchmark::State& state, const LimitSettings& settings) {
  static Limits limits;
  LimitNumbers numbers;
  Limits::Time now{};
  for (auto _ : state) {
    now += std::chrono::milliseconds(1);
    benchmark::DoNotOptimize(limits.admit("local", settings, now, numbers));
  }
}
void nothing_set(benchmark::State& state) {
  admit(state, {});
}
void everything_set(benchmark::State& state) {
  admit(state, {.all = {.requests_per_minute = 1'000'000, .concurrent_requests = 1000},
                .per_caller = {.requests_per_minute = 1'000'000, .concurrent_requests = 1000}});
}

BENCHMARK(nothing_set);
BENCHMARK(everything_set)->ThreadRange(1, 2);

}  // namespace
