// SPDX-License-Identifier: MIT
#include "gateway/failover.h"

#include <algorithm>

#include "gateway/worker.h"
#include "policy/clocks.h"
#include "wire/http1.h"

namespace sluice {

namespace {

// Until when the request has to be answered, all its calls together.
std::int64_t deadline(const Exchange& ex, Millis own) {
  const TimeoutChanges* asked = ex.asked_timeouts.get();
  return ex.by(asked ? within(own, asked->total, ex.settings().request_timeouts.total) : own);
}

}  // namespace

const FailoverSettings& failover(const Exchange& ex) {
  return ex.route ? ex.route->failover : ex.snapshot->config().failover;
}

Course course_over(Exchange& ex, const std::vector<Target>& targets) {
  const FailoverSettings& settings = failover(ex);
  std::vector<Course::Known> known;
  known.reserve(targets.size());
  Shared& shared = ex.worker.shared();
  const std::int64_t now = ex.worker.loop().now_ms();
  for (const Target& target : targets) {
    const Backend& backend = *target.backend;
    known.emplace_back(backend.demo() ? nullptr : shared.health.of(backend.name, target.model, now),
                       backend.max_concurrent > 0 ? &shared.gates.of(backend.name) : nullptr);
  }
  ex.deadline_ms = deadline(ex, settings.deadline);
  const CourseRules rules{.attempts = settings.attempts,
                          .longest_wait_ms = settings.longest_wait.count(),
                          .deadline_ms = ex.deadline_ms,
                          .rests = settings.breaker.enabled};
  return {std::move(known), rules, shared.retries};
}

Task<Result<bool>> sleep_until(Exchange& ex, net::Sleeper& sleeper, std::int64_t at_ms, Company* company) {
  net::Loop& loop = ex.worker.loop();
  const std::int64_t every = company ? ex.settings().keep_alive.count() : 0;
  while (loop.now_ms() < at_ms) {
    const std::int64_t keep_by = every != 0 ? ex.last_sent_ms + every : net::never;
    sleeper.deadline(std::min(at_ms, keep_by));
    const net::Woke woke = co_await sleeper.woken();
    if (woke == net::Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
    if (loop.now_ms() >= keep_by) CO_TRY_VOID(co_await company->keep(ex));
  }
  co_return true;
}

void say_when(Error& error, const Course& course, Exchange& ex) {
  const bool later = error.fault == Fault::upstream_limited || error.fault == Fault::upstream_overloaded;
  const auto ready = later ? course.ready_in_ms(ex.worker.loop().now_ms()) : std::nullopt;
  if (ready) error.retry_after = std::chrono::milliseconds(*ready);
  if (fault_row(error.fault).blame == Blame::upstream && course.exhausted() && ex.record.attempts.size() > 1)
    http1::append_field(ex.relayed_fields, "x-should-retry", "false");
}

}  // namespace sluice
