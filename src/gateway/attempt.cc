// SPDX-License-Identifier: MIT
#include "gateway/attempt.h"

#include <algorithm>

#include "base/text.h"
#include "dialects/estimate.h"
#include "dialects/held_state.h"
#include "dialects/registry.h"
#include "gateway/demo.h"
#include "gateway/lane.h"
#include "gateway/remember.h"
#include "gateway/verdict.h"
#include "gateway/worker.h"
#include "model/fold.h"

namespace sluice {
namespace {

constexpr std::size_t most_reply = 64 * 1024 * 1024;

// What a coroutine calls here is not inlined: its variables would stand in the coroutine's frame for its whole life.

void note_reply(Record& record, const Reply& reply) {
  if (!reply.model.empty()) record.served = reply.model;
  if (reply.service_tier) record.lane = *reply.service_tier;
  merge(record.usage, reply.usage);
  if (!reply.choices.empty()) record.finish = reply.choices.front().stop.raw;
}

// What the vendor did not count of a question and its answer.
[[gnu::noinline]] void count_untold(const Try& t, const Reply& reply) {
  const Usage& told = reply.usage;
  const std::string_view model = reply.model.empty() ? t.question.model : std::string_view(reply.model);
  if (!told.output && !told.reasoning && !told.billed_output) t.record.estimated_output = count_output(reply, model);
  if (told.total_input() > 0 || told.billed_input) return;
  if (const auto request = t.ask.conversation()) t.ex.input_guess = count_input(**request, model);
}

void add_notes(Record& record, const Notes& notes) {
  record.notes.insert(record.notes.end(), notes.all().begin(), notes.all().end());
}

// Notes about the question point into the client's whole body.
void add_notes(Record& record, const Notes& notes, std::string_view within) {
  const auto from = static_cast<std::ptrdiff_t>(record.notes.size());
  add_notes(record, notes);
  for (auto note = record.notes.begin() + from; note != record.notes.end(); ++note) note->pointer.insert(0, within);
}

// What is held here has a name of ours.
std::string_view own_name(const Try& t) {
  return t.intake.held ? std::string_view(t.intake.held->id) : std::string_view();
}

// A vendor that speaks Responses and holds none: the end of its streams is held here.
bool keeps_last(const Try& t, const Backend& backend) {
  return t.intake.held && !openai_responses::holds_answers(backend.provider->name);
}

void name_reply(const Try& t, Reply& reply) {
  if (const auto id = own_name(t); !id.empty()) reply.id = id;
}

// A reply that was read, before it is written for the client.
void settle_reply(const Try& t, const Outgoing& out, const Backend& backend, Reply& reply) {
  if (out.undo) out.undo->undo(reply);
  if (!out.verbatim) name_reply(t, reply);
  note_reply(t.record, reply);
  count_untold(t, reply);
  sign(reply, backend.name);
  remember(t.ex, reply);
}

// The word with which a filter stopped it, or the model refused, where that counts.
std::optional<std::string> stopped(const Try& t, const Reply& reply) {
  if (!t.sifts() || reply.choices.empty()) return std::nullopt;
  const Stop& stop = reply.choices.front().stop;
  if (stop.kind == StopKind::refusal) return stop.raw.empty() ? "refusal" : stop.raw;
  if (stop.kind == StopKind::content_filter) return stop.raw;
  return std::nullopt;
}

// A whole answer, from a whole one or from a stream that nobody asked for.
Result<Answer> whole_answer(const Try& t, const Outgoing& out, const Backend& backend, const Flight::Head& head,
                            std::string body) {
  Answer answer;
  Notes notes;
  if (t.counts()) {
    if (out.verbatim) {
      answer.own_content_type = head.content_type;
      answer.held = std::move(body);
    } else {
      TRY(const std::int64_t tokens, out.spoken->read_count(body));
      answer.held = t.intake.entry.dialect->write_count(tokens);
    }
    return answer;
  }
  if (out.verbatim && !head.event_stream) {
    if (auto usage = t.sifts() ? std::nullopt : out.spoken->reply_usage(body)) {
      t.record.usage = std::move(*usage);
      if (t.ex.worker.shared().journal && has_lanes(out.spoken->id())) {
        constexpr std::size_t end = 1024;  // vendors say it behind what was said
        if (const auto lane = lane_told(body, end); !lane.empty()) t.record.lane = lane;
      }
    } else {
      TRY(const Reply reply, out.spoken->read_reply(body));  // an error in a 200, or half a reply, shows here
      note_reply(t.record, reply);
      count_untold(t, reply);
      answer.stopped = stopped(t, reply);
    }
    answer.held = std::move(body);
    answer.own_content_type = head.content_type;
    return answer;
  }
  Reply reply;
  if (head.event_stream) {
    Fold fold;
    std::vector<Event> events;
    const auto framer = out.spoken->framer(head.content_type);
    const auto reader = out.spoken->stream_reader();
    framer->feed(body);
    for (;;) {
      TRY(const auto frame, framer->next());
      if (!frame) break;
      reader->read(*frame, events);
    }
    TRY(const auto rest, framer->end());
    if (rest) reader->read(*rest, events);
    reader->end(events);
    for (const Event& event : events) fold.add(event);
    TRY(reply, fold.take());
  } else {
    TRY(reply, out.spoken->read_reply(body));
  }
  settle_reply(t, out, backend, reply);
  answer.stopped = stopped(t, reply);
  answer.held = t.intake.entry.dialect->write_reply(reply, t.question, notes);
  add_notes(t.record, notes);
  return answer;
}

Pump::Sides sides(const Try& t, const Dialect* upstream) {
  return {.upstream = upstream,
          .client = t.intake.entry.dialect,
          .usage_asked = t.question.usage_asked,
          .content_type = "text/event-stream",
          .question = t.question};
}

// What a body that came whole means: an answer, or the upstream's error.
Result<Answer> judge(const Try& t, const Outgoing& out, const Backend& backend, const Flight::Head& head,
                     std::string body) {
  const bool good = head.status >= 200 && head.status < 300 && head.status != 204;
  if (!good) {
    const bool as_it_came = out.spoken == t.ex.dialect && !out.at_cloud && head.content_type.contains("json");
    Error error = read_refusal(*out.spoken, head, std::move(body), backend.key, as_it_came);
    if (error.verbatim && !head.error_kind.empty()) {
      http1::append_field(t.relayed, "x-amzn-errortype", head.error_kind);
    }
    return fail(std::move(error));
  }
  if (!t.intake.peek.stream) return whole_answer(t, out, backend, head, std::move(body));
  // A stream was asked for and a whole reply came: told as a stream of one go.
  TRY(Reply reply, out.spoken->read_reply(body));
  settle_reply(t, out, backend, reply);
  Answer streamed;
  Pump::Sides both = sides(t, out.spoken);
  if (!out.verbatim) both.id = own_name(t);
  both.keeps_last = keeps_last(t, backend);
  streamed.pump = std::make_unique<Pump>(t.record, both);
  streamed.pump->whole(reply, streamed.held);
  streamed.stopped = stopped(t, reply);
  return streamed;
}

// The same, told to the attempt.
[[gnu::noinline]] Result<Answer> land(const Try& t, Flight& flight, const Outgoing& out, const Flight::Head& head,
                                      std::string body) {
  flight.first_token();
  Result<Answer> answer = judge(t, out, *flight.target().backend, head, std::move(body));
  if (answer && answer->stopped) {
    flight.refused(filtered(*answer->stopped));
  } else {
    answer ? flight.land() : flight.refused(answer.error());
  }
  if (answer) answer->native = out.verbatim;
  return answer;
}

}  // namespace

Result<void> keep_strict(const Exchange& ex, const std::vector<Note>& notes, const Target& target) {
  const auto lost = std::ranges::find(notes, NoteKind::lost, &Note::kind);
  if (lost == notes.end() || !ex.route || !ex.route->strict) return {};
  const auto more = std::ranges::count(lost + 1, notes.end(), NoteKind::lost, &Note::kind);
  Error error{.fault = Fault::unsupported, .code = "unsupported_parameter", .param = lost->pointer};
  error.message = "The backend \"" + target.backend->name + "\" cannot be told " + lost->pointer + " (" + lost->reason +
                  "), and the route of this model is strict.";
  if (more > 0) error.message += " The same is true of " + std::to_string(more) + " more.";
  return fail(std::move(error));
}

namespace {

// The request of one attempt, and what the record learns of it.
[[gnu::noinline]] Result<void> write(const Try& t, Flight& flight, Outgoing& out) {
  Notes notes;
  if (auto written = t.ask.write(flight.target(), flight.line(), out, notes); !written) {
    flight.failed(written.error());
    return written;
  }
  flight.attempt().verbatim = !out.read && !t.joins && !t.sifts();
  Record& record = t.record;
  record.served = flight.target().model;
  record.notes.clear();
  if (out.read) add_notes(record, t.ask.notes(), t.intake.peek.within);
  add_notes(record, notes, t.intake.peek.within);
  auto strict = keep_strict(t.ex, record.notes, flight.target());
  if (!strict) flight.failed(strict.error());
  return strict;
}

[[gnu::noinline]] std::unique_ptr<Pump> make_pump(const Try& t, Outgoing& out, const Backend& backend,
                                                  std::string_view content_type) {
  Pump::Sides both = sides(t, out.spoken);
  both.verbatim = out.verbatim;
  both.joins = t.joins;
  both.sifts = t.sifts();
  both.content_type = content_type;
  both.undo = std::move(out.undo);
  both.backend = backend.name;
  if (!out.verbatim || t.joins) both.id = own_name(t);
  both.keeps_last = keeps_last(t, backend);
  return std::make_unique<Pump>(t.record, both);
}

// The stream said that it failed before it said anything else.
[[gnu::noinline]] Result<Answer> failed_at_once(Flight& flight, const Pump& pump) {
  Error error = *pump.failed();
  keep_secret(flight.target().backend->key, error);
  flight.failed(error);
  return fail(std::move(error));
}

// A stream that was stopped before its first word is read to its end: it is the answer only when nobody does better.
Task<Result<Answer>> drain(const Try& t, Answer answer) {
  Flight& flight = *answer.flight;
  answer.stopped = answer.pump->stopped();
  flight.first_token();
  while (!answer.pump->over()) {
    std::string_view piece;
    CO_TRY(const auto got, co_await flight.next(piece, t.company));
    got == Flight::Got::end ? answer.pump->end(answer.held) : answer.pump->feed(piece, answer.held);
  }
  if (answer.pump->failed()) co_return failed_at_once(flight, *answer.pump);
  flight.refused(filtered(*answer.stopped));
  answer.flight.reset();
  co_return std::move(answer);
}

Task<Result<Answer>> ask_upstream(const Try& t, const Target& target, Permit permit) {
  Exchange& ex = t.ex;
  Answer answer{.flight = std::make_unique<Flight>(ex, t.sleeper, target, t.intake.peek.stream, std::move(permit))};
  Flight& flight = *answer.flight;
  if (flight.place() > 0) t.record.set_usage_apart();
  t.record.answered = static_cast<std::int32_t>(flight.place());
  flight.attempt().hedge = t.hedge;
  flight.attempt().mirror = ex.mirror;
  t.relayed.clear();  // it told of an attempt before
  Outgoing out;
  CO_TRY_VOID(write(t, flight, out));
  auto head = co_await flight.begin(out.head, out.body, t.company);
  if (!head) {
    flight.failed(head.error());
    co_return std::unexpected(std::move(head).error());
  }
  t.relayed = std::move(head->relayed);
  const bool good = head->status >= 200 && head->status < 300 && head->status != 204;
  if (!good || !t.intake.peek.stream || !head->event_stream) {
    auto body = co_await flight.take_all(t.company, most_reply);
    if (!body) {
      flight.failed(body.error());
      co_return std::unexpected(std::move(body).error());
    }
    co_return land(t, flight, out, *head, *std::move(body));
  }

  answer.native = out.verbatim && !t.joins;
  answer.pump = make_pump(t, out, *target.backend, head->content_type);
  while (!answer.pump->content() && !answer.pump->over()) {
    std::string_view piece;
    auto got = flight.take(piece);
    if (got && *got == Flight::Got::wait) {
      auto waited = co_await flight.wait(t.company);
      if (waited) continue;
      got = std::unexpected(std::move(waited).error());
    }
    if (!got) {
      flight.failed(got.error());
      co_return std::unexpected(std::move(got).error());
    }
    if (*got == Flight::Got::end) {
      answer.pump->end(answer.held);
    } else {
      answer.pump->feed(piece, answer.held);
    }
  }
  if (answer.pump->failed() && !answer.pump->content()) co_return failed_at_once(flight, *answer.pump);
  if (answer.pump->stopped()) co_return co_await drain(t, std::move(answer));
  flight.first_token();
  co_return std::move(answer);
}

[[gnu::noinline]] Result<Answer> demo(const Try& t, const Target& target) {
  Exchange& ex = t.ex;
  Attempt row{.backend = target.backend->name, .model = target.model, .started_us = ex.elapsed_us()};
  TRY(const ChatRequest* request, t.ask.conversation());
  if (auto held = held_elsewhere(*request)) return fail(*std::move(held));
  Reply reply = demo_reply(*request, ex.unix_seconds());
  name_reply(t, reply);
  row.first_token_us = row.ended_us = ex.record.first_token_us = ex.elapsed_us();
  row.status = 200;
  row.mirror = ex.mirror;
  t.record.answered = static_cast<std::int32_t>(ex.record.attempts.size());
  row.price = "input=0 output=0";
  ex.record.attempts.push_back(std::move(row));
  TRY_VOID(ex.bill.begin(ex, ex.record.attempts.size() - 1));
  add_notes(t.record, t.ask.notes());
  note_reply(t.record, reply);
  Answer answer;
  if (t.intake.peek.stream) {
    Pump::Sides both = sides(t, ex.dialect);
    both.id = own_name(t);
    answer.pump = std::make_unique<Pump>(t.record, both);
    answer.pump->tell(demo_events(reply), answer.held);
  } else {
    Notes notes;
    answer.held = ex.dialect->write_reply(reply, t.question, notes);
    add_notes(t.record, notes);
  }
  return answer;
}

// The tokens as they are counted here, where nobody else does.
[[gnu::noinline]] Result<Answer> count_here(const Try& t, const Target& target) {
  TRY(const ChatRequest* request, t.ask.conversation());
  if (auto held = held_elsewhere(*request)) return fail(*std::move(held));
  Answer answer;
  answer.held = t.ex.dialect->write_count(count_input(*request, target.model));
  answer.fields = "x-sluice-estimate: true\r\n";
  return answer;
}

// True when the upstream said that it has no such call: a server that speaks a vendor's words, at another address.
[[gnu::noinline]] bool cannot_count(const Try& t, const Target& target) {
  const int status = t.ex.record.attempts.back().status;
  return !target.backend->own_place && (status == 404 || status == 405 || status == 501);
}

// One target's answer to a question for a number of tokens.
Task<Result<Answer>> count(const Try& t, const Target& target, Permit permit) {
  const bool asks =
      target.backend->first_way(t.intake.entry.dialect->id(), Operation::count_tokens, target.model) != nullptr;
  if (!asks) co_return count_here(t, target);
  auto answer = co_await ask_upstream(t, target, std::move(permit));
  if (!answer && cannot_count(t, target)) answer = count_here(t, target);
  co_return answer;
}
Task<Result<Answer>> at_once(Result<Answer> answer) {
  co_return answer;
}

}  // namespace

Task<Result<Answer>> attempt(const Try& t, const Target& target, Permit permit) {
  if (t.counts()) return count(t, target, std::move(permit));
  if (target.backend->demo()) return at_once(demo(t, target));
  return ask_upstream(t, target, std::move(permit));
}

}  // namespace sluice
