// SPDX-License-Identifier: MIT
#include "gateway/race.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <utility>

#include "gateway/departure.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

// An attempt with a sleeper and a record of its own.
struct Runner {
  Runner(const Try& like, const Backend& of, std::size_t at)
      : sleeper(like.ex.worker.loop()),
        own{.ex = like.ex,
            .intake = like.intake,
            .question = like.question,
            .ask = like.ask,
            .company = nullptr,
            .sleeper = sleeper,
            .record = record,
            .relayed = relayed,
            .joins = like.joins},
        backend(of),
        place(at) {
    record.id = like.record.id;
    record.unix_ms = like.record.unix_ms;
  }

  net::Sleeper sleeper;
  Record record;
  std::string relayed;
  Try own;
  const Backend& backend;
  std::size_t place;
  Result<Answer> answer = fail(Fault::internal, "Not asked yet.");
  bool done = false;
  Task<void> task;
};

Task<void> run(Runner& runner, const Target& target, Permit permit, net::Sleeper& parent) {
  runner.answer = co_await attempt(runner.own, target, std::move(permit));
  runner.done = true;
  parent.wake();
}

// What the attempt has told becomes the exchange's.
void adopt(const Try& t, Runner& runner) {
  t.record.set_usage_apart();
  t.record.notes = std::move(runner.record.notes);
  t.record.served = std::move(runner.record.served);
  t.record.answered = runner.record.answered;
  t.record.finish = std::move(runner.record.finish);
  t.record.usage = std::move(runner.record.usage);
  t.record.estimated_output = runner.record.estimated_output;
  t.record.lane = std::move(runner.record.lane);
  t.relayed = std::move(runner.relayed);
  if (!runner.answer) return;
  if (runner.answer->flight) runner.answer->flight->sleep_with(t.sleeper);
  if (runner.answer->pump) runner.answer->pump->record_into(t.record);
}

}  // namespace

Task<Result<Answer>> race(const Try& t, const Target& first, std::size_t place, Permit permit, std::int64_t late_ms,
                          Second& second) {
  net::Loop& loop = t.ex.worker.loop();
  // Each may be on the stack when this task ends, so that the loop frees it. Whoever still sleeps is dropped before.
  std::array<std::unique_ptr<Runner>, 2> runners;
  const auto start = [&](std::size_t which, const Target& target, std::size_t at, Permit with) {
    runners[which] = std::make_unique<Runner>(t, *target.backend, at);
    runners[which]->own.hedge = which != 0;
    runners[which]->task = run(*runners[which], target, std::move(with), t.sleeper);
    runners[which]->task.start();
  };
  const auto drop = [&](std::unique_ptr<Runner>& runner) {
    second.given_up(runner->place);
    runner->record.set_usage_apart();
    std::ranges::move(runner->record.spent, std::back_inserter(t.record.spent));
    // Its call is dropped here, while what it borrowed lives. One that is over may be what woke this task, and is then
    // still on the stack; one that is not sleeps.
    if (runner->done) {
      runner->answer = fail(Fault::internal, "Too late.");
    } else {
      runner->task = {};
    }
    loop.bury(std::move(runner));
  };
  const auto running = [&] { return std::ranges::any_of(runners, [](const auto& one) { return one != nullptr; }); };
  t.record.set_usage_apart();
  t.record.answered = -1;  // nobody has, yet
  start(0, first, place, std::move(permit));
  std::int64_t every = t.company ? t.ex.settings().keep_alive.count() : 0;
  bool asked = false;  // the second, or nobody
  Result<Answer> out = fail(Fault::client_gone, "The client left.");
  bool over = false;
  for (;;) {
    for (auto& runner : runners) {
      if (!runner || !runner->done) continue;
      adopt(t, *runner);
      out = std::exchange(runner->answer, fail(Fault::internal, "Taken."));
      const std::size_t at = runner->place;
      loop.bury(std::move(runner));
      if (!out) second.failed(at, *out.error());
      if (running() && second.sets_aside(out)) continue;
      over = out || !fault_row(out.error()->fault).another_target_helps;
      if (over) break;
    }
    if (over || !running()) break;
    const std::int64_t keep_by = every != 0 ? t.ex.last_sent_ms + every : net::never;
    t.sleeper.deadline(std::min(keep_by, asked ? net::never : late_ms));
    const net::Woke woke = co_await t.sleeper.woken();
    if (woke == net::Woke::cancelled) {
      for (auto& runner : runners) {
        if (!runner) continue;
        if (!reads_on(t.ex, runner->backend)) {
          drop(runner);
        } else {
          runner->sleeper.deadline(std::min(runner->sleeper.deadline(), t.ex.left_by_ms));
        }
      }
      if (running()) {
        t.sleeper.clear();
        asked = true;  // nobody is asked for nobody
        every = 0;
        continue;
      }
      out = fail(Fault::client_gone, "The client left.");
      break;
    }
    if (std::ranges::any_of(runners, [](const auto& one) { return one && one->done; })) continue;
    const std::int64_t now = loop.now_ms();
    if (!asked && now >= late_ms) {
      asked = true;
      if (auto more = second.take(now)) start(1, *more->target, more->place, std::move(more->permit));
    }
    if (now >= keep_by) {
      auto kept = co_await t.company->keep(t.ex);
      if (!kept) {
        out = std::unexpected(std::move(kept).error());
        break;
      }
    }
  }
  for (auto& runner : runners) {
    if (runner) drop(runner);
  }
  co_return out;
}

}  // namespace sluice
