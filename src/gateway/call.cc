// call: one target after the other until an answer has begun well. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/estimate.h"
#include "gateway/ask.h"
#include "gateway/attempt.h"
#include "gateway/failover.h"
#include "gateway/line_up.h"
#include "gateway/mirror.h"
#include "gateway/race.h"
#include "gateway/remember.h"
#include "gateway/respond.h"
#include "gateway/resume.h"
#include "gateway/stages.h"
#include "gateway/stopped.h"
#include "gateway/verdict.h"
#include "gateway/worker.h"
#include "policy/window.h"

namespace sluice {
namespace {

// Keeps a streaming client company in its own dialect. The head of the response goes out with the first comment.
class Comments final : public Company {
 public:
  // Both outlive it.
  Comments(const Dialect& dialect, const Question& question) : dialect_(dialect), question_(question) {}
  [[nodiscard]] Task<Result<bool>> keep(Exchange& ex) override {
    if (!writer_) writer_ = dialect_.stream_writer(question_);
    std::string bytes;
    writer_->keep_alive(bytes);
    if (bytes.empty()) {
      // This dialect has no comments: as long as nothing was said, an error can still have a status of its own.
      ex.last_sent_ms = ex.worker.loop().now_ms();
      co_return true;
    }
    auto type = writer_->content_type();
    co_return co_await send_stream(ex, type, bytes, false);
  }

 private:
  const Dialect& dialect_;
  const Question& question_;
  std::unique_ptr<StreamWriter> writer_;  // most answers begin before a comment is due
};

// The error as the last words of a stream that comments have begun already.
[[gnu::noinline]] std::string last_words(const Try& t, const Error& error) {
  std::string bytes;
  t.intake.entry.dialect->stream_writer(t.question)->write(Failed{error}, bytes);
  return bytes;
}

// A conversation that holds a backend's proofs goes to that backend first.
[[gnu::noinline]] void put_issuer_first(const Try& t, std::vector<Target>& targets) {
  if (targets.size() < 2) return;
  const Target& best = targets.front();
  const bool alike = best.backend->way(t.intake.entry.dialect->id(), t.intake.entry.operation, best.model) != nullptr;
  if (alike && !t.ask.may_hold_proofs()) return;
  const auto request = t.ask.conversation();
  if (!request) return;  // whoever comes first says why
  const std::string_view first = issuer(**request);
  std::ranges::stable_partition(targets, [&](const Target& target) { return target.backend->name == first; });
}

// What is surely too long for a target does not go there while another may hold it.
[[gnu::noinline]] void leave_out_small(const Try& t, std::vector<Target>& targets) {
  if (!may_be_too_long(targets, t.intake.body.size())) return;
  const auto request = t.ask.conversation();
  if (request) leave_out_small(targets, estimate_input(**request, targets.front().model));
}

// After a vendor said that the question is too long for that target: whether there is one that may hold more. Only
// those are tried from here on.
[[gnu::noinline]] bool only_larger(Course& course, const std::vector<Target>& targets, std::size_t place) {
  bool any = false;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const bool larger = may_hold_more(targets[i], targets[place]);
    if (!larger) course.rule_out(i);
    any = any || larger;
  }
  return any;
}

// The target that is asked besides one that is slow to begin.
class Hedge final : public Second {
 public:
  // All outlive it.
  Hedge(const Try& t, Course& course, const std::vector<Target>& targets, Stopped& stopped)
      : t_(t), course_(course), targets_(targets), stopped_(stopped) {}
  [[nodiscard]] std::optional<Runner> take(std::int64_t now_ms) override {
    auto step = course_.besides(now_ms);
    if (!step || !t_.ex.worker.shared().hedges.hedge() || !course_.begin(*step, now_ms)) return std::nullopt;
    return Runner{.target = &targets_[step->place], .place = step->place, .permit = std::move(step->permit)};
  }
  void failed(std::size_t place, const Error& error) override {
    failed_ = place;
    course_.failed(place, error, t_.ex.worker.loop().now_ms());
  }
  void given_up(std::size_t place) override { course_.given_up(place); }
  [[nodiscard]] bool sets_aside(Result<Answer>& answer) override { return stopped_.take(t_, answer); }

  [[nodiscard]] std::size_t last_failed() const { return failed_; }

 private:
  const Try& t_;
  Course& course_;
  const std::vector<Target>& targets_;
  Stopped& stopped_;
  std::size_t failed_ = 0;
};

// When that is; never, where nothing says so.
[[gnu::noinline]] std::int64_t hedge_at(const Try& t, const Course& course, std::size_t place) {
  const HedgeSettings& hedge = failover(t.ex).hedge;
  if (!hedge.on || t.counts() || course.untried() == 0) return net::never;
  const std::int64_t now = t.ex.worker.loop().now_ms();
  if (!hedge.p95) return now + hedge.after.count();
  const auto p95 = t.intake.peek.stream ? course.p95_ms(place, now) : std::nullopt;
  return p95 ? now + *p95 : net::never;
}

// One target after the other, again where that may help, until an answer has begun well.
Task<Result<Answer>> run(const Try& t, const std::vector<Target>& targets) {
  Worker& worker = t.ex.worker;
  Course course = course_over(t.ex, targets);
  if (t.ex.settings().max_concurrent > 0) CO_TRY_VOID(co_await take_place(t.ex, t.sleeper, targets, t.company));
  Result<Answer> answer;
  bool called = false;
  Stopped stopped;
  while (auto step = course.next(worker.loop().now_ms(), worker.dice())) {
    if (step->crowded || step->at_ms > worker.loop().now_ms()) {
      auto ready = co_await until_ready(t.ex, t.sleeper, targets, course, *step, t.company);
      if (!ready) co_return std::unexpected(std::move(ready).error());
      if (!*ready) continue;
    }
    if (!course.begin(*step, worker.loop().now_ms())) continue;
    if (!called) worker.shared().hedges.request();
    if (!called && t.ex.route && !t.ex.route->mirrors.empty() && !t.counts()) mirror(t);
    called = true;
    std::size_t place = step->place;
    if (const std::int64_t late = hedge_at(t, course, step->place); late != net::never) {
      Hedge hedge(t, course, targets, stopped);
      answer = co_await race(t, targets[step->place], step->place, std::move(step->permit), late, hedge);
      place = hedge.last_failed();
    } else {
      answer = co_await attempt(t, targets[step->place], std::move(step->permit));
      if (!answer) course.failed(step->place, *answer.error(), worker.loop().now_ms());
    }
    if (stopped.take(t, answer)) continue;
    if (answer) {
      if (t.joins && answer->pump) {
        course.begun();
        answer->reserve = std::make_unique<Reserve>(std::move(course));
      }
      co_return answer;
    }
    const Fault fault = answer.error()->fault;
    if (fault == Fault::client_gone || t.ex.left()) co_return answer;
    if (too_long(*answer.error()) && only_larger(course, targets, place)) continue;
    if (!fault_row(fault).another_target_helps) break;
  }
  if (stopped.any()) co_return stopped.give_back(t);  // its own words say more than that nobody else could be asked
  if (called && !fault_row(answer.error()->fault).another_target_helps) co_return answer;
  if (!called) co_return fail(course.resting(worker.loop().now_ms()));
  say_when(*answer.error(), course, t.ex);
  co_return answer;
}

}  // namespace

Task<Result<Answer>> call(Exchange& ex, const Intake& intake, Plan& plan) {
  const bool recalled = intake.held && !intake.held->body.empty();
  const Question question{.model = intake.peek.model,
                          .exchange_id = ex.record.id,
                          .unix_seconds = ex.unix_seconds(),
                          .usage_asked = intake.peek.usage_asked,
                          .stream_array = intake.peek.stream_array,
                          .asked = recalled ? intake.held->members : intake.peek.members};
  Ask ask(ex, intake);
  std::unique_ptr<Comments> comments;
  if (intake.peek.stream && ex.settings().keep_alive.count() > 0)
    comments = std::make_unique<Comments>(*intake.entry.dialect, question);
  const Try each{.ex = ex,
                 .intake = intake,
                 .question = question,
                 .ask = ask,
                 .company = comments.get(),
                 .sleeper = ex.sleeper(),
                 .record = ex.record,
                 .relayed = ex.relayed_fields,
                 .joins = may_be_joined(ex, intake)};
  put_issuer_first(each, plan.targets);
  leave_out_small(each, plan.targets);
  if (plan.targets.empty()) co_return fail(Fault::internal, "No target was tried.");
  auto answer = co_await run(each, plan.targets);
  if (answer) co_return answer;
  if (cut_short(ex, *answer.error())) answer = fail(leaving());
  if (ex.head_sent && answer.error()->fault != Fault::client_gone) {
    const std::string bytes = last_words(each, answer.error());
    (void)co_await send_stream(ex, {}, bytes, false);
  }
  co_return answer;
}

}  // namespace sluice
