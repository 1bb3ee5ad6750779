// SPDX-License-Identifier: MIT
#include "gateway/bill.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "gateway/exchange.h"
#include "gateway/guess.h"
#include "gateway/store_call.h"
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

// What vendors take money for is asked for by POST, and is none of these.
bool may_cost(const Record& record) {
  constexpr std::array<std::string_view, 7> free = {"count_tokens",  "files",         "uploads",   "skills",
                                                    "conversations", "vector_stores", "containers"};
  return record.method == "POST" && std::ranges::find(free, record.operation) == free.end();
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
          .hedge = attempt.hedge,
          .mirror = attempt.mirror};
}

// Nobody has read the question where this is wanted. nullopt: its bytes are no text.
std::optional<std::int64_t> guess_input(const Exchange& ex) {
  if (!asks_in_text(ex.record.operation)) return std::nullopt;
  return ex.input_guess >= 0 ? ex.input_guess : static_cast<std::int64_t>(ex.record.bytes_in / 4) + 1;
}

bool was_sent(const Attempt& attempt) {
  return attempt.sent_us >= 0 || attempt.first_token_us >= 0;
}

// A vendor that answered with an error, of whatever status, or broke off before its answer began has made nothing. One
// that was too slow for us may have worked all the same, and a whole answer that was cut short on its way had been
// made.
bool made_nothing(const Record& record, const Attempt& attempt) {
  if (attempt.status >= 400) return true;
  if (!attempt.fault || attempt.given_up) return false;
  switch (*attempt.fault) {
    case Fault::upstream_rejected:
    case Fault::upstream_denied:
    case Fault::upstream_limited:
    case Fault::upstream_overloaded:
    case Fault::upstream_failed:
    case Fault::upstream_unreachable: return !record.stream || attempt.first_token_us < 0;
    case Fault::upstream_broken: return attempt.head_us < 0;
    case Fault::bad_request:
    case Fault::unsupported:
    case Fault::unauthorized:
    case Fault::forbidden:
    case Fault::not_found:
    case Fault::method_not_allowed:
    case Fault::request_timeout:
    case Fault::too_large:
    case Fault::rate_limited:
    case Fault::overloaded:
    case Fault::client_gone:
    case Fault::upstream_timeout:
    case Fault::internal: return false;
  }
  return false;
}

RowState state_of(const Record& record, const Attempt& attempt) {
  if (!attempt.fault && !attempt.given_up) return RowState::complete;
  if (made_nothing(record, attempt)) return RowState::upstream_error;
  if (attempt.first_token_us >= 0) return RowState::partial;
  return attempt.given_up || attempt.fault == Fault::client_gone ? RowState::cancelled : RowState::upstream_error;
}

// What is exact and what is a guess. `heard`: tokens of output by our own count, -1: none.
void count(const Exchange& ex, const Usage& told, const Units& units, bool whole, std::int64_t heard, Buckets& exact,
           Buckets& estimated) {
  Buckets& to = told.estimated ? estimated : exact;
  to = Buckets(told, units);
  if (units.known()) return;
  if (to.total_input() == 0) {
    to.set(Bucket::input, std::nullopt);
    estimated.set(Bucket::input, guess_input(ex));
  }
  // What a stream that broke off has told of its output was a beginning.
  const bool unknown = !told.output && !told.reasoning && !told.billed_output;
  if (heard >= 0 && (unknown || (!whole && heard > to.total_output()))) {
    to.set(Bucket::output, std::nullopt);
    to.set(Bucket::reasoning, std::nullopt);
    estimated.set(Bucket::output, heard);
  }
}

Usage without(Usage whole, const Usage& part) {
  const auto take = [](std::optional<std::int64_t>& from, const std::optional<std::int64_t>& less) {
    if (from && less) from = std::max<std::int64_t>(*from - *less, 0);
  };
  take(whole.input, part.input);
  take(whole.cache_read, part.cache_read);
  take(whole.cache_write_5m, part.cache_write_5m);
  take(whole.cache_write_1h, part.cache_write_1h);
  take(whole.tool_input, part.tool_input);
  take(whole.output, part.output);
  take(whole.reasoning, part.reasoning);
  take(whole.audio_input, part.audio_input);
  take(whole.image_input, part.image_input);
  take(whole.audio_output, part.audio_output);
  take(whole.image_output, part.image_output);
  take(whole.billed_input, part.billed_input);
  take(whole.billed_output, part.billed_output);
  return whole;
}

// What the call used whose usage the record has, without those that it went on from. `room` is for what must be made.
const Usage& own_usage(const Record& record, Usage& room) {
  if (std::ranges::none_of(record.spent, &Spent::part)) return record.usage;
  room = record.usage;
  for (const Spent& one : record.spent) {
    if (one.part) room = without(std::move(room), one.usage);
  }
  room.estimated = false;  // those that broke off were
  return room;
}

// Whose usage the record has: of those that had an answer the last, unless what it used stands apart.
std::size_t answering(const Record& record) {
  if (record.answered >= 0) return static_cast<std::size_t>(record.answered);
  for (std::size_t i = record.attempts.size(); i-- > 0;) {
    const Attempt& attempt = record.attempts[i];
    if (attempt.first_token_us < 0 || made_nothing(record, attempt)) continue;
    if (std::ranges::find(record.spent, i, &Spent::attempt) == record.spent.end()) return i;
  }
  return record.attempts.size();
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
  const auto spent = std::ranges::find(record.spent, place, &Spent::attempt);
  if (spent != record.spent.end()) {
    count(ex, spent->usage, {}, true, spent->estimated_output, line.exact, line.estimated);
  } else if (answers && (record.usage.known() || record.units.known() || !made_nothing(record, attempt))) {
    const bool whole = line.state == RowState::complete;
    Usage room;
    count(ex, own_usage(record, room), record.units, whole, record.estimated_output, line.exact, line.estimated);
  } else if (made_nothing(record, attempt) || !was_sent(attempt)) {
    line.exact.set(Bucket::input, 0);
    line.exact.set(Bucket::output, 0);
  } else {
    // A stream that was cut before its first word has said nothing; of a whole answer nobody knows how much there was.
    count(ex, {}, {}, false, record.stream ? 0 : -1, line.exact, line.estimated);
  }
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
  Usage room;
  count(ex, own_usage(ex.record, room), {}, false, heard, out.exact, out.estimated);
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
