// SPDX-License-Identifier: MIT
#include "gateway/resume.h"

#include <algorithm>

#include "dialects/continuation.h"
#include "dialects/estimate.h"
#include "gateway/ask.h"
#include "gateway/attempt.h"
#include "gateway/failover.h"
#include "gateway/line_up.h"
#include "gateway/verdict.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

constexpr std::size_t most_rest = 4 * 1024 * 1024;  // of an answer that comes whole

// Where the one that answered stands among the targets.
std::size_t place_of(const Reserve& reserve, const Target& target) {
  const auto same = [&](const Target& one) {
    return one.backend == target.backend && one.leg == target.leg && one.model == target.model;
  };
  return static_cast<std::size_t>(std::ranges::find_if(reserve.targets, same) - reserve.targets.begin());
}

// What the stream used that broke off, as far as nobody told.
Usage used(const ChatRequest& asked, const Pump& pump, std::string_view model) {
  return {.input = count_input(asked, model), .output = count_text(pump.joint().said_here(), model)};
}

// What could not be said to the target that goes on stands in the record once.
void add_notes(Record& record, const Notes& notes) {
  for (const Note& note : notes.all()) {
    if (std::ranges::find(record.notes, note) == record.notes.end()) record.notes.push_back(note);
  }
}

// The pump takes the rest of its answer from this flight.
[[gnu::noinline]] void join(Record& record, Answer& answer, std::unique_ptr<Flight> flight, Outgoing& out,
                            const Flight::Head& head, const Usage& used) {
  answer.pump->go_on({.upstream = out.spoken,
                      .content_type = head.content_type,
                      .undo = std::move(out.undo),
                      .backend = flight->target().backend->name},
                     used);
  record.answered = static_cast<std::int32_t>(flight->place());
  record.spent.push_back({.attempt = answer.flight->place(), .usage = answer.pump->joint().last(), .part = true});
  answer.flight = std::move(flight);
}

// The rest of an answer that came whole, or a refusal.
[[gnu::noinline]] Result<void> join_whole(Record& record, Answer& answer, std::unique_ptr<Flight> flight, Outgoing& out,
                                          const Flight::Head& head, std::string body, const Usage& used) {
  const Secret& key = flight->target().backend->key;
  Result<Reply> reply = head.status >= 200 && head.status < 300 && head.status != 204
                            ? out.spoken->read_reply(body)
                            : fail(read_refusal(*out.spoken, head, std::move(body), key, false));
  flight->first_token();
  if (!reply) {
    flight->refused(reply.error());
    return std::unexpected(std::move(reply).error());
  }
  flight->land();
  join(record, answer, std::move(flight), out, head, used);
  answer.pump->rest(*reply, answer.held);
  answer.flight.reset();  // it has landed
  return {};
}

// One call for the rest. The answer is as it was when it fails.
Task<Result<bool>> call_for_rest(Exchange& ex, Answer& answer, Ask& ask, const Target& target, Permit permit,
                                 const Usage& used, Company* company) {
  if (target.backend->demo()) co_return fail(Fault::unsupported, "The demo goes on with nobody's words.");
  auto flight = std::make_unique<Flight>(ex, target, true, std::move(permit));
  Outgoing out;
  Notes notes;
  auto written = ask.write(target, flight->line(), out, notes);
  if (written) written = keep_strict(ex, notes.all(), target);
  if (!written) {
    flight->failed(written.error());
    co_return std::unexpected(std::move(written).error());
  }
  auto head = co_await flight->begin(out.head, out.body, company);
  if (!head) {
    flight->failed(head.error());
    co_return std::unexpected(std::move(head).error());
  }
  if (head->status == 200 && head->event_stream) {
    join(ex.record, answer, std::move(flight), out, *head, used);
  } else {
    auto body = co_await flight->take_all(company, most_rest);
    if (!body) {
      flight->failed(body.error());
      co_return std::unexpected(std::move(body).error());
    }
    auto joined = join_whole(ex.record, answer, std::move(flight), out, *head, *std::move(body), used);
    if (!joined) co_return std::unexpected(std::move(joined).error());
  }
  add_notes(ex.record, notes);
  co_return true;
}

}  // namespace

bool may_be_joined(const Exchange& ex, const Intake& intake) {
  if (!ex.route || !ex.route->resume || !intake.peek.stream) return false;
  // What a vendor holds is gone on from at that vendor, by the names that it gives.
  const HeldState* held = intake.held.get();
  return held == nullptr || held->found || (held->asked.previous.empty() && held->asked.conversation.empty());
}

void keep_question(Answer& answer, Intake& intake, Plan& plan) {
  answer.reserve->intake = std::make_unique<const Intake>(std::move(intake));
  answer.reserve->targets = std::move(plan.targets);
}

Task<Result<bool>> go_on(Exchange& ex, Answer& answer, const Error& broke, Company* company) {
  Reserve& reserve = *answer.reserve;
  Worker& worker = ex.worker;
  if (!fault_row(broke.fault).another_target_helps || !answer.pump->may_go_on()) co_return false;
  Ask ask(ex, *reserve.intake);
  const auto asked = ask.conversation();
  if (!asked || !may_be_continued(**asked)) co_return false;
  const Target failed = answer.flight->target();
  reserve.course.failed(place_of(reserve, failed), broke, worker.loop().now_ms());
  const Usage spent = used(**asked, *answer.pump, failed.model);
  const std::string said = answer.pump->joint().said();
  ask.go_on_from(said);
  while (auto step = reserve.course.next(worker.loop().now_ms(), worker.dice())) {
    if (step->crowded || step->at_ms > worker.loop().now_ms()) {
      auto ready = co_await until_ready(ex, ex.sleeper(), reserve.targets, reserve.course, *step, company);
      if (!ready) co_return std::unexpected(std::move(ready).error());
      if (!*ready) continue;
    }
    if (!reserve.course.begin(*step, worker.loop().now_ms())) continue;
    const Target& target = reserve.targets[step->place];
    auto joined = co_await call_for_rest(ex, answer, ask, target, std::move(step->permit), spent, company);
    if (joined) {
      reserve.course.begun();
      co_return true;
    }
    if (joined.error()->fault == Fault::client_gone) co_return std::unexpected(std::move(joined).error());
    reserve.course.failed(step->place, *joined.error(), worker.loop().now_ms());
  }
  co_return false;
}

}  // namespace sluice
