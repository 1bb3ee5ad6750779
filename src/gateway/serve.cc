// What happens to a request, in order. SPDX-License-Identifier: MIT
#include "gateway/serve.h"

#include "gateway/coalesce.h"
#include "gateway/forward.h"
#include "gateway/resume.h"
#include "gateway/stages.h"

namespace sluice {

namespace {

// From the door to an answer that has begun. A coroutine of its own and not inlined: its memory is free while a stream
// runs on.
[[gnu::noinline]] Task<Result<Answer>> ask(Exchange& ex, const Entry& entry, const Caller& caller, Lease& lease) {
  CO_TRY(auto&& intake, co_await receive(ex, entry));                 // the body; every top-level member walked once
  if (has_state(entry)) CO_TRY_VOID(co_await recollect(ex, intake));  // what it goes on from, and who holds that
  CO_TRY(auto&& plan, choose(ex, intake));                            // ordered targets; nothing is sent yet
  CO_TRY(lease, admit(ex, caller));                                   // rate and concurrency
  CO_TRY_VOID(Bill::open(ex, intake.body));                           // what it costs can be written down
  CO_TRY_VOID(meter(ex, intake, plan));                               // and money, of its key and the groups above it
  if (ex.route && ex.route->coalesce) {
    if (auto shared = coalesce(ex, intake)) co_return Answer{.shared = std::move(shared)};  // somebody asks it already
  }
  CO_TRY(auto&& answer, co_await call(ex, intake, plan));           // flights: end at the first good event
  if (intake.held) CO_TRY_VOID(co_await hold(ex, intake, answer));  // for its client to come back to
  if (answer.reserve) {
    keep_question(answer, intake, plan);  // another call may have to go on with the answer
  } else if (answer.pump) {
    ex.client.release_request(0);  // a stream may last: its question is not needed any more
  }
  co_return std::move(answer);
}

}  // namespace

Task<Result<bool>> serve(Exchange& ex) {
  CO_TRY(auto&& entry, enter(ex));                                               // which door, which dialect answers
  CO_TRY(auto&& caller, authenticate(ex, entry));                                // who asks, before a body is buffered
  if (caller.claimed) CO_TRY_VOID(co_await check_signature(ex, entry, caller));  // AWS's, which counts the body in
  if (has_state(entry) && entry.place == Place::vendor) {
    CO_TRY(const bool here, co_await serve_held(ex, entry));  // an answer that is held here
    if (here) co_return true;
  }
  if (entry.place == Place::vendor) co_return co_await forward(ex, entry, caller);  // no conversation: passed untouched
  if (entry.place != Place::dialect || entry.operation == Operation::models || entry.operation == Operation::model) {
    co_return co_await serve_here(ex, entry);
  }
  Lease lease;  // given back when the exchange is over
  CO_TRY(auto&& answer, co_await ask(ex, entry, caller, lease));
  co_return co_await relay(ex, answer);  // forward or re-speak, to the proper end
}

}  // namespace sluice
