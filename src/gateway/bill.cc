// SPDX-License-Identifier: MIT
#include "gateway/bill.h"

#include <algorithm>
#include <span>
#include <vector>

#include "gateway/exchange.h"
#include "gateway/guess.h"
#include "gateway/store_call.h"
#include "gateway/used.h"
#include "gateway/worker.h"
#include "ledger/journal.h"

namespace sluice {
namespace {

constexpr std::int64_t checkpoint_every_ms = 1'000;

Journal* journal_of(const Exchange& ex) {
  return ex.worker.shared().journal;
}

std::unexpected<Failure> no_room() {
  return fail({.fault = Fault::overloaded,
               .message = "The gateway has no room to write down what this request would cost. Ask again later.",
               .detail = "the ledger's journal takes nothing more",
               .code = "ledger_full",
               .retry_after = std::chrono::seconds(5)});
}

Asker asker(const Record& record) {
  return {.id = record.id,
          .mirror_of = record.mirror_of,
          .unix_ms = record.unix_ms,
          .key = record.caller,
          .groups = record.groups,
          .tags = record.tags,
          .asked = record.model,
          .dialect = record.dialect,
          .operation = record.operation,
          .stream = record.stream};
}

Callee callee(const Record& record, std::size_t place) {
  const Attempt& attempt = record.attempts[place];
  return {.attempt = static_cast<std::int64_t>(place) + 1,
          .backend = attempt.backend,
          .model = attempt.model,
          .price = attempt.price,
          .lane = record.lane,
          .hedge = attempt.hedge};
}

// Nobody has read the question where this is wanted. nullopt: its bytes are no text.
std::optional<std::int64_t> guess_input(const Exchange& ex) {
  if (!asks_in_text(ex.record.operation)) return std::nullopt;
  return ex.input_guess >= 0 ? ex.input_guess : static_cast<std::int64_t>(ex.record.bytes_in / 4) + 1;
}

RowState state_of(const Record& record, const Attempt& attempt) {
  if (!attempt.fault && !attempt.given_up) return RowState::complete;
  if (made_nothing(record, attempt)) return RowState::upstream_error;
  if (attempt.first_token_us >= 0) return RowState::partial;
  return attempt.given_up || attempt.fault == Fault::client_gone ? RowState::cancelled : RowState::upstream_error;
}

void write_call(const Exchange& ex, std::size_t place, bool answers, CallLine& line) {
  const Record& record = ex.record;
  const Attempt& attempt = record.attempts[place];
  line.callee = callee(record, place);
  line.state = state_of(record, attempt);
  line.status = attempt.status;
  line.fault = attempt.fault;
  const std::int64_t ended_us = attempt.ended_us >= 0 ? attempt.ended_us : ex.elapsed_us();
  line.took_ms = std::max<std::int64_t>(ended_us - attempt.started_us, 0) / 1000;
  line.first_token_ms = attempt.first_token_us < 0 ? -1 : attempt.first_token_us / 1000;
  const Used used = used_by(record, place, answers, guess_input(ex));
  line.exact = used.exact;
  line.estimated = used.estimated;
}

RowState exchange_state(const Record& record, const Error* failed, std::size_t answers) {
  if (!failed) return RowState::complete;
  if (answers < record.attempts.size()) {
    const Attempt& attempt = record.attempts[answers];
    if (attempt.first_token_us >= 0 && !made_nothing(record, attempt)) return RowState::partial;
  }
  return failed->fault == Fault::client_gone ? RowState::cancelled : RowState::upstream_error;
}

}  // namespace

Result<void> Bill::open(Exchange& ex, std::string_view body) {
  const Journal* journal = journal_of(ex);
  if (!journal || !may_cost(ex.record)) return {};
  if (!journal->takes()) return no_room();
  if (!body.empty()) ex.input_guess = guess_tokens(body);
  return {};
}

Result<void> Bill::begin(Exchange& ex, std::size_t attempt) {
  Journal* journal = journal_of(ex);
  if (!journal || !may_cost(ex.record)) return {};
  const Intent intent{
      .asker = asker(ex.record), .callee = callee(ex.record, attempt), .input = guess_input(ex).value_or(0)};
  if (!journal->append(intent)) return no_room();
  if (!begun_) next_ms_ = ex.worker.loop().now_ms() + checkpoint_every_ms;
  begun_ = true;
  return {};
}

void Bill::failed(const Exchange& ex, std::size_t attempt) {
  Journal* journal = journal_of(ex);
  // Of what broke off in the middle the last checkpoint knows more.
  if (!journal || !begun_ || settled_ || ex.record.attempts[attempt].first_token_us >= 0) return;
  CallLine line;
  write_call(ex, attempt, false, line);
  journal->append(Checkpoint{.id = ex.record.id,
                             .attempt = static_cast<std::int64_t>(attempt) + 1,
                             .exact = line.exact,
                             .estimated = line.estimated,
                             .took_ms = line.took_ms,
                             .outcome = line.state,
                             .status = line.status,
                             .fault = line.fault});
}

void Bill::checkpoint(const Exchange& ex, std::size_t attempt, std::int64_t now_ms, std::int64_t heard) {
  next_ms_ = now_ms + checkpoint_every_ms;
  Checkpoint out{.id = ex.record.id,
                 .attempt = static_cast<std::int64_t>(attempt) + 1,
                 .took_ms = (ex.elapsed_us() - ex.record.attempts[attempt].started_us) / 1000};
  const Used used = used_so_far(ex.record, heard, guess_input(ex));
  out.exact = used.exact;
  out.estimated = used.estimated;
  journal_of(ex)->append(out);
}

void Bill::settle(const Exchange& ex, const Error* failed, std::size_t unsent) {
  if (settled_) return;
  Journal* journal = journal_of(ex);
  const Record& record = ex.record;
  if (!journal || (!begun_ && !record.coalesced)) return;
  settled_ = true;
  next_ms_ = never;
  static const Error gone{.fault = Fault::client_gone};
  if (!failed && ex.left()) failed = &gone;  // whole as it was made, nobody has it
  const std::size_t answers = answering(record);
  Settlement out{.asker = asker(record),
                 .served = record.served,
                 .state = exchange_state(record, failed, answers),
                 .coalesced = record.coalesced,
                 .status = record.status != 0 ? record.status : (failed ? failed->http_status() : 200),
                 .took_ms = ex.elapsed_us() / 1000,
                 .first_token_ms = record.first_token_us < 0 ? -1 : record.first_token_us / 1000,
                 .bytes_in = record.bytes_in,
                 .bytes_out = record.bytes_out + unsent};
  if (failed) out.fault = failed->fault;
  if (record.attempts.size() == 1 && was_sent(record.attempts.front())) {
    CallLine line;
    write_call(ex, 0, answers == 0, line);
    out.calls = 1;
    return journal->append(out, std::span(&line, 1));
  }
  std::vector<CallLine> calls;
  for (std::size_t i = 0; i < record.attempts.size(); ++i) {
    if (was_sent(record.attempts[i])) write_call(ex, i, i == answers, calls.emplace_back());
  }
  out.calls = static_cast<std::uint32_t>(calls.size());
  journal->append(out, calls);
}

bool Bill::must_wait(const Exchange& ex) const {
  return settled_ && journal_of(ex)->strict();
}

Task<Result<bool>> Bill::written(Exchange& ex) {
  StoreCall<bool> call(ex);
  journal_of(ex)->sync([told = call.callback()](bool well) mutable { told(well); });
  co_return co_await wait_for(ex, call);
}

}  // namespace sluice
