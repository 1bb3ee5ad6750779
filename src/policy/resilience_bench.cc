// What one request pays for being routed: two targets looked up and ordered, one called, and the budgets.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "policy/balance.h"
#include "policy/health_book.h"
#include "policy/retry.h"

namespace sluice {
namespace {

void route(benchmark::State& state) {
  HealthBook book;
  RetryBudget retries;
  HedgeBudget hedges;
  Dice dice(1);
  const HealthSettings settings;
  const auto kind = static_cast<Balance>(state.range(0));
  std::int64_t now = 1'000'000;
  std::uint64_t turn = 0;
  for (auto _ : state) {
    now += 1;
    const Counted request = retries.enter();
    hedges.request();
    const std::shared_ptr<Health> healths[] = {book.of("openai/first", "gpt-4o-mini", now),
                                               book.of("azure/second", "gpt-4o-mini", now)};
    const Candidate candidates[] = {{.name = "openai/first", .view = healths[0]->view(now)},
                                    {.name = "azure/second", .view = healths[1]->view(now)}};
    const auto order = balance(kind, candidates, turn++, dice);
    Permit permit = healths[order[0]]->begin(now);
    permit.first_token(std::chrono::milliseconds(dice.below(1000)), now);
    permit.end(Outcome::worked, now, settings, dice);
  }
}
BENCHMARK(route)->DenseRange(0, 5);

}  // namespace
}  // namespace sluice
