// SPDX-License-Identifier: MIT
#include "gateway/mirror.h"

#include <algorithm>

#include "gateway/allowed.h"
#include "gateway/choose.h"
#include "gateway/failover.h"
#include "gateway/metering.h"
#include "gateway/session.h"
#include "gateway/worker.h"
#include "policy/balance.h"
#include "policy/plan.h"

namespace sluice {
namespace {

// The names and values behind each other; the intake's views then point there.
std::string join(const std::vector<HeaderView>& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out.append(name).append(value);
  return out;
}

Intake copy_of(const Intake& from, const Entry& entry, std::string_view body, std::string_view fields) {
  Intake out{.entry = entry, .body = body};
  for (const auto& [name, value] : from.headers) {
    out.headers.emplace_back(fields.substr(0, name.size()), fields.substr(name.size(), value.size()));
    fields.remove_prefix(name.size() + value.size());
  }
  if (from.held && !from.held->body.empty()) {
    // The conversation that is held here stands in the body already.
    out.held = std::make_unique<HeldState>();
    out.held->body = body;
  }
  return out;
}

// Reads the answer to its end.
Task<Result<bool>> read_out(Exchange& ex, Answer& answer) {
  Flight& flight = *answer.flight;
  Pump& pump = *answer.pump;
  while (!pump.over()) {
    answer.held.clear();
    std::string_view piece;
    CO_TRY(const auto got, co_await flight.next(piece, nullptr));
    got == Flight::Got::end ? pump.end(answer.held) : pump.feed(piece, answer.held);
    ex.record.estimated_output = pump.heard();
    auto paid = ex.metering ? ex.metering->heard(ex, flight.place(), pump.heard()) : Result<void>();
    if (paid) continue;
    flight.failed(paid.error());
    co_return std::unexpected(std::move(paid).error());
  }
  if (const Error* failed = pump.failed()) {
    flight.failed(*failed);
    co_return fail(*failed);
  }
  co_await finish_flight(ex, flight);
  co_return true;
}

// Where a copy goes, and by which right.
struct Way {
  Target target;
  Permit permit;
};
// Nothing when nobody may take it now: a mirror waits for nothing.
std::optional<Way> way(const Try& t, const Route::Mirror& mirror) {
  Shared& shared = t.ex.worker.shared();
  const std::int64_t now = t.ex.worker.loop().now_ms();
  if (t.intake.held && !t.intake.held->backend.empty()) return std::nullopt;  // only its holder can go on from it
  auto target = pick(mirror.way, t.intake.peek.model, odds(t.ex));
  if (!target) return std::nullopt;
  Way out{.target = *std::move(target), .permit = {}};
  const Backend& backend = *out.target.backend;
  if (!allows(t.ex.key, backend)) return std::nullopt;
  if (backend.demo()) return out;
  Seat place;
  if (backend.max_concurrent > 0) {
    place = shared.gates.of(backend.name).take();
    if (!place) return std::nullopt;
  }
  const bool anyway = !failover(t.ex).breaker.enabled;
  out.permit = shared.health.of(backend.name, out.target.model, now)->begin(now, anyway);
  if (!out.permit) return std::nullopt;
  out.permit.hold(std::move(place));
  return out;
}

}  // namespace

Mirror::Mirror(const Try& of, Target target, Permit permit, Mirrors::Copy copy)
    : sleeper_(of.ex.worker.loop()),
      nobody_(net::Socket(), sleeper_, of.ex.worker.scratch()),
      entry_(of.intake.entry),
      body_(of.intake.body),
      fields_(join(of.intake.headers)),
      intake_(copy_of(of.intake, entry_, body_, fields_)),
      ex_(of.ex.worker, nobody_),
      target_(std::move(target)),
      permit_(std::move(permit)),
      copy_(std::move(copy)) {
  const Exchange& from = of.ex;
  ex_.snapshot = from.snapshot;
  ex_.dialect = from.dialect;
  ex_.route = from.route;
  ex_.directory = from.directory;
  ex_.key = from.key;
  ex_.tenant = from.tenant;
  ex_.mirror = true;
  Record& record = ex_.record;
  const Heading& heading = from.record;
  static_cast<Heading&>(record) = heading;
  record.mirror_of = from.record.id;
  record.bytes_in = body_.size();
}

void Mirror::start() {
  task_ = run();
  task_.start();
}

// A copy costs its caller money, and counts as nothing else.
Result<void> Mirror::pay() {
  std::vector<Target> targets{target_};
  return Metering::admit(ex_, {.body = body_, .members = intake_.peek.members, .stream = intake_.peek.stream}, targets);
}

Task<Result<bool>> Mirror::ask() {
  CO_TRY(intake_.peek, entry_.dialect->peek(intake_.asked()));
  if (ex_.key && ex_.key->has_budget) CO_TRY_VOID(pay());
  const Question question{.model = intake_.peek.model,
                          .exchange_id = ex_.record.id,
                          .unix_seconds = ex_.unix_seconds(),
                          .usage_asked = intake_.peek.usage_asked,
                          .stream_array = intake_.peek.stream_array,
                          .asked = intake_.peek.members};
  Ask ask(ex_, intake_);
  const Try once{.ex = ex_,
                 .intake = intake_,
                 .question = question,
                 .ask = ask,
                 .company = nullptr,
                 .sleeper = sleeper_,
                 .record = ex_.record,
                 .relayed = ex_.relayed_fields};
  CO_TRY(auto answer, co_await attempt(once, target_, std::move(permit_)));
  if (answer.flight && answer.pump) co_return co_await read_out(ex_, answer);
  co_return true;
}

Task<void> Mirror::run() {
  auto done = co_await ask();
  Record& record = ex_.record;
  record.status = done ? 200 : done.error()->http_status();
  if (!done) {
    record.fault = done.error()->fault;
    record.error = done.error()->message;
    record.detail = done.error()->detail;
  }
  ex_.bill.settle(ex_, done ? nullptr : &*done.error());
  settle(ex_);
  ex_.worker.ended(*this);
}

void mirror(const Try& t) {
  Worker& worker = t.ex.worker;
  Shared& shared = worker.shared();
  for (const Route::Mirror& one : t.ex.route->mirrors) {
    if (!falls_in(one.share, shared.branch_turns.take(one.id, false))) continue;
    Mirrors::Copy copy = shared.mirrors.begin(one.id, one.max_concurrent);
    auto goes = copy && !worker.draining() ? way(t, one) : std::nullopt;
    if (!goes) {
      shared.mirrors.dropped();
      continue;
    }
    worker.mirror(std::make_unique<Mirror>(t, std::move(goes->target), std::move(goes->permit), std::move(copy)));
  }
}

}  // namespace sluice
