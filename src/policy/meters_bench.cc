// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <array>

#include "policy/meters.h"

namespace {

using namespace sluice;

void admit(benchmark::State& state, const std::array<Allowance, 3>& allowances) {
  static Meters meters;
  const std::array<MeteredNode, 3> chain = {{{.id = 1, .name = "key", .allowance = allowances.data()},
                                             {.id = 2, .name = "team", .allowance = &allowances[1]},
                                             {.id = 3, .name = "company", .allowance = &allowances[2]}}};
  MeterNumbers numbers;
  MeterTime now{.steady_ns = 1, .unix_ms = 1'798'718'400'000};
  for (auto _ : state) {
    now.steady_ns += 1'000'000;
    ++now.unix_ms;
    auto grant = meters.admit(chain, {.input_tokens = 100, .output_tokens = 10, .nano_dollars = 10}, now, numbers);
    if (grant) grant->settle(90, 9, now);
    benchmark::DoNotOptimize(grant);
  }
}
void nothing_set(benchmark::State& state) {
  admit(state, {});
}
void everything_set(benchmark::State& state) {
  constexpr std::int64_t plenty = 1'000'000'000'000;
  const Allowance all{.rates = {{RateLimit::Of::requests, RateLimit::Per::minute, plenty},
                                {RateLimit::Of::tokens, RateLimit::Per::minute, plenty}},
                      .max_concurrent = plenty,
                      .budgets = {{Budget::Per::day, plenty}, {Budget::Per::month, plenty}}};
  admit(state, {all, all, all});
}

BENCHMARK(nothing_set);
BENCHMARK(everything_set)->ThreadRange(1, 2);

}  // namespace
